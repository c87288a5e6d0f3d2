/** The parts of a request that say what it asks for. Only Express sets all of them. */
export interface AskedFor {
  readonly url?: string
  readonly originalUrl?: string
}

/**
 * The request target as path and query, as it came: without scheme and host where it is in absolute form, which every
 * server must take (RFC 9112 3.2.2).
 *
 * @example targetOf({ url: 'http://app.example/me?a=1' }) // '/me?a=1'
 */
export function targetOf(req: AskedFor): string {
  return toOriginForm(req.originalUrl ?? req.url ?? '/')
}

/** A target in absolute form as path and query; any other as it is. */
export function toOriginForm(target: string): string {
  if (target.startsWith('/')) return target
  const rest = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** The path of a target in origin form. */
export function pathOf(target: string): string {
  const end = target.search(/[?#]/)
  return end < 0 ? target : target.slice(0, end)
}

/** Whether `path` is `base` or lies below it, as Express compares: in any case of letters. `''` is the root. */
export function isUnderPath(path: string, base: string): boolean {
  return path.length === base.length
    ? path.toLowerCase() === base.toLowerCase()
    : path[base.length] === '/' && path.slice(0, base.length).toLowerCase() === base.toLowerCase()
}
