import { Agent, request } from 'node:http'

const MOST_HOPS = 10

/**
 * As much of a browser as a sign-in needs: keeps cookies by host and port, follows redirects.
 * @param {{ agent?: Agent, cookie?: string }} [options] `cookie`: sent with each request instead of those it keeps
 */
export function createBrowser({ agent = new Agent({ keepAlive: true, maxSockets: 64 }), cookie } = {}) {
  /** @type {Map<string, Map<string, string>>} */
  const jars = new Map()

  function send(url) {
    const jar = jars.get(url.host) ?? new Map()
    jars.set(url.host, jar)
    const headers = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
    if (cookie !== undefined) headers.cookie = cookie
    else if (jar.size > 0) headers.cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    return new Promise((resolve, reject) => {
      const asking = request(url, { headers, agent }, (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (part) => {
          text += part
        })
        answer.once('error', reject)
        answer.once('end', () => {
          for (const line of answer.headers['set-cookie'] ?? []) keep(jar, line)
          resolve({ status: answer.statusCode, location: answer.headers.location, text })
        })
      })
      asking.setTimeout(20_000, () => asking.destroy(new Error(`${url.href} did not answer`)))
      asking.once('error', (error) => {
        // The server may close an idle connection while it is taken up again; browsers ask again, too.
        if (asking.reusedSocket && error.code === 'ECONNRESET') resolve(send(url))
        else reject(error)
      })
      asking.end()
    })
  }

  return {
    /** The `Cookie` header for a URL. */
    cookieFor: (url) => [...(jars.get(new URL(url).host) ?? [])].map((pair) => pair.join('=')).join('; '),
    /** One request, no redirect. */
    visit: (url) => send(new URL(url)),
    async go(url) {
      let at = new URL(url)
      for (let hop = 0; hop < MOST_HOPS; hop += 1) {
        const answer = await send(at)
        if (answer.location === undefined) return { ...answer, url: at.href }
        at = new URL(answer.location, at)
      }
      throw new Error(`more than ${MOST_HOPS} redirects from ${url}`)
    },
  }
}

function keep(jar, line) {
  const [pair, ...attributes] = line.split('; ')
  const [name, ...value] = pair.split('=')
  if (attributes.some((attribute) => /^(expires=thu, 01 jan 1970|max-age=0)/i.test(attribute))) jar.delete(name)
  else jar.set(name, value.join('='))
}

/** Signs in at an app. @returns {Promise<string>} the `Cookie` header of who is signed in */
export async function signIn(url, options) {
  const browser = createBrowser(options)
  const { status, text, url: landed } = await browser.go(`${url}/auth/login?return_to=/me`)
  if (status !== 200 || !landed.endsWith('/me')) {
    throw new Error(`signing in at ${url} ended with ${status} at ${landed}: ${text.slice(0, 300)}`)
  }
  return browser.cookieFor(url)
}
