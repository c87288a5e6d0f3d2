/*
 * What comes after the end of a stream: pure, by how it ended, how it had fared, and how those before it had.
 */

import { type Page, pageOf } from '../call/page.js'
import { isTooLarge, isUnreadable, setUpFaultOf } from '../call/retry-policy.js'
import { type CallFailure, CODE } from '../call/status.js'

/** How one stream ended, as far as it matters for the next. */
export interface StreamEnd {
  /** Absent: the server ended it well (status 0). */
  readonly failure?: CallFailure
  /** Nothing of PCS has ever answered this client: perhaps it never will. */
  readonly isUnanswered?: boolean
  /** The library ended it, to open a new one. */
  readonly isPlanned: boolean
  /** It was opened after an event, by that event's id. */
  readonly hadCursor: boolean
  /** It brought an event that had not been handed out. */
  readonly hadProgress: boolean
  /** Since it was opened. */
  readonly lastedMs: number
  /** Since it was known to be connected; 0 where it never was. */
  readonly connectedMs: number
}

/** What has gone wrong in a row. */
export interface Streak {
  /** Ends after which the next opening waits longer. */
  readonly failures: number
  /** Ends by code 8 without a hint. */
  readonly exhaustions: number
  /** Tokens refused. */
  readonly refusals: number
  /** Ends that may be the doing of the very event that comes next. */
  readonly doubts: number
}

export const NO_STREAK: Streak = { failures: 0, exhaustions: 0, refusals: 0, doubts: 0 }

/** How long to wait: not at all, briefly, or by the streak's counts; `hint`: as the server asks. */
export type Wait = 'none' | 'short' | 'backoff' | 'doubt' | 'long' | 'hint'

/** What to do next. */
export type Verdict =
  | { readonly next: 'reopen'; readonly wait: Wait; readonly streak: Streak }
  /** `answer`: for what the server says; `cursor_refused`, `cursor_failed`: for the event to go on after. */
  | { readonly next: 'fail'; readonly because: 'answer' | 'cursor_refused' | 'cursor_failed' }

/** 30 s is what load balancers commonly cut streams at; seen from here that is a little less. */
const HEALTHY_MS = 25_000
/** A server that ends each stream well after about a second is no busy loop. */
const UNHURRIED_MS = 500
/** So many doubts in a row are no accident. */
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
 * The table.
 * @param before what had gone wrong in a row before this end
 * @example judgeEnd({ failure: { code: 7, details: '', isFromPeer: true }, ... }, NO_STREAK) // { next: 'fail', because: 'answer' }
 */
export function judgeEnd(end: StreamEnd, before: Streak): Verdict {
  const streak = isHealthy(end) ? NO_STREAK : afterConnection(end, before)
  const { failure } = end
  if (end.isPlanned || failure === undefined) return ofGoodEnd(end, streak)
  const page = pageOf(failure)
  if (page) return ofPage(page, end, streak)
  const { code } = failure
  // One that was well before is waited for: its operators will want it well again.
  if (end.isUnanswered === true && setUpFaultOf(failure, false)) return { next: 'fail', because: 'answer' }
  if (NEVER.includes(code)) return { next: 'fail', because: 'answer' }
  if (REFUSES_CURSOR.includes(code)) return ofRefusedCursor(end, streak)
  if (code === CODE.unauthenticated) return ofRefusedToken(streak)
  if (code === CODE.resourceExhausted && !isTooLarge(failure)) return ofExhausted(failure, streak)
  const isOfTransport = OF_TRANSPORT.includes(code) && !isUnreadable(failure)
  return isOfTransport ? again('backoff', { ...failed(streak), doubts: 0 }) : ofDoubt(end, streak)
}

/** One that was connected says that the token was taken, and one that ended well besides that the server can go on. */
function afterConnection({ failure, isPlanned, connectedMs }: StreamEnd, before: Streak): Streak {
  if (connectedMs === 0) return before
  if (isPlanned || failure === undefined) return { ...before, refusals: 0, doubts: 0, exhaustions: 0 }
  return failure.code === CODE.unauthenticated ? before : { ...before, refusals: 0 }
}

/** Whether a stream did what it is for, so that its end says nothing about the next. */
function isHealthy({ hadProgress, connectedMs }: StreamEnd): boolean {
  return hadProgress || connectedMs >= HEALTHY_MS
}

function ofGoodEnd(end: StreamEnd, streak: Streak): Verdict {
  if (isHealthy(end)) return again('none', streak)
  // A stream recycled before it ever connected is a connection that does not come about.
  const isUnhurried = end.isPlanned ? end.connectedMs > 0 : end.lastedMs >= UNHURRIED_MS
  return isUnhurried ? again('short', { ...streak, failures: 0 }) : again('backoff', failed(streak))
}

function ofRefusedCursor({ hadCursor, hadProgress }: StreamEnd, streak: Streak): Verdict {
  // It went on from there, so that was no answer to the cursor; the next opening tells.
  if (hadProgress) return again('backoff', failed(streak))
  return { next: 'fail', because: hadCursor ? 'cursor_refused' : 'answer' }
}

function ofRefusedToken(streak: Streak): Verdict {
  if (streak.refusals > 0) return { next: 'fail', because: 'answer' }
  return again('none', { ...streak, refusals: 1 })
}

/** A gateway's page is no verdict of PCS's; where nothing else ever came, it is one in the end. */
function ofPage({ status = 200 }: Page, end: StreamEnd, streak: Streak): Verdict {
  if (status === 401 && streak.refusals === 0) return again('none', { ...streak, refusals: 1 })
  const isPassing = status >= 500 || status === 408 || status === 429
  if (end.isUnanswered === true && !isPassing) return ofDoubt({ ...end, hadCursor: false }, streak)
  return again('backoff', { ...failed(streak), doubts: 0 })
}

function ofExhausted({ retryAfterMs }: CallFailure, streak: Streak): Verdict {
  const next = failed(streak)
  if (retryAfterMs !== undefined) return again('hint', next)
  return again('long', { ...next, exhaustions: streak.exhaustions + 1 })
}

/** The server fails at something, or something it sends cannot be read: with the same cursor perhaps for ever. */
function ofDoubt({ hadCursor }: Pick<StreamEnd, 'hadCursor'>, streak: Streak): Verdict {
  const doubts = streak.doubts + 1
  if (doubts < MAX_DOUBTS) return again('doubt', { ...failed(streak), doubts })
  return { next: 'fail', because: hadCursor ? 'cursor_failed' : 'answer' }
}

function again(wait: Wait, streak: Streak): Verdict {
  return { next: 'reopen', wait, streak }
}

/** One failure more. */
export function failed(streak: Streak): Streak {
  return { ...streak, failures: streak.failures + 1 }
}
