import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http'

/** One answer, body read. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly url: string
  /** Absolute; `''` where there is none. */
  readonly location: string
  /** The `Set-Cookie` lines. */
  readonly cookies: readonly string[]
}

/** What to send besides the method and URL. */
export interface Visit {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as a form. */
  readonly form?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** The request target, where it is not the URL's path: e.g. a whole URL, as a proxy is sent. */
  readonly target?: string
}

/**
 * A browser as far as HTTP sees one: keeps cookies by host, sends the headers of a navigation, follows redirects only
 * when told to. Cookies know nothing of ports, here as in a real browser.
 */
export class CookieBrowser {
  readonly jar = new Map<string, string>()
  readonly #navigation = {
    Accept: 'text/html,application/xhtml+xml',
    'Sec-Fetch-Mode': 'navigate',
    'Sec-Fetch-Dest': 'document',
    'User-Agent': 'CookieBrowser/1.0 (tests)',
  }

  async visit(url: string, { method = 'GET', headers = {}, form, signal, target }: Visit = {}): Promise<Answer> {
    const cookie = [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const all: Record<string, string> = {
      ...this.#navigation,
      ...(cookie === '' ? {} : { Cookie: cookie }),
      ...headers,
    }
    const body = form === undefined ? undefined : new URLSearchParams(form).toString()
    if (body !== undefined) all['Content-Type'] ??= 'application/x-www-form-urlencoded'
    const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))
    const given = { ...(signal ? { signal } : {}), ...(target === undefined ? {} : { path: target }) }
    const answer = await exchange(url, { method, headers: sent, ...given }, body)
    const cookies = answer.headers['set-cookie'] ?? []
    for (const line of cookies) this.#keep(line)
    const { location } = answer.headers
    return {
      status: answer.status,
      headers: new Headers(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])),
      text: answer.text,
      url,
      location: location === undefined ? '' : new URL(location, url).href,
      cookies,
    }
  }

  /** Visits and follows redirects, and pages that go on by themselves, as a person sees it. */
  async go(url: string, visit: Visit = {}): Promise<Answer> {
    let answer = await this.visit(url, visit)
    for (let hops = 0; nextOf(answer) !== '' && hops < 20; hops += 1) answer = await this.visit(nextOf(answer))
    return answer
  }

  /** The same cookies in another tab. Later changes in either are the other's too. */
  clone(): CookieBrowser {
    const copy = new CookieBrowser()
    for (const [name, value] of this.jar) copy.jar.set(name, value)
    return copy
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
    const equals = pair.indexOf('=')
    const name = pair.slice(0, equals)
    const gone = attributes.some((attribute) => /^(expires=Thu, 01 Jan 1970|max-age=0$)/i.test(attribute))
    if (gone) this.jar.delete(name)
    else this.jar.set(name, pair.slice(equals + 1))
  }
}

/** Where a browser goes from here without being asked; `''` where it stays. */
export function nextOf({ location, text }: Answer): string {
  const refresh = /<meta http-equiv="refresh" content="0; url=([^"]+)">/.exec(text)?.[1] ?? ''
  return location === '' ? refresh.replaceAll('&amp;', '&') : location
}

interface Exchanged {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Not fetch: that one says `Sec-Fetch-Mode: cors` whatever it is told. */
function exchange(url: string, options: RequestOptions, body: string | undefined): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { ...options, agent: false }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString() }),
      )
    })
    request.on('error', reject)
    request.end(body)
  })
}
