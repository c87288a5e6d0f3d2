import { createHmac } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { parseCookie, type SerializeOptions, stringifySetCookie } from 'cookie'
import type { Request } from 'express'
import type { Session } from 'express-session'
import type { CookieNames } from './cookie-names.js'
import { cookieLines, cookieNameOf } from './set-cookie.js'

type Done = (error?: unknown) => void

/** The cookie that names a session. */
export interface SessionCookie {
  /** Whether this browser sent it, valid or not. */
  isSentBy(req: Request): boolean
  /** The `Set-Cookie` lines of an answer that set other cookies, or clear this one. */
  others(res: ServerResponse): readonly string[]
  /** The line that express-session wrote, as it does for a new session with content. */
  offered(res: ServerResponse): string | undefined
  /** The line for a session; `undefined` if the app's cookie settings make it impossible to write one. */
  lineFor(session: Session, secret: string): string | undefined
  /** The lines that clear the cookie of a session, under both its names. */
  clearing(req: Request, sid: string): readonly string[]
  /** The line that clears the cookie under its former name, where it belongs to this session. */
  clearingFormer(req: Request, sid: string): readonly string[]
  /**
   * Runs `load`, which reads the cookie at once, with a cookie that came under the former name alone shown under its
   * name. `done` receives whether that was the case.
   */
  readUnderFormerName(
    req: Request,
    load: (done: Done) => void,
    done: (wasFormer: boolean, error?: unknown) => void,
  ): void
}

export function createSessionCookie(names: CookieNames, isHttps: boolean): SessionCookie {
  const { session: name, formerSession: former } = names
  const isSetting = (line: string): boolean => cookieNameOf(line) === name && !isClearing(line)
  // Whether a request came by https is configured, not guessed.
  const secured = (line: string): string => (isHttps && !/; Secure(;|$)/i.test(line) ? `${line}; Secure` : line)
  const gone = { httpOnly: true, sameSite: 'lax', path: '/', secure: isHttps, expires: new Date(1) } as const

  const sentAs = (req: Request, wanted: string | undefined): string | undefined =>
    wanted === undefined ? undefined : parseCookie(req.headers.cookie ?? '')[wanted]

  const clearingFormer = (req: Request, sid: string): readonly string[] =>
    former !== undefined && sentAs(req, former)?.startsWith(`s:${sid}.`) ? [stringifySetCookie(former, '', gone)] : []

  return {
    isSentBy: (req) => (sentAs(req, name) ?? sentAs(req, former)) !== undefined,
    others: (res) => cookieLines(res).filter((line) => !isSetting(line)),
    offered(res) {
      const line = cookieLines(res).findLast(isSetting)
      return line === undefined ? undefined : secured(line)
    },
    lineFor(session, secret) {
      try {
        // As express-session writes it.
        const settings: SerializeOptions = Object(Reflect.get(session.cookie, 'data'))
        return secured(stringifySetCookie(name, signed(session.id, secret), settings))
      } catch {
        return undefined
      }
    },
    clearing: (req, sid) => [stringifySetCookie(name, '', gone), ...clearingFormer(req, sid)],
    clearingFormer,
    readUnderFormerName(req, load, done) {
      const { cookie: header } = req.headers
      const isFormer = former !== undefined && sentAs(req, name) === undefined
      const value = isFormer ? sentAs(req, former) : undefined
      if (value === undefined) return load((error) => done(false, error))
      req.headers.cookie = `${header}; ${name}=${encodeURIComponent(value)}`
      load((error) => {
        if (header !== undefined) req.headers.cookie = header
        done(true, error)
      })
    },
  }
}

/** As express-session signs it (package cookie-signature). */
function signed(sid: string, secret: string): string {
  const signature = createHmac('sha256', secret).update(sid).digest('base64')
  return `s:${sid}.${signature.replaceAll('=', '')}`
}

function isClearing(line: string): boolean {
  return /; Expires=Thu, 01 Jan 1970/i.test(line)
}
