import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AppSession } from './express-session.js'
import { canSetHeaders } from './set-cookie.js'
import type { StoredSession } from './stored-session.js'
import type { SessionHooks } from './watch-session.js'

/*
 * One record for each request and its answer. What we know about a session object is in `session-state.ts`; what must
 * be remembered between requests (sessions that ended, cookies that came late) is kept by id in a `RecentSet`. Two facts
 * are needed with the app's own session too, which has no visit: `set-cookie.ts` knows the cookies on an answer, and
 * `landed-cookie.ts` the requests that came with a sign-in.
 *
 *   what came (`came`):    coming ──> nothing
 *                             └─────> session ──> `isEnded`: this request ended it, so the answer clears its cookie
 *   the answer (`answer`): open ──> left, with the id of the session whose cookie went along
 */

/** One request and its answer, as far as the library's own session is concerned. */
export interface Visit {
  /** The answer. */
  readonly res: ServerResponse
  /** `res.end` as it was before the session wrapped it. */
  readonly end: ServerResponse['end']
  /** What the request brought. */
  came: Coming | CameWithNothing | CameWithSession
  /** Makes the session of the request. Called when somebody first asks for it: see `session-on-demand.ts`. */
  make: (() => void) | undefined
  /** `req.session` and `req.sessionID`. */
  session: AppSession | undefined
  sessionID: string | undefined
  /** How much of the answer has been sent. */
  answer: AnswerOpen | AnswerLeft
  /** `res.end` was called: an error can no longer reach the app. */
  isEnding: boolean
}

/** The session is being looked up. */
export interface Coming {
  readonly kind: 'coming'
}

/** No session, or an unknown one. */
export interface CameWithNothing {
  readonly kind: 'nothing'
}

/** The request came with a session in the store. This stays the same, whatever session the request has later. */
export interface CameWithSession {
  readonly kind: 'session'
  readonly id: string
  /** What the store has of it. */
  readonly stored: StoredSession
  /** How its cookie was set up; `undefined` as long as nobody has asked for the session. */
  settings: CookieSettings | undefined
  /** Set if its cookie is due for renewal. */
  readonly renewal: Renewal | undefined
  /** Called when the app ends it. */
  readonly hooks: SessionHooks[]
  /** This request has ended it: the answer clears the cookie. */
  isEnded: boolean
}

/** The headers have not been sent. */
export interface AnswerOpen {
  readonly kind: 'open'
}

/** The headers have been sent; an object that stands in for an answer does not say so itself. */
export interface AnswerLeft {
  readonly kind: 'left'
  /** The session whose cookie they carried. */
  readonly sentId: string | undefined
}

/** How the app has set up the cookie of a session. Its expiry is left out, because every use moves it. */
export interface CookieSettings {
  /** In milliseconds; `null` until the browser is closed. */
  readonly originalMaxAge: unknown
  readonly partitioned: unknown
  readonly priority: unknown
  readonly secure: unknown
  readonly httpOnly: unknown
  readonly domain: unknown
  readonly path: unknown
  readonly sameSite: unknown
}

/** A cookie that is due for renewal. */
export interface Renewal {
  /** When the request came, in milliseconds since the epoch. */
  readonly dueAt: number
  /** When the cookie was last sent; `undefined` if unknown. */
  readonly sentAt: number | undefined
}

const VISIT = Symbol('ppoppo visit')
const COMING: Coming = { kind: 'coming' }
const OPEN: AnswerOpen = { kind: 'open' }

/**
 * Begins the record of a request, about which nothing is known yet.
 *
 * It is kept under a symbol on the request: each garbage collection goes through all entries of a `WeakMap`, and every
 * request would add one.
 */
export function beginVisit(req: IncomingMessage, res: ServerResponse): Visit {
  const visit: Visit = {
    res,
    end: res.end,
    came: COMING,
    make: undefined,
    session: undefined,
    sessionID: undefined,
    answer: OPEN,
    isEnding: false,
  }
  ;(req as { [VISIT]?: Visit })[VISIT] = visit
  return visit
}

/** The record of a request, whichever instance began it; `undefined` if it did not come through our own session. */
export function visitOf(req: object): Visit | undefined {
  return (req as { readonly [VISIT]?: Visit })[VISIT]
}

/** The session that came with the request, if it is the one with this id. */
export function cameWith({ came }: Visit, sid: string | undefined): CameWithSession | undefined {
  return came.kind === 'session' && came.id === sid ? came : undefined
}

/** Whether another session came with the request than the one with this id, or none. */
export function isNotWhatCame({ came }: Visit, sid: string): boolean {
  return came.kind === 'nothing' || (came.kind === 'session' && came.id !== sid)
}

/** The session whose cookie was sent with the answer. */
export function sentIdOf({ answer }: Visit): string | undefined {
  return answer.kind === 'left' ? answer.sentId : undefined
}

/** Whether a cookie can still be sent with the answer. */
export function canSendCookie({ res, answer }: Visit): boolean {
  return answer.kind === 'open' && canSetHeaders(res)
}

/** Whether no browser will ever ask for this session: it is new, and its cookie can no longer be sent. */
export function isUnreachable(visit: Visit, sid: string): boolean {
  return cameWith(visit, sid) === undefined && sentIdOf(visit) !== sid && !canSendCookie(visit)
}
