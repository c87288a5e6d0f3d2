/*
 * What follows the end of a stream: whether a new one is opened, and after which pause. Pure: decided by how the stream
 * ended, how long it lasted, and what went wrong in the streams before it.
 */

import { type Page, pageOf } from '../call/page.js'
import { isTooLarge, isUnreadable, setUpFaultOf } from '../call/retry-policy.js'
import { type CallFailure, CODE } from '../call/status.js'
import { doubled, spread } from '../lib/backoff.js'

/** How a stream ended, as far as it matters for the next one. */
export interface StreamEnd {
  /** Absent if the server ended it with status 0. */
  readonly failure?: CallFailure
  /** PCS has never answered this client, and perhaps never will. */
  readonly isUnanswered?: boolean
  /** The library ended it, to open a new one. */
  readonly isPlanned: boolean
  /** It was opened behind an event, with that event's id. */
  readonly hadCursor: boolean
  /** It brought an event that had not been handed out before. */
  readonly hadProgress: boolean
  /** Milliseconds since it was opened. */
  readonly lastedMs: number
  /** Milliseconds since it was known to be connected; 0 if it never was. */
  readonly connectedMs: number
}

/** What has gone wrong in a row. */
export interface Streak {
  /** Ends after which the next opening waits longer. */
  readonly failures: number
  /** Ends with code 8 and no hint when to come back. */
  readonly exhaustions: number
  /** Rejected tokens. */
  readonly refusals: number
  /** Ends that the next event itself may have caused. */
  readonly doubts: number
}

/** Nothing has gone wrong. */
export const NO_STREAK: Streak = { failures: 0, exhaustions: 0, refusals: 0, doubts: 0 }

/** How long to wait: not at all, briefly, or longer with the counts of the streak; `hint`: as long as the server asks. */
export type Wait = 'none' | 'short' | 'backoff' | 'doubt' | 'long' | 'hint'

/** What to do next. */
export type Verdict =
  | { readonly next: 'reopen'; readonly wait: Wait; readonly streak: Streak }
  /** `answer`: because of what the server says; `cursor_refused`, `cursor_failed`: because of the event to resume behind. */
  | { readonly next: 'fail'; readonly because: 'answer' | 'cursor_refused' | 'cursor_failed' }

/** Load balancers commonly cut streams after 30 s; measured here that is a little less. */
const HEALTHY_MS = 25_000
/** A server that ends each stream with status 0 after about a second causes no busy loop. */
const UNHURRIED_MS = 500
/** This many doubts in a row are no coincidence. */
const MAX_DOUBTS = 5

const NEVER: readonly number[] = [CODE.invalidArgument, CODE.alreadyExists, CODE.permissionDenied, CODE.unimplemented]
const REFUSES_CURSOR: readonly number[] = [CODE.notFound, CODE.failedPrecondition, CODE.outOfRange]
const OF_TRANSPORT: readonly number[] = [
  CODE.cancelled,
  CODE.deadlineExceeded,
  CODE.aborted,
  CODE.internal,
  CODE.unavailable,
]

/**
 * Decides what follows the end of a stream.
 * @param before what had gone wrong in a row before this end
 * @example judgeEnd({ failure: { code: 7, details: '', isFromPeer: true }, ... }, NO_STREAK) // { next: 'fail', because: 'answer' }
 */
export function judgeEnd(end: StreamEnd, before: Streak): Verdict {
  const streak = isHealthy(end) ? NO_STREAK : afterConnection(end, before)
  const { failure } = end
  if (end.isPlanned || failure === undefined) return classifyGoodEnd(end, streak)
  const page = pageOf(failure)
  if (page) return classifyPage(page, end, streak)
  const { code } = failure
  // A server that has answered before is waited for: its operators will repair it.
  if (end.isUnanswered === true && setUpFaultOf(failure, false)) return { next: 'fail', because: 'answer' }
  if (NEVER.includes(code)) return { next: 'fail', because: 'answer' }
  if (REFUSES_CURSOR.includes(code)) return classifyRefusedCursor(end, streak)
  if (code === CODE.unauthenticated) return classifyRefusedToken(streak)
  if (code === CODE.resourceExhausted && !isTooLarge(failure)) return classifyExhausted(failure, streak)
  const isOfTransport = OF_TRANSPORT.includes(code) && !isUnreadable(failure)
  return isOfTransport ? reopen('backoff', { ...failed(streak), doubts: 0 }) : classifyDoubt(end, streak)
}

/** A connection proves that the token was accepted; one that also ended with status 0, that the server can continue. */
function afterConnection({ failure, isPlanned, connectedMs }: StreamEnd, before: Streak): Streak {
  if (connectedMs === 0) return before
  if (isPlanned || failure === undefined) return { ...before, refusals: 0, doubts: 0, exhaustions: 0 }
  return failure.code === CODE.unauthenticated ? before : { ...before, refusals: 0 }
}

/** Whether a stream did its job, so that its end says nothing about the next one. */
function isHealthy({ hadProgress, connectedMs }: StreamEnd): boolean {
  return hadProgress || connectedMs >= HEALTHY_MS
}

function classifyGoodEnd(end: StreamEnd, streak: Streak): Verdict {
  if (isHealthy(end)) return reopen('none', streak)
  // A stream that was recycled before it was connected is a connection that could not be made.
  const isUnhurried = end.isPlanned ? end.connectedMs > 0 : end.lastedMs >= UNHURRIED_MS
  return isUnhurried ? reopen('short', { ...streak, failures: 0 }) : reopen('backoff', failed(streak))
}

function classifyRefusedCursor({ hadCursor, hadProgress }: StreamEnd, streak: Streak): Verdict {
  // The server had accepted the cursor, so this is no answer to it; the next opening will show.
  if (hadProgress) return reopen('backoff', failed(streak))
  return { next: 'fail', because: hadCursor ? 'cursor_refused' : 'answer' }
}

function classifyRefusedToken(streak: Streak): Verdict {
  if (streak.refusals > 0) return { next: 'fail', because: 'answer' }
  return reopen('none', { ...streak, refusals: 1 })
}

/** A gateway's page is not an answer from PCS; if nothing else ever arrived, it counts as one in the end. */
function classifyPage({ status = 200 }: Page, end: StreamEnd, streak: Streak): Verdict {
  if (status === 401 && streak.refusals === 0) return reopen('none', { ...streak, refusals: 1 })
  const isPassing = status >= 500 || status === 408 || status === 429
  if (end.isUnanswered === true && !isPassing) return classifyDoubt({ ...end, hadCursor: false }, streak)
  return reopen('backoff', { ...failed(streak), doubts: 0 })
}

function classifyExhausted({ retryAfterMs }: CallFailure, streak: Streak): Verdict {
  const next = failed(streak)
  if (retryAfterMs !== undefined) return reopen('hint', next)
  return reopen('long', { ...next, exhaustions: streak.exhaustions + 1 })
}

/** The server fails, or sends something unreadable: with the same cursor that may go on forever. */
function classifyDoubt({ hadCursor }: Pick<StreamEnd, 'hadCursor'>, streak: Streak): Verdict {
  const doubts = streak.doubts + 1
  if (doubts < MAX_DOUBTS) return reopen('doubt', { ...failed(streak), doubts })
  return { next: 'fail', because: hadCursor ? 'cursor_failed' : 'answer' }
}

function reopen(wait: Wait, streak: Streak): Verdict {
  return { next: 'reopen', wait, streak }
}

/** The streak with one more failure. */
export function failed(streak: Streak): Streak {
  return { ...streak, failures: streak.failures + 1 }
}

const FIRST_MS = 200
const FIRST_DOUBT_MS = 1_000
const LONGEST_MS = 10_000
const FIRST_LONG_MS = 10_000
const LONGEST_LONG_MS = 60_000

/**
 * How long to wait before a stream is opened again, in milliseconds. Fully jittered, so that the clients of a server that
 * was away do not all return at once; never shorter than the server asks.
 * @param hintMs what the server asks to wait
 */
export function pauseMs(wait: Wait, streak: Streak, hintMs: number | undefined, random: () => number): number {
  switch (wait) {
    case 'none':
      return 0
    case 'short':
      return random() * FIRST_MS
    case 'backoff':
      return Math.max(spread(hintMs ?? 0, random), random() * doubled(FIRST_MS, streak.failures - 1, LONGEST_MS))
    case 'doubt':
      return random() * doubled(FIRST_DOUBT_MS, streak.doubts - 1, LONGEST_MS)
    case 'long':
      return spread(doubled(FIRST_LONG_MS, streak.exhaustions - 1, LONGEST_LONG_MS), random)
    case 'hint':
      return spread(hintMs ?? 0, random)
  }
}
