import type { Config } from '../config/options.js'

/**
 * Maximum length of a `return_to`, both as received and as sent. It is sent in `Location`, and nginx accepts 4 KB of
 * response headers by default (`proxy_buffer_size`), cookies and security headers included.
 */
export const MAX_RETURN_TO_LENGTH = 2_560

/** What the check of a `return_to` needs. */
export interface ReturnToParts {
  readonly config: Pick<Config, 'origin' | 'mountPath' | 'allowedReturnOrigins'> & Partial<Pick<Config, 'homeUrl'>>
  /** Restores a prefix that a proxy has stripped from a path. @default the path as it is */
  readonly toPublicPath?: (path: string) => string
}

/**
 * Checks where a browser may go after a sign-in or sign-out: to the app's own origin, or to one on the allow-list.
 * @returns an absolute URL; the app's home for anything foreign, malformed, too long, or under the routes themselves
 * (a loop). Never throws.
 */
export function createReturnTo({ config, toPublicPath = (path) => path }: ReturnToParts): (wanted: unknown) => string {
  const home = config.homeUrl ?? `${config.origin}/`
  const mount = config.mountPath.toLowerCase()

  function isUnderMount(pathname: string): boolean {
    const path = decoded(pathname).toLowerCase()
    return path === mount || path.startsWith(`${mount}/`)
  }

  return (wanted) => {
    if (typeof wanted !== 'string' || wanted.length > MAX_RETURN_TO_LENGTH || hasTricks(wanted)) return home
    const isPath = wanted.startsWith('/')
    if (!isPath && !/^https?:\/\/[^/]/i.test(wanted)) return home
    if (!URL.canParse(wanted, config.origin)) return home
    const url = new URL(wanted, config.origin)
    if (url.username !== '' || url.password !== '') return home
    // Checked after normalising: `/.//e` and `/a/..//e` become `//e`, which a browser reads as another host.
    if (/^\/[/\\]/.test(decoded(url.pathname))) return home
    // An absolute URL already has the public path.
    if (isPath && !wanted.startsWith('//')) url.pathname = toPublicPath(url.pathname)
    if (url.href.length > MAX_RETURN_TO_LENGTH) return home
    if (url.origin === config.origin) return isUnderMount(url.pathname) ? home : url.href
    return !isPath && config.allowedReturnOrigins.includes(url.origin) ? url.href : home
  }
}

/** URL parsers drop control characters and spaces, and read a backslash as a slash. */
function hasTricks(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
  return /[\u0000-\u0020\u007f\\]/.test(text)
}

/** The path as a lenient proxy may read it. Escapes are decoded one by one, so that a broken one does not hide another. */
function decoded(pathname: string): string {
  return pathname.replaceAll(/%([0-7][0-9a-f])/gi, (_escape, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

/**
 * Decodes the escaped letters of a path, to keep it short in a query: a query escapes each `%` again, which turns the nine
 * characters of a Hangul syllable into fifteen. A URL parser makes the same path of it.
 *
 * @example compactPath('/%EC%83%81%EC%A0%90?a=%2F') // '/상점?a=%2F'
 */
function compactPath(path: string): string {
  return path.replaceAll(/(?:%[89A-F][0-9A-F])+/g, (escaped) => {
    try {
      const text = decodeURIComponent(escaped)
      // What a URL parser leaves unescaped or drops must stay escaped.
      return encodeURIComponent(text) === escaped && /^[\p{L}\p{M}\p{N}\p{P}\p{S}]+$/u.test(text) ? text : escaped
    } catch {
      return escaped
    }
  })
}

/** A `return_to` parameter: the shortest text that login reads as `returnTo`, which is absolute and already checked. */
export function toReturnParam(returnTo: string, origin: string, toReturnTo: (wanted: unknown) => string): string {
  const path = returnTo.slice(origin.length)
  return [compactPath(path), path].find((short) => toReturnTo(short) === returnTo) ?? returnTo
}
