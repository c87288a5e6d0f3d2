import type { ServerResponse } from 'node:http'
import { canSetHeaders } from './set-cookie.js'

/*
 * The state of one request and its answer. What is known of a session object is in `session-state.ts`; what must be known
 * between requests (sessions that ended, cookies that came late) is kept by id in a `RecentSet`.
 *
 *   begun ──> a session was found (`loadedId`) ──> its cookie is due (`renewal`)
 *     │           └──> this request ended it (`endedId`): the answer clears the cookie
 *     └─────> none was found: a new one, sent once something is in it
 *   then, for the answer: open ──> headers sent (`hasLeft`, with `sentId` where the cookie went along)
 *                         open ──> `isEnding` ──> headers sent
 */

/** One request and its answer, as far as the library's own session is concerned. */
export interface Visit {
  /** The answer. */
  readonly res: ServerResponse
  /** `res.end` as it was before express-session replaced it. */
  readonly end: ServerResponse['end']
  /** The session that came with the request and was found. */
  loadedId?: string
  /** How its cookie was set up when the request came. */
  cookieSettings?: CookieSettings
  /** Set where its cookie is due for renewal. */
  renewal?: Renewal
  /** The session whose cookie was sent with the answer. */
  sentId?: string
  /** The session that came and that this request has ended: the answer clears its cookie. */
  endedId?: string
  /** The headers have been sent; an object that stands in for an answer does not say so itself. */
  hasLeft: boolean
  /** The answer is being ended: an error can no longer reach the app. */
  isEnding: boolean
}

/** How the app has set up the cookie of a session. When it expires is left out: that moves with every use. */
export interface CookieSettings {
  /** In milliseconds; `null` until the browser is closed. */
  readonly maxAge: unknown
  /** The rest, as JSON. */
  readonly others: string
}

interface Renewal {
  /** When the request came, in milliseconds since the epoch. */
  readonly dueAt: number
  /** When the cookie was sent last; `undefined` where that is not known. */
  readonly sentAt: number | undefined
}

/** Whether a cookie can still be sent with the answer. */
export function canSendCookie({ res, hasLeft }: Visit): boolean {
  return !hasLeft && canSetHeaders(res)
}

/** Whether no browser will ever ask for this session: it is new, and its cookie can no longer be sent. */
export function isUnreachable(visit: Visit, sid: string): boolean {
  return visit.loadedId !== sid && visit.sentId !== sid && !canSendCookie(visit)
}
