import type { ServerResponse } from 'node:http'

/*
 * Who may be given an answer. A cookie that leaves with one that a cache gives to the next visitor makes that visitor
 * somebody else.
 */

/** As the headers say: whoever asks, the one who asked, or nothing is said, and then a shared cache may guess (RFC 9111 4.2.2). */
export type Audience = 'everyone' | 'unsaid' | 'one'

/** Headers for one kind of shared cache, which takes them in the place of `Cache-Control` (RFC 9213, and older ones). */
const TARGETED = /^(.+-cache-control|surrogate-control|edge-control|x-accel-expires)$/i
const RESTRICTIONS = ['no-store', 'private', 'no-cache', 'bypass-cache', 'max-age=0', 'maxage=0']

export function audienceOf(res: ServerResponse): Audience {
  const targeted = targetedNames(res).map((name) => headerOf(res, name))
  if (targeted.some((value) => !isRestricted(value))) return 'everyone'
  const directives = parseDirectives(headerOf(res, 'Cache-Control'))
  if (directives.get('private') === '' || directives.has('no-store')) return 'one'
  if (['public', 's-maxage', 'immutable'].some((name) => directives.has(name))) return 'everyone'
  if (['max-age', 'stale-while-revalidate'].some((name) => isLong(directives.get(name)))) return 'everyone'
  return Date.parse(headerOf(res, 'Expires')) > Date.now() ? 'everyone' : 'unsaid'
}

function isRestricted(targeted: string): boolean {
  const value = targeted.trim().toLowerCase()
  return value === '0' || value === 'off' || value.split(/[\s,;]+/).some((word) => RESTRICTIONS.includes(word))
}

/**
 * Keeps an answer from everybody but the one who asked, whatever sets these headers later: listeners that were there
 * before us run after us.
 * @param how `no-store` where it may have been meant for everyone; `private` leaves the browser's own cache as it was
 */
export function keepPrivate(res: ServerResponse, how: 'private' | 'no-store'): void {
  if (audienceOf(res) !== 'one') {
    if (how === 'no-store') for (const name of [...targetedNames(res), 'Expires']) res.removeHeader(name)
    const rest = how === 'no-store' ? 'no-store' : headerOf(res, 'Cache-Control')
    res.setHeader('Cache-Control', rest === '' ? 'private' : `private, ${rest}`)
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
