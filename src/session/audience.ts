import type { ServerResponse } from 'node:http'

/*
 * Who may be given an answer. A cookie that leaves with one that a cache gives to the next visitor makes that visitor
 * somebody else.
 */

/** As the headers say: whoever asks, the one who asked, or nothing is said, and then a shared cache may guess (RFC 9111 4.2.2). */
export type Audience = 'everyone' | 'unsaid' | 'one'

/** Headers for one kind of shared cache, which obeys them instead of `Cache-Control` (RFC 9213, and older ones). */
const TARGETED = /^(.+-cache-control|surrogate-control|edge-control|x-accel-expires)$/i
/** After these a cache keeps nothing. */
const BANS = ['no-store', 'private', 'bypass-cache', 'off', '0']
/** With these it may store a response that it revalidates every time: after a 304 it serves what it stored, cookies included. */
const WEAK = ['no-cache', 'max-age=0', 'maxage=0']

export function audienceOf(res: ServerResponse): Audience {
  const targeted = targetedNames(res).map((name) => restrictionOf(headerOf(res, name)))
  if (targeted.includes('none')) return 'everyone'
  const directives = parseDirectives(headerOf(res, 'Cache-Control'))
  // Who reads a header of its own does not read this one.
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
 * Keeps an answer from everybody but the one who asked, whatever sets these headers later: listeners that were there
 * before us run after us.
 * @param how `no-store` where it may have been meant for everyone; `private` leaves the browser's own cache as it was
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

/** Name -> argument, '' without one. A `private="Set-Cookie"` with an argument is no promise: many caches do not know it. */
function parseDirectives(header: string): ReadonlyMap<string, string> {
  const found = header.toLowerCase().matchAll(/([^\s,;="]+)(?:\s*=\s*(?:"([^"]*)"?|([^\s,;"]*)))?/g)
  return new Map([...found].map(([, name = '', quoted, plain]) => [name, quoted ?? plain ?? '']))
}

function isLong(seconds: string | undefined): boolean {
  return seconds !== undefined && Number(seconds) !== 0
}
