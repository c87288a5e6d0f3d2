/**
 * Runs in the browser: draws the messages again when something has changed, and sends the forms without leaving the page.
 * Without it the page works too, by reloading.
 */
export const INBOX_SCRIPT = `
const list = document.getElementById('messages')
const status = document.getElementById('status')
let isDrawing = false
let isStale = false
async function draw() {
  isStale = true
  if (isDrawing) return
  isDrawing = true
  try {
    while (isStale) {
      isStale = false
      const answer = await fetch('/__sandbox/inbox/messages' + location.search)
      if (answer.ok) show(await answer.text())
    }
  } catch {} finally { isDrawing = false }
}
function show(html) {
  const focused = document.activeElement
  const keys = [focused?.closest('[data-key]'), focused?.closest('article')].map((element) => element?.dataset.key)
  list.innerHTML = html
  const again = keys.map((key) => key && list.querySelector('[data-key="' + CSS.escape(key) + '"]'))
  // The button that was pressed is gone, so focus its message.
  again.find(Boolean)?.focus()
}
document.addEventListener('submit', async (event) => {
  if (event.target.method !== 'post') return
  event.preventDefault()
  const body = new URLSearchParams(new FormData(event.target, event.submitter))
  try {
    const answer = await fetch(event.target.action, { method: 'POST', body, redirect: 'manual' })
    status.textContent = answer.type === 'opaqueredirect' ? 'Live' : await answer.text()
  } catch { status.textContent = 'The sandbox does not answer.' }
  draw()
})
const stream = new EventSource('/__sandbox/inbox/events')
stream.onopen = () => { status.textContent = 'Live'; draw() }
stream.onerror = () => { status.textContent = 'Not connected. Is the sandbox running?' }
stream.addEventListener('change', draw)
`
