import { isPlainObject } from './guards.js'

/** The form of Node's codes. Anything else may not go into a log: an app's `fetch` can throw anything. */
const FORM_OF_CODE = /^[A-Z][A-Z0-9_]{2,60}$/

/** The `code` of an error of Node (`ENOENT`, `EACCES`); `unknown` if it has none. */
export function errorCode(error: unknown): string {
  return codeOf(error) ?? 'unknown'
}

/**
 * The code of a failed fetch (`ECONNREFUSED`, `UND_ERR_SOCKET`): its own, or its cause's, where undici puts it. Never
 * the message, which may quote what was sent. `connection failed` if there is no code.
 */
export function networkCode(error: unknown): string {
  const cause = isPlainObject(error) ? error['cause'] : undefined
  return codeOf(error) ?? codeOf(cause) ?? 'connection failed'
}

// Not `instanceof Error`: in Jest and `node:vm` the errors of fetch come from another realm.
function codeOf(error: unknown): string | undefined {
  const code = isPlainObject(error) ? error['code'] : undefined
  return typeof code === 'string' && FORM_OF_CODE.test(code) ? code : undefined
}
