import type { Request } from 'express'
import session, { type SessionData } from 'express-session'

/** A session with its content. */
export type AppSession = session.Session & SessionData

/** express-session's own classes. Their constructors take arguments that its types omit. */
export const Session = session.Session as unknown as new (req: Request, data: SessionData) => AppSession
export const Cookie = session.Cookie as unknown as new (settings: object) => session.Cookie

/** The cookie of a stored session. As in express-session, reading it changes neither its expiry nor its lifetime. */
export function toCookie(stored: session.Cookie): session.Cookie {
  const cookie = stored instanceof Cookie ? stored : new Cookie(stored)
  if (typeof stored.expires === 'string') cookie.expires = new Date(stored.expires)
  cookie.originalMaxAge = stored.originalMaxAge
  return cookie
}
