/* What the database returns is `unknown` until it has been checked. */

/** A column of a row; `undefined` where there is none. */
export function member(row: unknown, name: string): unknown {
  return typeof row === 'object' && row !== null ? Reflect.get(row, name) : undefined
}
