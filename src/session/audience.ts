import type { ServerResponse } from 'node:http'

/*
 * Who may receive an answer. If a cache serves an answer with a session cookie to the next visitor, that visitor
 * becomes somebody else.
 */

/** What the headers allow: anybody, only the requester, or unsaid: then shared caches may guess (RFC 9111 4.2.2). */
export type Audience = 'everyone' | 'unsaid' | 'one'

/** Headers for one kind of shared cache, which obeys them instead of `Cache-Control` (RFC 9213, and older ones). */
const TARGETED = /^(.+-cache-control|surrogate-control|edge-control|x-accel-expires)$/i
/** After these a cache keeps nothing. */
const BANS = ['no-store', 'private', 'bypass-cache', 'off', '0']
/** With these a cache may store a response and revalidate it: after a 304 it serves the stored one, cookies too. */
const WEAK = ['no-cache', 'max-age=0', 'maxage=0']

export function audienceOf(res: ServerResponse): Audience {
  const targeted = targetedNames(res).map((name) => restrictionOf(headerOf(res, name)))
  if (targeted.includes('none')) return 'everyone'
  const directives = parseDirectives(headerOf(res, 'Cache-Control'))
  // A cache that has a header of its own ignores `Cache-Control`.
  if (directives.get('private') === '' || directives.has('no-store'))
    return targeted.includes('weak') ? 'unsaid' : 'one'
  if (['public', 's-maxage', 'immutable'].some((name) => directives.has(name))) return 'everyone'
  if (['max-age', 'stale-while-revalidate'].some((name) => isLong(directives.get(name)))) return 'everyone'
  return Date.parse(headerOf(res, 'Expires')) > Date.now() ? 'everyone' : 'unsaid'
}

function restrictionOf(targeted: string): 'ban' | 'weak' | 'none' {
  const words = targeted
    .trim()
    .toLowerCase()
    .split(/[\s,;]+/)
  if (words.some((word) => BANS.includes(word))) return 'ban'
  const isLonger = words.some((word) => /^(?:s-maxage|stale-while-revalidate)=(?!0+$)/.test(word))
  return !isLonger && words.some((word) => WEAK.includes(word)) ? 'weak' : 'none'
}

/**
 * Makes an answer private to the requester, even if something sets these headers later, because listeners that were
 * registered before ours run after it.
 * @param how `no-store` if the answer may have been meant for everyone; `private` leaves the browser's own cache alone
 */
export function keepPrivate(res: ServerResponse, how: 'private' | 'no-store'): void {
  if (audienceOf(res) !== 'one') {
    for (const name of targetedNames(res)) {
      if (how === 'no-store' || restrictionOf(headerOf(res, name)) !== 'ban') res.removeHeader(name)
    }
    if (how === 'no-store') res.removeHeader('Expires')
    const rest = how === 'no-store' ? 'no-store' : headerOf(res, 'Cache-Control')
    const isPrivate = parseDirectives(rest).get('private') === ''
    res.setHeader('Cache-Control', rest === '' ? 'private' : isPrivate ? rest : `private, ${rest}`)
  }
  for (const method of ['setHeader', 'appendHeader', 'removeHeader'] as const) lock(res, method)
}

function lock(res: ServerResponse, method: 'setHeader' | 'appendHeader' | 'removeHeader'): void {
  const original: unknown = Reflect.get(res, method)
  if (typeof original !== 'function') return
  Object.defineProperty(res, method, {
    configurable: true,
    writable: true,
    value: (...args: unknown[]): unknown => {
      const isAboutCaching = /^(cache-control|expires)$/i.test(String(args[0])) || TARGETED.test(String(args[0]))
      return isAboutCaching && !res.headersSent ? res : Reflect.apply(original, res, args)
    },
  })
}

function targetedNames(res: ServerResponse): readonly string[] {
  // An object that stands in for an answer may not be able to list them.
  return (res.getHeaderNames?.() ?? []).filter((name) => TARGETED.test(name))
}

function headerOf(res: ServerResponse, name: string): string {
  return [res.getHeader(name) ?? []].flat().join(', ')
}

/** Name -> argument, '' without one. Do not rely on `private="Set-Cookie"`: many caches do not know the argument. */
function parseDirectives(header: string): ReadonlyMap<string, string> {
  const found = header.toLowerCase().matchAll(/([^\s,;="]+)(?:\s*=\s*(?:"([^"]*)"?|([^\s,;"]*)))?/g)
  return new Map([...found].map(([, name = '', quoted, plain]) => [name, quoted ?? plain ?? '']))
}

function isLong(seconds: string | undefined): boolean {
  return seconds !== undefined && Number(seconds) !== 0
}
