/** The parts of a request that hold its target. Only Express sets both. */
export interface AskedFor {
  readonly url?: string
  readonly originalUrl?: string
}

/**
 * The path and query of a request, unchanged. Drops scheme and host if the target is in absolute form, which every server
 * must accept (RFC 9112 3.2.2).
 *
 * @example targetOf({ url: 'http://app.example/me?a=1' }) // '/me?a=1'
 */
export function targetOf(req: AskedFor): string {
  return toOriginForm(req.originalUrl ?? req.url ?? '/')
}

/** Turns a target in absolute form into path and query; leaves any other as it is. */
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

/** Whether `path` is `base` or lies below it. Case-insensitive, as Express compares. `''` is the root. */
export function isUnderPath(path: string, base: string): boolean {
  return path.length === base.length
    ? path.toLowerCase() === base.toLowerCase()
    : path[base.length] === '/' && path.slice(0, base.length).toLowerCase() === base.toLowerCase()
}
