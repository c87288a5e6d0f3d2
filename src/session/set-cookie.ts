import type { ServerResponse } from 'node:http'
import { type SerializeOptions, stringifySetCookie } from 'cookie'

/*
 * Writes cookies with what every answer of Node has: on an upgrade there is no `res.cookie`, and sometimes only an object
 * that stands in for an answer.
 */

/** Puts a cookie on the answer. Where the headers have left, or there are none to send, nothing happens. */
export function setCookie(res: ServerResponse, name: string, value: string, attributes: SerializeOptions): void {
  append(res, stringifySetCookie(name, value, attributes))
}

/** Takes a cookie out of the browser; `attributes` as it was set. */
export function clearCookie(res: ServerResponse, name: string, attributes: SerializeOptions): void {
  setCookie(res, name, '', { ...attributes, expires: new Date(1) })
}

/** The `Set-Cookie` lines as they stand. */
export function cookieLines(res: ServerResponse): readonly string[] {
  return [res.getHeader('Set-Cookie') ?? []].flat().map(String)
}

/** Whether headers can be set on this answer. */
export function canSetHeaders(res: ServerResponse): boolean {
  return !res.headersSent && typeof res.setHeader === 'function'
}

function append(res: ServerResponse, line: string): void {
  try {
    res.setHeader('Set-Cookie', [...cookieLines(res), line])
  } catch {
    // The headers have left; or what stands in for an answer has no place for any.
  }
}
