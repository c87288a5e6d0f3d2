/** Something that is remembered about a request for as long as the request lives. */
export interface RequestNote<T> {
  of(req: object): T | undefined
  set(req: object, value: T): void
}

/**
 * A symbol on the request itself: each garbage collection goes through all entries of a `WeakMap`, and every request would
 * add one.
 * @param name shown by `util.inspect`
 */
export function createRequestNote<T>(name: string): RequestNote<T> {
  const key = Symbol(name)
  return {
    of: (req) => (req as { readonly [key]?: T })[key],
    set: (req, value) => {
      ;(req as { [key]?: T })[key] = value
    },
  }
}
