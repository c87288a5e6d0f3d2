import type { Request } from 'express'
import type { Session } from 'express-session'
import type { Runtime } from '../lib/runtime.js'
import { audienceOf, keepPrivate } from './audience.js'
import type { SessionCookie } from './session-cookie.js'
import { isDropped, isStandIn, stateOf } from './session-state.js'
import type { SessionStore } from './session-store.js'
import { cookieLines, replaceCookieLines } from './set-cookie.js'
import { faultOf, hasCookie } from './unsaveable.js'
import type { CookieSettings, Visit } from './visit.js'

/** Decides when the session cookie is sent with an answer. */
export interface CookieSender {
  /** Call once the session has been loaded or created. */
  begin(req: Request, visit: Visit): void
  /**
   * Asked at the end of the answer: whether the stored blob must be renewed because the cookie was. Both are renewed
   * together, and rarely.
   * @throws `session_invalid`
   */
  isBlobDue(req: Request, visit: Visit): boolean
  /** Call just before the headers are sent. */
  writeCookie(req: Request, visit: Visit): void
}

/** What the cookie sender is made of. */
export interface CookieSenderParts {
  /** Reads and writes the cookie itself. */
  readonly cookie: SessionCookie
  /** Knows which sessions have ended. */
  readonly store: SessionStore
  /** How long an unused session lives, in milliseconds. */
  readonly idleMs: number
  /** The clock. */
  readonly runtime: Runtime
  /** Signs the cookie. */
  readonly secret: () => string
  /** Requests that look at the session without using it. */
  readonly isPassive: (req: Request) => boolean
}

/** A renewed cookie is sent within this time or waits for another answer: see `isPoorCarrier`. */
const PROMPT_MS = 1_000

/**
 * The cookie leaves when a session begins, when the app sets it up in another way, and when a quarter of its life has
 * gone; and never with an answer that others may be given: a new one makes the answer private, a renewal waits.
 */
export function createCookieSender(parts: CookieSenderParts): CookieSender {
  const { cookie, store, idleMs, runtime } = parts

  const lifeOf = (session: Session): number => Math.min(session.cookie.originalMaxAge || idleMs, idleMs)

  /**
   * A slow response may leave after its browser got a newer session from another process, whose cookie it must not
   * overwrite; and what comes with a 304 may be kept with an answer that others are given. So a renewal waits for a
   * prompt one; where there is none, any does once half of the life has gone.
   */
  function isPoorCarrier({ res, renewal }: Visit, session: Session): boolean {
    const now = runtime.now()
    if (!renewal || now - (renewal.sentAt ?? 0) >= lifeOf(session) / 2) return false
    return now - renewal.dueAt > PROMPT_MS || res.statusCode === 304
  }

  /** `must`: this answer becomes private for it; `may`: another will do. */
  function claimOf(req: Request, visit: Visit): 'must' | 'may' | undefined {
    const { session, sessionID } = req
    if (!session || isStandIn(session) || isDropped(session) || store.hasEnded(sessionID)) return undefined
    // What stands in its place does not say HttpOnly.
    if (!hasCookie(session)) return undefined
    if (visit.loadedId !== sessionID) return cookie.offered(visit.res) === undefined ? undefined : 'must'
    if (!isSetUpAs(visit.cookieSettings, session)) return 'must'
    if (!visit.renewal || isPoorCarrier(visit, session)) return undefined
    return audienceOf(visit.res) === 'everyone' ? undefined : 'may'
  }

  return {
    begin(req, visit) {
      if (visit.loadedId === undefined) return
      visit.cookieSettings = settingsOf(req.session)
      if (parts.isPassive(req)) return
      const [now, sentAt] = [runtime.now(), stateOf(req.session).sentAt]
      if (sentAt === undefined || now - sentAt >= lifeOf(req.session) / 4) visit.renewal = { dueAt: now, sentAt }
    },

    isBlobDue(req, visit) {
      if (req.session && !hasCookie(req.session)) throw faultOf(req.session)
      if (visit.loadedId !== req.sessionID) return false
      if (!visit.hasLeft) {
        if (claimOf(req, visit) === undefined) return false
        const fault = faultOf(req.session)
        if (fault) throw fault
        // express-session does this a moment later; by now it is known whether the cookie really leaves.
        visit.res.writeHead(visit.res.statusCode)
      }
      return visit.sentId === req.sessionID
    },

    writeCookie(req, visit) {
      const { res } = visit
      const claim = claimOf(req, visit)
      const line = claim && (cookie.offered(res) ?? cookie.lineFor(req.session.touch(), parts.secret()))
      if (line !== undefined) {
        visit.sentId = req.sessionID
        stateOf(req.session).sentAt = runtime.now()
      }
      const ours = line === undefined ? [] : [line]
      // express-session would leave the cookie of a session that has ended.
      if (line === undefined && visit.endedId !== undefined) ours.push(...cookie.clearing(req, visit.endedId))
      if (line !== undefined && visit.endedId !== undefined) ours.push(...cookie.clearingFormer(req, visit.endedId))
      const others = cookie.others(res)
      if (ours.length > 0 || others.length < cookieLines(res).length) replaceCookieLines(res, [...others, ...ours])
      if (ours.length > 0) keepPrivate(res, claim === 'may' ? 'private' : 'no-store')
    },
  }
}

function settingsOf({ cookie }: Session): CookieSettings {
  const { originalMaxAge, expires: _, ...others } = Object(Reflect.get(cookie, 'data'))
  return { maxAge: originalMaxAge, others: JSON.stringify(others) }
}

/**
 * express-session measures `originalMaxAge` again with each `touch()`, and loses a millisecond or more when the clock moves
 * on meanwhile. Less than the whole second in which a cookie is dated is no change that an app made.
 */
function isSetUpAs(before: CookieSettings | undefined, session: Session): boolean {
  const now = settingsOf(session)
  if (before?.others !== now.others) return false
  if (typeof before.maxAge !== 'number' || typeof now.maxAge !== 'number') return before.maxAge === now.maxAge
  return Math.abs(before.maxAge - now.maxAge) < 1_000
}
