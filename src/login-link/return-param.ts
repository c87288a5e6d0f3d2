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
