import type { Config } from '../config/options.js'

/**
 * The longest `return_to` that is kept, as it came and as it goes out. It leaves in a `Location`, and nginx passes on 4 KB of
 * headers by default (`proxy_buffer_size`), of which cookies and security headers take their part.
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
    // Judged after normalising: `/.//e` and `/a/..//e` become `//e`, which a browser takes for another host.
    if (/^\/[/\\]/.test(decoded(url.pathname))) return home
    // An absolute URL is public already.
    if (isPath && !wanted.startsWith('//')) url.pathname = toPublicPath(url.pathname)
    if (url.href.length > MAX_RETURN_TO_LENGTH) return home
    if (url.origin === config.origin) return isUnderMount(url.pathname) ? home : url.href
    return !isPath && config.allowedReturnOrigins.includes(url.origin) ? url.href : home
  }
}

/** Control characters and blanks are dropped by URL parsers, and a backslash is read as a slash: neither is let in. */
function hasTricks(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return /[\u0000-\u0020\u007f\\]/.test(text)
}

/** The path as a lenient server in between may read it. Escapes are read one by one: a broken one hides no other. */
function decoded(pathname: string): string {
  return pathname.replaceAll(/%([0-7][0-9a-f])/gi, (_escape, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

/**
 * A path with its escaped letters written out, as short as a query can carry it: within a query each `%` is escaped once
 * more, and a Hangul syllable of nine characters would be fifteen. A URL parser makes the very same path of it.
 *
 * @example compactPath('/%EC%83%81%EC%A0%90?a=%2F') // '/상점?a=%2F'
 */
function compactPath(path: string): string {
  return path.replaceAll(/(?:%[89A-F][0-9A-F])+/g, (escaped) => {
    try {
      const text = decodeURIComponent(escaped)
      // What a URL parser leaves alone or drops must stay escaped.
      return encodeURIComponent(text) === escaped && /^[\p{L}\p{M}\p{N}\p{P}\p{S}]+$/u.test(text) ? text : escaped
    } catch {
      return escaped
    }
  })
}

/** A `return_to` for a URL: the shortest text that login reads as the place `returnTo`, which is absolute and judged. */
export function toReturnParam(returnTo: string, origin: string, toReturnTo: (wanted: unknown) => string): string {
  const path = returnTo.slice(origin.length)
  return [compactPath(path), path].find((short) => toReturnTo(short) === returnTo) ?? returnTo
}
