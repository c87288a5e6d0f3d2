import { parse as parseCookie } from 'cookie'
import type { Request, Response } from 'express'
import type { Config } from '../config/options.js'
import type { Runtime } from '../lib/runtime.js'
import { type CookieNames, cookieNamesOf } from './cookie-names.js'
import { clearCookie, setCookie } from './set-cookie.js'

/** Whether a browser at a guard has just signed in: once, again and again within seconds, or not at all. */
export type Landing = 'none' | 'once' | 'again'

/**
 * Records for ten seconds that a sign-in was just finished in this browser. A guard that sees it, but no session, knows
 * that the session cookie does not arrive, and stops an otherwise endless loop of redirects.
 */
export interface LandedCookie {
  set(req: Request, res: Response): void
  clear(res: Response): void
  landingOf(req: Request): Landing
  /** The request came with a session that holds the sign-in, so this browser keeps cookies. */
  hasArrived(req: Request, res: Response): void
}

const MAX_AGE_SECONDS = 10
/** The clocks of two machines differ by less than this. */
const TOLERANCE_MS = 60_000
/** Milliseconds in base 36, with a mark if the landing before it was followed by no session. */
const VALUE = /^([0-9a-z]{8,10})(\.again)?$/
const AGAIN = '.again'

/** What the cookie needs. */
export interface LandedCookieParts {
  readonly config: Pick<Config, 'clientId' | 'isHttps' | 'cookieName'>
  /** The clock. */
  readonly runtime: Pick<Runtime, 'now'>
}

export function createLandedCookie({ config, runtime: { now } }: LandedCookieParts): LandedCookie {
  const { landed: name }: CookieNames = cookieNamesOf(config)
  const attributes = { httpOnly: true, secure: config.isHttps, sameSite: 'lax', path: '/' } as const
  // Not a part of `Visit`, which a request with the app's own session does not have. Few requests come here.
  const arrived = new WeakSet<Request>()

  /** Only under the name we set, and only if recent: on http a sister domain may have set one for a year. */
  function sent(req: Request): Landing {
    const { cookie } = req.headers
    if (!cookie?.includes(name)) return 'none'
    const [, time, again] = VALUE.exec(parseCookie(cookie)[name] ?? '') ?? []
    if (time === undefined) return 'none'
    const isRecent = Math.abs(now() - Number.parseInt(time, 36)) < MAX_AGE_SECONDS * 1000 + TOLERANCE_MS
    if (!isRecent) return 'none'
    return again === undefined ? 'once' : 'again'
  }

  return {
    set(req, res) {
      const value = now().toString(36) + (sent(req) === 'none' ? '' : AGAIN)
      setCookie(res, name, value, { ...attributes, maxAge: MAX_AGE_SECONDS })
    },
    clear: (res) => clearCookie(res, name, attributes),
    landingOf: (req) => (arrived.has(req) ? 'none' : sent(req)),
    hasArrived(req, res) {
      if (sent(req) === 'none') return
      arrived.add(req)
      clearCookie(res, name, attributes, 'may')
    },
  }
}
