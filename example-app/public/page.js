// The pages work without this file. It shows times in the reader's own zone and language...
const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
for (const element of document.querySelectorAll('time[datetime]')) {
  element.title = element.textContent ?? ''
  element.textContent = format.format(new Date(element.dateTime))
}

// ...and asks again for a page that the back button took from the browser's memory: "no-store" is about caches, and
// some browsers keep whole pages alive beside them. After sign-out nobody should see the page from before.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload()
})
