import type { ServerResponse } from 'node:http'
import { type CookieSerializeOptions, serialize } from 'cookie'
import { beforeHeaders } from '../lib/before-headers.js'
import { audienceOf, keepPrivate } from './audience.js'

/*
 * Writes the small cookies of a sign-in, using only what every Node answer has: on an upgrade there is no `res.cookie`,
 * and sometimes only an object that stands in for an answer.
 */

/** `must`: the answer becomes private; `may`: the cookie is left out of an answer that others may receive. */
type Urgency = 'must' | 'may'

/**
 * Cookies of ours on an answer, by name. Not a part of `Visit`: with the app's own session there is none, login sets its cookie
 * before a session is looked up, and several instances may set cookies on one answer.
 */
const cookiesOf = new WeakMap<ServerResponse, Map<string, Urgency>>()

/** Puts a cookie on the answer. Does nothing if the headers have been sent, or if there are none to send. */
export function setCookie(
  res: ServerResponse,
  name: string,
  value: string,
  attributes: CookieSerializeOptions,
  urgency: Urgency = 'must',
): void {
  try {
    res.setHeader('Set-Cookie', [...cookieLines(res), serialize(name, value, attributes)])
  } catch {
    // The headers have been sent, or an object that stands in for an answer cannot hold any.
    return
  }
  const cookies = cookiesOf.get(res) ?? watchHeaders(res)
  if (cookies.get(name) !== 'must') cookies.set(name, urgency)
}

/** Clears a cookie; `attributes` must be those it was set with. */
export function clearCookie(
  res: ServerResponse,
  name: string,
  attributes: CookieSerializeOptions,
  urgency: Urgency = 'must',
): void {
  setCookie(res, name, '', { ...attributes, expires: new Date(1) }, urgency)
}

/** The current `Set-Cookie` lines. */
export function cookieLines(res: ServerResponse): readonly string[] {
  return [res.getHeader('Set-Cookie') ?? []].flat().map(String)
}

/** Replaces the `Set-Cookie` lines. */
export function replaceCookieLines(res: ServerResponse, lines: readonly string[]): void {
  if (lines.length > 0) res.setHeader('Set-Cookie', lines)
  else res.removeHeader('Set-Cookie')
}

/** The name of the cookie that a `Set-Cookie` line is about. */
export function cookieNameOf(line: string): string {
  return line.slice(0, line.indexOf('=')).trim()
}

/** Whether headers can be set on this answer. */
export function canSetHeaders(res: ServerResponse): boolean {
  return !res.headersSent && typeof res.setHeader === 'function'
}

function watchHeaders(res: ServerResponse): Map<string, Urgency> {
  const cookies = new Map<string, Urgency>()
  cookiesOf.set(res, cookies)
  beforeHeaders(res, () => {
    const lines = cookieLines(res)
    const urgencies = lines.map((line) => cookies.get(cookieNameOf(line)))
    if (urgencies.includes('must')) return keepPrivate(res, 'no-store')
    if (!urgencies.includes('may')) return
    if (audienceOf(res) !== 'everyone') return keepPrivate(res, 'private')
    replaceCookieLines(
      res,
      lines.filter((line) => !cookies.has(cookieNameOf(line))),
    )
  })
  return cookies
}
