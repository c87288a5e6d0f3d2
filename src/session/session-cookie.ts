import { createHmac } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { type SerializeOptions, stringifySetCookie } from 'cookie'
import type { Session } from 'express-session'
import { cookieLines, cookieNameOf } from './set-cookie.js'

/** The cookie that names a session. */
export interface SessionCookie {
  /** Whether this browser sent it, valid or not. */
  isSentBy(cookieHeader: string | undefined): boolean
  /** The lines of an answer that are about other cookies, or take this one away. */
  others(res: ServerResponse): readonly string[]
  /** The line that express-session wrote, which it does for a new session that something was put into. */
  offered(res: ServerResponse): string | undefined
  /** The line for a session; `undefined` where the app set its cookie up so that there can be none. */
  lineFor(session: Session, secret: string): string | undefined
  /** The line that takes it away. */
  readonly clearing: string
}

export function createSessionCookie(name: string, isHttps: boolean): SessionCookie {
  const inHeader = new RegExp(`(?:^|;\\s*)${name.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&')}=`)
  const isSetting = (line: string): boolean => cookieNameOf(line) === name && !isClearing(line)
  // Whether a request came by https is configured, not guessed.
  const secured = (line: string): string => (isHttps && !/; Secure(;|$)/i.test(line) ? `${line}; Secure` : line)
  const base = { httpOnly: true, sameSite: 'lax', path: '/', secure: isHttps } as const

  return {
    isSentBy: (cookieHeader) => inHeader.test(cookieHeader ?? ''),
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
    clearing: stringifySetCookie(name, '', { ...base, expires: new Date(1) }),
  }
}

/** As express-session signs it (package cookie-signature). */
function signed(sid: string, secret: string): string {
  const signature = createHmac('sha256', secret).update(sid).digest('base64').replaceAll('=', '')
  return `s:${sid}.${signature}`
}

function isClearing(line: string): boolean {
  return /; Expires=Thu, 01 Jan 1970/i.test(line)
}
