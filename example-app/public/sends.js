// The pages work without this file: reloading shows what is known. With it they change by themselves, while somebody
// looks: the server tells what happens over one open connection ("server-sent events"). EventSource comes back by itself
// when that breaks, and says what it saw last. Only the rest is here: when the server refuses, it gives up, and we do not.
const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 30_000
const ASK_MS = 20_000

function follow(url, place) {
  let source
  let timer
  let retryMs = FIRST_RETRY_MS

  function open() {
    clearTimeout(timer)
    // A tab nobody looks at has no connection: browsers allow six to a server over HTTP/1.1, all tabs together.
    if (source || document.hidden) return
    source = new EventSource(`${url}?after=${place}`)
    source.addEventListener('open', () => {
      retryMs = FIRST_RETRY_MS
    })
    source.addEventListener('error', () => source?.readyState === EventSource.CLOSED && refused())
    for (const [name, show] of Object.entries(SHOW)) {
      source.addEventListener(name, ({ data, lastEventId }) => {
        if (lastEventId) place = lastEventId
        show(JSON.parse(data))
      })
    }
  }

  function close() {
    source?.close()
    source = undefined
  }

  // Too many pages, not available, or signed out. Asking tells which, and brings the news meanwhile.
  async function refused() {
    close()
    if ((await askAll()) === 'signed-out') return
    timer = setTimeout(open, retryMs)
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)
  }

  document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()))
  addEventListener('pagehide', close)
  const asking = setInterval(async () => {
    if (!document.hidden && (await askAll()) === 'signed-out') clearInterval(asking)
  }, ASK_MS)
  open()
}

const SHOW = {
  progress: ({ send, headline, html }) => {
    const element = document.querySelector(`[data-send="${CSS.escape(send)}"]`)
    if (element) draw(element, html)
    const said = element?.parentElement?.querySelector('[data-said]')
    // Read aloud once for each change of words, not for each count.
    if (said && said.textContent !== headline) said.textContent = headline
  },
  delivery: ({ recipient }) => recipient && showRecipient(recipient),
  recipients: ({ recipients }) => recipients.forEach(showRecipient),
  part: ({ part, html }) => {
    const element = document.querySelector(`[data-part="${CSS.escape(part)}"]`)
    if (element) draw(element, html)
  },
  poll: ({ html }) => {
    const element = document.querySelector('[data-poll]')
    if (!element) return
    draw(element, html)
    element.parentElement.hidden = false
  },
}

function showRecipient({ ppnum, state, words }) {
  const line = document.querySelector(`[data-ppnum="${CSS.escape(ppnum)}"]`)
  if (!line) return
  line.dataset.state = state
  line.querySelector('[data-words]').textContent = words
}

// Our own server's HTML, from the template that drew the page; every text in it was escaped there.
const drawn = new WeakMap()
function draw(element, html) {
  // Compared with what came before, not with innerHTML, which browsers write their own way.
  if (drawn.get(element) === html) return
  drawn.set(element, html)
  const before = shapesOf(element)
  element.innerHTML = html
  moveBars(element, before)
  dispatchEvent(new CustomEvent('times'))
}

const barsOf = (element) => [...element.querySelectorAll('rect')]
const shapesOf = (element) => barsOf(element).map((bar) => [bar.getAttribute('x') ?? 0, bar.getAttribute('width')])

/** From where they were to where they are; the stylesheet says how fast. */
function moveBars(element, before) {
  const now = shapesOf(element)
  if (now.length !== before.length) return
  setShapes(element, before)
  element.getBoundingClientRect() // else the browser would see only the end of it
  setShapes(element, now)
}

function setShapes(element, shapes) {
  for (const [index, bar] of barsOf(element).entries()) {
    bar.setAttribute('x', shapes[index][0])
    bar.setAttribute('width', shapes[index][1])
  }
}

// Seldom, and for what nobody tells: a send being handed over just now, or events that are held up somewhere.
async function askAll() {
  const elements = [...document.querySelectorAll('[data-ask]')]
  const answers = await Promise.all(elements.map((element) => askAbout(element)))
  return answers.includes('signed-out') ? 'signed-out' : undefined
}

async function askAbout(element) {
  const answer = await ask(element.dataset.ask)
  if (answer === 'gone') element.removeAttribute('data-ask')
  if (typeof answer === 'string') return answer
  SHOW.progress({ send: element.dataset.send, ...answer })
  if (answer.recipients) SHOW.recipients(answer)
  if (answer.pollHtml) SHOW.poll({ html: answer.pollHtml })
  if (!answer.isChanging) element.removeAttribute('data-ask')
  return undefined
}

async function ask(url) {
  try {
    const response = await fetch(url, { headers: { Accept: 'application/json' } })
    if (response.ok) return await response.json()
    if (response.status === 401) return 'signed-out'
    return response.status < 500 && response.status !== 429 ? 'gone' : 'later'
  } catch {
    return 'later'
  }
}

const stream = document.querySelector('[data-stream]')
if (stream) follow(stream.dataset.stream, stream.dataset.place)
