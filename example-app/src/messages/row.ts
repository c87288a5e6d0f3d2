/* What the database gives is `unknown` until somebody has looked. */

/** A column of a row; `undefined` where there is none. */
export function member(row: unknown, name: string): unknown {
  return typeof row === 'object' && row !== null ? Reflect.get(row, name) : undefined
}
