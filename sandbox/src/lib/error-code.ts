import { isJsonObject } from './json.js'

/** The `code` of a system error. Not by `instanceof Error`: under Jest, Node's own errors come from another realm. */
export function errorCodeOf(error: unknown): string | undefined {
  const code = isJsonObject(error) ? error['code'] : undefined
  return typeof code === 'string' ? code : undefined
}
