import type { ServerResponse } from 'node:http'
import { canSetHeaders } from './set-cookie.js'
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
  /** How its cookie was set up. */
  readonly settings: CookieSettings
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

/** A request about which nothing is known yet. */
export function beginVisit(res: ServerResponse): Visit {
  return { res, end: res.end, came: { kind: 'coming' }, answer: { kind: 'open' }, isEnding: false }
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
