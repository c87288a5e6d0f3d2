// The pages work without this file: reloading shows the newest counts. With it they change by themselves, for as long
// as somebody looks and something can still change. Where nothing happens it asks less and less often.
const SOON_MS = 1_500
const SELDOM_MS = 20_000

for (const element of document.querySelectorAll('[data-live]')) void follow(element)

async function follow(element) {
  let waitMs = SOON_MS
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, waitMs))
    await shown()
    const answer = await ask(element.dataset.live)
    if (answer === 'over') return
    if (answer === 'later') {
      waitMs = SELDOM_MS
      continue
    }
    // Compared with what came before, not with innerHTML, which browsers write their own way.
    waitMs = answer.html === element.before ? Math.min(waitMs * 2, SELDOM_MS) : SOON_MS
    if (answer.html !== element.before) show(element, answer)
    if (!answer.isChanging) return
  }
}

async function ask(url) {
  try {
    const response = await fetch(url, { headers: { Accept: 'application/json' } })
    if (response.ok) return await response.json()
    // Signed out, or no longer there: asking again will not help.
    return response.status < 500 && response.status !== 429 ? 'over' : 'later'
  } catch {
    return 'later'
  }
}

// Our own server's HTML, from the template that drew the page; every text in it was escaped there.
function show(element, { html, headline }) {
  element.before = html
  element.innerHTML = html
  dispatchEvent(new CustomEvent('times'))
  const said = element.parentElement?.querySelector('[data-said]')
  // Read aloud once for each change of words, not for each count.
  if (said && said.textContent !== headline) said.textContent = headline
}

/** Resolves once the page can be seen. */
function shown() {
  if (!document.hidden) return Promise.resolve()
  return new Promise((resolve) => document.addEventListener('visibilitychange', resolve, { once: true }))
}
