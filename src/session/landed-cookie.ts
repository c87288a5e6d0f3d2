import { parseCookie } from 'cookie'
import type { Request, Response } from 'express'
import { type CookieNames, cookieNamesOf } from '../cookie-names.js'
import type { Runtime } from '../lib/runtime.js'
import type { Config } from '../options.js'
import { clearCookie, setCookie } from './set-cookie.js'

/**
 * Says for ten seconds that a sign-in was just finished in this browser. A guard that sees it, but no session, knows
 * that the session cookie does not arrive, and stops what would be an endless round of redirects.
 */
export interface LandedCookie {
  set(res: Response): void
  clear(res: Response): void
  isThere(req: Request): boolean
  /** The session came with the request, with the sign-in in it: cookies are kept here. */
  hasArrived(req: Request, res: Response): void
}

const MAX_AGE_SECONDS = 10
/** The clocks of two machines differ by less than this. */
const TOLERANCE_MS = 60_000
/** Milliseconds in base 36. */
const VALUE = /^[0-9a-z]{8,10}$/

export function createLandedCookie(
  config: Pick<Config, 'clientId' | 'isHttps' | 'cookieName'>,
  { now }: Pick<Runtime, 'now'>,
): LandedCookie {
  const { landed: name }: CookieNames = cookieNamesOf(config)
  const attributes = { httpOnly: true, secure: config.isHttps, sameSite: 'lax', path: '/' } as const
  const arrived = new WeakSet<Request>()

  /** Only the name that was set, and no older than it can be: on http a sister domain may have set one for a year. */
  function isSent(req: Request): boolean {
    const value = parseCookie(req.headers.cookie ?? '')[name] ?? ''
    return VALUE.test(value) && Math.abs(now() - Number.parseInt(value, 36)) < MAX_AGE_SECONDS * 1000 + TOLERANCE_MS
  }

  return {
    set: (res) => setCookie(res, name, now().toString(36), { ...attributes, maxAge: MAX_AGE_SECONDS }),
    clear: (res) => clearCookie(res, name, attributes),
    isThere: (req) => !arrived.has(req) && isSent(req),
    hasArrived(req, res) {
      arrived.add(req)
      if (isSent(req)) clearCookie(res, name, attributes, 'may')
    },
  }
}
