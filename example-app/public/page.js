// The pages work without this file. It shows times in the reader's own zone, in the language of the page...
const { lang: page } = document.documentElement
const lang = navigator.languages.find((one) => one.startsWith(page)) ?? page
const format = new Intl.DateTimeFormat(lang, { dateStyle: 'medium', timeStyle: 'short' })
const exact = new Intl.DateTimeFormat(lang, { timeStyle: 'medium' })
function showTimes() {
  for (const element of document.querySelectorAll('time[datetime]:not([title])')) {
    element.title = element.textContent ?? ''
    element.textContent = ('exact' in element.dataset ? exact : format).format(new Date(element.dateTime))
  }
}
showTimes()
addEventListener('times', showTimes) // sends.js brought new ones

// ...and asks again for a page that the back button took from the browser's memory: "no-store" is about caches, and
// some browsers keep whole pages alive beside them. After sign-out nobody should see the page from before.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload()
})
