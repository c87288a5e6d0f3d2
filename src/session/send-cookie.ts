import type { Request } from 'express'
import type { Session } from 'express-session'
import type { Runtime } from '../lib/runtime.js'
import { audienceOf, keepPrivate } from './audience.js'
import type { SessionCookie } from './session-cookie.js'
import { isUnasked } from './session-on-demand.js'
import { contentText, isDropped, isStandIn, stateOf } from './session-state.js'
import type { SessionStore } from './session-store.js'
import { cookieLines, replaceCookieLines } from './set-cookie.js'
import type { StoredSession } from './stored-session.js'
import { explainUnsavable, hasCookie } from './unsavable.js'
import { type CameWithSession, type CookieSettings, cameWith, sentIdOf, type Visit } from './visit.js'

/** Decides when the session cookie is sent with an answer. */
export interface CookieSender {
  /** Describes a request whose session was found. `settings` is filled in when the session is made. */
  begin(req: Request, id: string, stored: StoredSession): CameWithSession
  /**
   * Called at the end of the answer: whether the stored blob must be renewed because the cookie was. Both are renewed
   * together, and rarely.
   * @throws `session_invalid`
   */
  isBlobDue(req: Request, visit: Visit): boolean
  /** Call just before the headers are sent. @returns the id of the session whose cookie they carry. */
  writeCookie(req: Request, visit: Visit): string | undefined
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
 * The cookie is sent when a session begins, when the app changes its settings, and when a quarter of its life has
 * passed; never with an answer that others may receive: a new cookie makes the answer private, a renewal waits.
 */
export function createCookieSender(parts: CookieSenderParts): CookieSender {
  const { cookie, store, idleMs, runtime } = parts

  const lifeOf = ({ originalMaxAge }: Pick<Session['cookie'], 'originalMaxAge'>): number =>
    Math.min(originalMaxAge || idleMs, idleMs)

  /**
   * A slow response may leave after its browser got a newer session from another process, whose cookie it must not
   * overwrite; and a cache may keep a 304's cookie with an answer that others receive. So a renewal waits for a prompt
   * answer; if there is none, any answer will do once half of the cookie's life has passed.
   */
  function isPoorCarrier({ res }: Visit, { renewal }: CameWithSession, session: Session): boolean {
    const now = runtime.now()
    if (!renewal || now - (renewal.sentAt ?? 0) >= lifeOf(session.cookie) / 2) return false
    return now - renewal.dueAt > PROMPT_MS || res.statusCode === 304
  }

  /** `must`: send the cookie now and make the answer private; `may`: another answer will do. */
  function claimOf(req: Request, visit: Visit): 'must' | 'may' | undefined {
    if (isUnasked(req)) return undefined
    const { session, sessionID } = req
    if (!session || isStandIn(session) || isDropped(session) || store.hasEnded(sessionID)) return undefined
    // If the app replaced the cookie object, the replacement may lack HttpOnly.
    if (!hasCookie(session)) return undefined
    const came = cameWith(visit, sessionID)
    if (!came) return isAnnounced(req) ? 'must' : undefined
    if (came.settings && !isSetUpAs(came.settings, session)) return 'must'
    if (!came.renewal || isPoorCarrier(visit, came, session)) return undefined
    return audienceOf(visit.res) === 'everyone' ? undefined : 'may'
  }

  function linesFor(req: Request, visit: Visit, line: string | undefined): readonly string[] {
    const ended = endedIn(visit)
    if (line === undefined) return ended ? cookie.clearing(req, ended.id) : []
    return [line, ...(ended ? cookie.clearingFormer(req, ended.id) : [])]
  }

  return {
    begin(req, id, stored) {
      const dueAt = runtime.now()
      const { sentAt } = stored
      const isDue = sentAt === undefined || dueAt - sentAt >= lifeOf(stored) / 4
      const renewal = isDue && !parts.isPassive(req) ? { dueAt, sentAt } : undefined
      return { kind: 'session', id, stored, settings: undefined, renewal, hooks: [], isEnded: false }
    },

    isBlobDue(req, visit) {
      const { session, sessionID } = req
      if (!cameWith(visit, sessionID)) return false
      if (visit.answer.kind === 'open') {
        if (claimOf(req, visit) === undefined) return false
        const fault = explainUnsavable(session)
        if (fault) throw fault
        // Send the headers: only then is it known whether the cookie is really sent.
        visit.res.writeHead(visit.res.statusCode)
      }
      return sentIdOf(visit) === sessionID
    },

    writeCookie(req, visit) {
      const { res } = visit
      const claim = claimOf(req, visit)
      // By far the most answers.
      if (claim === undefined && !endedIn(visit) && res.getHeader('Set-Cookie') === undefined) return undefined
      const line = claim && cookie.lineFor(req.session.touch(), parts.secret())
      if (line !== undefined) stateOf(req.session).sentAt = runtime.now()
      const ours = linesFor(req, visit, line)
      const others = cookie.others(res)
      if (ours.length > 0 || others.length < cookieLines(res).length) replaceCookieLines(res, [...others, ...ours])
      if (ours.length > 0) keepPrivate(res, claim === 'may' ? 'private' : 'no-store')
      return line === undefined ? undefined : req.sessionID
    },
  }
}

/** The session that came with this request, if the request has ended it. */
function endedIn({ came }: Visit): CameWithSession | undefined {
  return came.kind === 'session' && came.isEnded ? came : undefined
}

/** Whether the browser gets the cookie of a session that it did not send: only once something is in it. */
function isAnnounced(req: Request): boolean {
  const { session } = req
  if (!stateOf(session).isRenewed && contentText(session) === '{}') return false
  // As in express-session, a cookie that the app has made `secure` is not sent over an insecure connection.
  return session.cookie.secure !== true || Reflect.get(req.socket ?? {}, 'encrypted') === true || req.secure === true
}

/** How the cookie of a session is set up now. */
export function settingsOf({ cookie }: Session): CookieSettings {
  const { originalMaxAge, partitioned, priority, secure, httpOnly, domain, path, sameSite } = Object(cookie)
  return { originalMaxAge, partitioned, priority, secure, httpOnly, domain, path, sameSite }
}

/**
 * express-session measures `originalMaxAge` again with each `touch()`, and loses a millisecond or more if the clock
 * moves on meanwhile. Cookies are dated in whole seconds, so a smaller difference is not a change that the app made.
 */
function isSetUpAs(before: CookieSettings, session: Session): boolean {
  const {
    originalMaxAge: maxAge,
    partitioned,
    priority,
    secure,
    httpOnly,
    domain,
    path,
    sameSite,
  } = settingsOf(session)
  const isSame =
    before.partitioned === partitioned &&
    before.priority === priority &&
    before.secure === secure &&
    before.httpOnly === httpOnly &&
    before.domain === domain &&
    before.path === path &&
    before.sameSite === sameSite
  if (!isSame || typeof before.originalMaxAge !== 'number' || typeof maxAge !== 'number')
    return isSame && before.originalMaxAge === maxAge
  return Math.abs(before.originalMaxAge - maxAge) < 1_000
}
