import { createHmac, timingSafeEqual } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { type CookieSerializeOptions, parse as parseCookie, serialize } from 'cookie'
import type { Request } from 'express'
import type { Session } from 'express-session'
import { TextCache } from '../lib/text-cache.js'
import type { CookieNames } from './cookie-names.js'
import { cookieLines, cookieNameOf } from './set-cookie.js'

/** The session that a cookie names. */
export interface NamedSession {
  readonly id: string
  /** Whether the cookie came only under its former name. */
  readonly isFormer: boolean
}

/** The cookie that names a session. */
export interface SessionCookie {
  /** Whether this browser sent it, valid or not. */
  isSentBy(req: Request): boolean
  /** The session it names, if one of the secrets has signed it. */
  read(req: Request, secrets: readonly string[]): NamedSession | undefined
  /** The `Set-Cookie` lines of an answer that set other cookies, or clear this one. */
  others(res: ServerResponse): readonly string[]
  /** The line for a session; `undefined` if the app's cookie settings make it impossible to write one. */
  lineFor(session: Session, secret: string): string | undefined
  /** The lines that clear the cookie of a session, under both its names. */
  clearing(req: Request, sid: string): readonly string[]
  /** The line that clears the cookie under its former name, if it belongs to this session. */
  clearingFormer(req: Request, sid: string): readonly string[]
}

/** What {@link createSessionCookie} is made of. */
export interface SessionCookieParts {
  readonly names: CookieNames
  /** Whether browsers reach the app by https. Configured, not guessed from a request. */
  readonly isHttps: boolean
}

/** The signed form: package cookie-signature, with express-session's prefix. */
const SIGNED = /^s:(.+)\.([^.]*)$/s
/** Each cache holds up to twice as many: cookies of some 10,000 sessions. See {@link TextCache}. */
const MAX_PROVEN_CHARACTERS = 1_000_000

export function createSessionCookie({
  names: { session: name, formerSession: former },
  isHttps,
}: SessionCookieParts): SessionCookie {
  const proven = new TextCache<true>({ maxCharacters: MAX_PROVEN_CHARACTERS })
  /** What a whole `Cookie` header names, since browsers send the same one again and again. */
  const named = new TextCache<NamedSession>({ maxCharacters: MAX_PROVEN_CHARACTERS })
  const isSetting = (line: string): boolean => cookieNameOf(line) === name && !isClearing(line)
  const secured = (line: string): string => (isHttps && !/; Secure(;|$)/i.test(line) ? `${line}; Secure` : line)
  const gone = { httpOnly: true, sameSite: 'lax', path: '/', secure: isHttps, expires: new Date(1) } as const

  const names = former === undefined ? [name] : [name, former]

  /** Both values, as sent. Most requests of people without a session have no cookie of ours, and are not parsed. */
  function sentBy({ headers: { cookie } }: Request): {
    readonly current?: string | undefined
    readonly formerly?: string | undefined
  } {
    if (cookie === undefined || !names.some((one) => cookie.includes(one))) return {}
    const sent = parseCookie(cookie)
    return { current: sent[name], formerly: former && sent[former] }
  }

  const clearingFormer = (req: Request, sid: string): readonly string[] =>
    former !== undefined && sentBy(req).formerly?.startsWith(`s:${sid}.`) ? [serialize(former, '', gone)] : []

  function isProven(id: string, value: string, signature: string, secrets: readonly string[]): boolean {
    if (proven.get(id, value)) return true
    const isOurs = secrets.some((secret) => isSame(signature, signatureOf(id, secret)))
    if (isOurs) proven.set(ownCopy(id), ownCopy(value), true)
    return isOurs
  }

  return {
    isSentBy(req) {
      const { current, formerly } = sentBy(req)
      return (current ?? formerly) !== undefined
    },
    read(req, secrets) {
      const header = req.headers.cookie
      const known = header === undefined ? undefined : named.get(header, header)
      if (known) return known
      const { current, formerly } = sentBy(req)
      const value = current ?? formerly
      if (value === undefined) return undefined
      const [, id = '', signature = ''] = SIGNED.exec(value) ?? []
      if (!isProven(id, value, signature, secrets)) return undefined
      const found = { id, isFormer: current === undefined }
      if (header !== undefined) named.set(header, header, found)
      return found
    },
    others: (res) => cookieLines(res).filter((line) => !isSetting(line)),
    lineFor(session, secret) {
      try {
        // The form that express-session writes.
        const settings: CookieSerializeOptions = Object(Reflect.get(session.cookie, 'data'))
        const value = `s:${session.id}.${signatureOf(session.id, secret)}`
        proven.set(session.id, value, true) // the browser sends it back with its next request
        return secured(serialize(name, value, settings))
      } catch {
        return undefined
      }
    },
    clearing: (req, sid) => [serialize(name, '', gone), ...clearingFormer(req, sid)],
    clearingFormer,
  }
}

/** A part of a text keeps all of it in memory: here a whole `Cookie` header, which counts as long as its part does. */
function ownCopy(part: string): string {
  return Buffer.from(part).toString()
}

function signatureOf(sid: string, secret: string): string {
  return createHmac('sha256', secret).update(sid).digest('base64').replaceAll('=', '')
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function isClearing(line: string): boolean {
  return /; Expires=Thu, 01 Jan 1970/i.test(line)
}
