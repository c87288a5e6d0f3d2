import type { ServerResponse } from 'node:http'
import { canSetHeaders } from './set-cookie.js'

/** One request and its answer, as far as the library's own session is concerned. */
export interface Visit {
  readonly res: ServerResponse
  /** `res.end` as it was before express-session took its place. */
  readonly end: ServerResponse['end']
  /** The session that came with the request and was found. */
  loadedId?: string
  cookieSettings?: CookieSettings
  /** Its cookie is due for renewal. */
  renewal?: Renewal
  /** The session whose cookie left with the answer. */
  announcedId?: string
  /** The session that came, which this request has ended: its answer takes the cookie out of the browser. */
  endedId?: string
  /** The headers have left; an object that stands in for an answer does not say so itself. */
  hasLeft: boolean
  /** The answer is being ended: nobody is left to hear of an error. */
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

/** Whether a cookie can still leave with the answer. */
export function canAnnounce({ res, hasLeft }: Visit): boolean {
  return !hasLeft && canSetHeaders(res)
}

/** Whether no browser will ever ask for this session: it is new, and its cookie can no longer leave. */
export function isUnannounced(visit: Visit, sid: string): boolean {
  return visit.loadedId !== sid && visit.announcedId !== sid && !canAnnounce(visit)
}
