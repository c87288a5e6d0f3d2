import { isWholeNumber } from '../lib/guards.js'
import type { PpoppoFetch } from '../lib/http.js'
import { LABEL_KEYS, PAGE_KINDS, PAGE_TEXT_KEYS } from '../pages/text-types.js'
import { faultOfAuthorizationParams } from './authorization-params.js'
import { checkKeys, type Faults } from './environment-variables.js'
import type { Config, PpoppoOptions } from './options.js'
import { isCleanText } from './urls.js'

const DAY_MS = 86_400_000
const TEN_YEARS_MS = 3_650 * DAY_MS
const DEFAULT_IDLE_MS = 30 * DAY_MS
const DEFAULT_ABSOLUTE_MS = 180 * DAY_MS
const DEFAULT_RATE_LIMIT = { loginPerMinute: 120, failuresPerMinute: 30 } as const

/** The id of the login client; `''` without one. */
export function parseClientId(value: unknown, faults: Faults): string {
  if (value === undefined) {
    faults.addMissing('clientId', 'is required: the id of your login client, registered at Ppoppo')
  } else if (!isCleanText(value) || !/^[\x21-\x7e]{1,200}$/.test(value)) {
    faults.add('clientId', 'must be the id of your login client: 1 to 200 visible ASCII characters, no spaces')
  }
  return typeof value === 'string' ? value : ''
}

/** RFC 6749 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ), separated by spaces. */
export function parseScope(value: unknown, faults: Faults): readonly string[] {
  const tokens: unknown[] = typeof value === 'string' ? value.split(' ').filter((token) => token !== '') : toList(value)
  const isValid = tokens.every((token) => typeof token === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(token))
  const scope = [...new Set(tokens as string[])]
  if (!isValid) faults.add('scope', 'must be scope names, separated by spaces or as a list (RFC 6749 3.3)')
  else if (!scope.includes('openid') || !scope.includes('profile')) {
    faults.add('scope', 'must include openid and profile: without them nobody can be identified')
  }
  return scope
}

/** One line of visible text: Hangul fillers are invisible, and no character may reverse the line around the name. */
export function parseAppName(value: unknown, faults: Faults): string | undefined {
  if (value === undefined) return undefined
  const name = typeof value === 'string' ? value.normalize('NFC').trim() : ''
  const isOneLine = !/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(name)
  if (isOneLine && /(?![\u115f\u1160\u3164\uffa0])[\p{L}\p{N}]/u.test(name) && [...name].length <= 60) return name
  return faults.add('appName', 'must be the name of your site: 1 to 60 characters on one line, with a letter or digit')
}

/** A copy of the parameters of the authorization request, or a function that returns them. */
export function parseAuthorizationParams(
  value: PpoppoOptions['authorizationParams'],
  faults: Faults,
): Pick<Config, 'authorizationParams'> {
  if (value === undefined || typeof value === 'function')
    return value === undefined ? {} : { authorizationParams: value }
  const fault = faultOfAuthorizationParams(value)
  if (fault === undefined) return { authorizationParams: { ...value } }
  faults.add(fault.name === '' ? 'authorizationParams' : `authorizationParams.${fault.name}`, fault.problem)
  return {}
}

/** No braces (Redis Cluster would read them as a hash tag) and no characters of a glob pattern. */
export function parseKeyPrefix(value: unknown, faults: Faults): string {
  if (isCleanText(value) && value.length <= 100 && !/[{}*?[\]\\]/.test(value)) return value
  faults.add('keyPrefix', 'must be a string of 1 to 100 characters without spaces and without any of {}*?[]\\')
  return ''
}

/** Lifetimes and cookie of the library's own session. */
export function parseSession(
  value: unknown,
  isHttps: boolean | undefined,
  faults: Faults,
): Pick<Config, 'ownSession' | 'idleMs' | 'absoluteMs' | 'cookieName'> {
  const given = value === false ? {} : toRecord('session', value, ['idleMs', 'absoluteMs', 'cookieName'], faults)
  const absoluteMs = lifetime('session.absoluteMs', given['absoluteMs'], DEFAULT_ABSOLUTE_MS, faults)
  const idleMs = lifetime('session.idleMs', given['idleMs'], Math.min(DEFAULT_IDLE_MS, absoluteMs), faults)
  if (idleMs > absoluteMs)
    faults.add('session.idleMs', 'must not be larger than "session.absoluteMs" (default 180 days)')
  const cookieName = parseCookieName(given['cookieName'], isHttps, faults)
  return { ownSession: value !== false, idleMs, absoluteMs, ...(cookieName === undefined ? {} : { cookieName }) }
}

function lifetime(option: string, value: unknown, fallback: number, faults: Faults): number {
  const number = positiveInteger(option, value, fallback, faults)
  if (number < 1_000) faults.add(option, 'must be 1000 or more: it is in milliseconds')
  if (number > TEN_YEARS_MS) faults.add(option, 'must not be longer than ten years: it is in milliseconds')
  return number
}

/** RFC 6265 token. With the `__Host-` prefix, browsers guarantee that no other host has set the cookie. */
function parseCookieName(value: unknown, isHttps: boolean | undefined, faults: Faults): string | undefined {
  if (value === undefined) return undefined
  const option = 'session.cookieName'
  if (typeof value !== 'string' || !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/.test(value)) {
    return faults.add(option, 'must be a cookie name: 1 to 64 letters, digits and -_. (RFC 6265)')
  }
  if (isHttps === true && !/^__Host-./.test(value)) return faults.add(option, 'must begin with "__Host-" on https')
  if (isHttps === false && /^__(host|secure)-/i.test(value)) {
    return faults.add(option, 'must not begin with "__Host-" or "__Secure-" on http: browsers would drop the cookie')
  }
  return value
}

/** Names of the session keys that a sign-in keeps. */
export function parseKeepAnonymous(value: unknown, faults: Faults): readonly string[] {
  if (value === undefined) return []
  const keys = toList(value)
  if (keys.every((key) => typeof key === 'string' && key !== '' && key !== 'cookie' && key !== '__proto__')) {
    return [...new Set(keys as string[])]
  }
  faults.add('keepAnonymous', 'must be a list of session keys; "cookie" cannot be one of them')
  return []
}

/** Limits per minute and address. The variable can only be `off`. */
export function parseRateLimit(option: unknown, variable: unknown, faults: Faults): Config['rateLimit'] {
  if (option === undefined && variable !== undefined) {
    if (variable !== 'off') faults.add('rateLimit', 'can only be "off" in the environment; set numbers in code')
    return false
  }
  if (option === false) return false
  const given = toRecord('rateLimit', option, Object.keys(DEFAULT_RATE_LIMIT), faults)
  const limit = (name: keyof typeof DEFAULT_RATE_LIMIT): number =>
    positiveInteger(`rateLimit.${name}`, given[name], DEFAULT_RATE_LIMIT[name], faults)
  return { loginPerMinute: limit('loginPerMinute'), failuresPerMinute: limit('failuresPerMinute') }
}

/** A copy of the app's texts: every key is known, and every text is a string. */
export function parseTexts(value: unknown, faults: Faults): Config['texts'] {
  const texts: Record<string, Record<string, unknown>> = {}
  for (const [language, given] of Object.entries(toRecord('texts', value, undefined, faults))) {
    if (!/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(language)) {
      faults.add('texts', 'must have languages as keys, such as "en", "ko" or "pt-BR"')
      continue
    }
    const { pages, ...labels } = toRecord(`texts.${language}`, given, [...LABEL_KEYS, 'pages'], faults)
    const path = `texts.${language}.pages`
    const copy = Object.entries(toRecord(path, pages, PAGE_KINDS, faults)).map(([kind, page]) => {
      return [kind, onlyTexts(`${path}.${kind}`, toRecord(`${path}.${kind}`, page, PAGE_TEXT_KEYS, faults), faults)]
    })
    texts[language] = { ...onlyTexts(`texts.${language}`, labels, faults), pages: Object.fromEntries(copy) }
  }
  return texts
}

function onlyTexts(path: string, given: Readonly<Record<string, unknown>>, faults: Faults): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const [key, text] of Object.entries(given)) {
    if (text === undefined) continue
    if (typeof text === 'string' && text.trim() !== '') texts[key] = text
    else if (/^\w{1,30}$/.test(key)) faults.add(`${path}.${key}`, 'must be a non-empty string')
  }
  return texts
}

/** An optional function. */
export function parseFunction<Name extends 'onSignIn' | 'onSignOut' | 'onEvent'>(
  name: Name,
  options: PpoppoOptions,
  faults: Faults,
): Partial<Pick<Config, Name>> {
  const value: unknown = options[name]
  if (value === undefined) return {}
  if (typeof value !== 'function') faults.add(name, 'must be a function')
  return { [name]: value } as Partial<Pick<Config, Name>>
}

/** An optional `fetch` of the app. */
export function parseFetch(value: unknown, faults: Faults): { readonly fetch?: PpoppoFetch } {
  if (value === undefined) return {}
  if (typeof value !== 'function') faults.add('fetch', 'must be a function that responds like fetch')
  return { fetch: value as PpoppoFetch }
}

/** A boolean, or its default. */
export function parseBoolean(option: string, value: unknown, fallback: boolean, faults: Faults): boolean {
  if (value !== undefined && typeof value !== 'boolean') faults.add(option, 'must be true or false')
  return typeof value === 'boolean' ? value : fallback
}

function positiveInteger(option: string, value: unknown, fallback: number, faults: Faults): number {
  if (value === undefined) return fallback
  if (isWholeNumber(value, 1)) return value
  faults.add(option, 'must be a positive integer')
  return fallback
}

/** An object with known keys only; `undefined` becomes an empty one. */
function toRecord(
  option: string,
  value: unknown,
  known: readonly string[] | undefined,
  faults: Faults,
): Readonly<Record<string, unknown>> {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    faults.add(option, 'must be an object')
    return {}
  }
  if (known !== undefined) checkKeys(value, known, `${option}.`, faults)
  return value as Readonly<Record<string, unknown>>
}

/** A list as it is; anything else becomes a list that fails every check. */
function toList(value: unknown): readonly unknown[] & unknown[] {
  return Array.isArray(value) ? value : [undefined]
}
