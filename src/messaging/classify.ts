import { isNotPassedOn, type Page, pageOf } from './page.js'

/*
 * When a call is repeated, and what a failure means for what was asked: pure, by gRPC's status code, the text beside it
 * (`details`) and the kind of call. The texts are those of @grpc/grpc-js 1.14; tests hold them against the installed one.
 */

/** How a call ended that did not end well. */
export interface CallFailure {
  /** gRPC status code, 1 to 16. */
  readonly code: number
  /** The text beside it. Not for people: it may hold anything. */
  readonly details: string
  /** What the server asks to wait, in milliseconds. */
  readonly retryAfterMs?: number
  /** Whether the status came from the other side, as far as can be told; texts of grpc-js count only where it did not. */
  readonly isFromPeer: boolean
  /** Whether it came in an answer that calls itself gRPC; `false`: a gateway on the way may have made it. */
  readonly isGrpc?: boolean
}

/** A `read` may be asked any number of times; a `write` must not happen twice. */
export type CallKind = 'read' | 'write'

/** What to do about a {@link CallFailure}. */
export interface Verdict {
  /** `backoff`: after a pause; `hint`: after what the server asks; `new_token`: at once, one time, with another token. */
  readonly repeat: 'no' | 'backoff' | 'hint' | 'new_token'
  /** Whether what was asked surely was not done, or perhaps was. */
  readonly outcome: 'not_done' | 'unknown'
}

/** gRPC's status codes that count here. */
export const CODE = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const

/** The server looked at the call and refused it: nothing was done, and asking again changes nothing. */
const REFUSED: readonly number[] = [
  CODE.invalidArgument,
  CODE.notFound,
  CODE.alreadyExists,
  CODE.permissionDenied,
  CODE.failedPrecondition,
  CODE.outOfRange,
  CODE.unimplemented,
]

/** Texts of grpc-js for a call that never left this process, or that the server refused before it looked (RFC 9113 8.7). */
const NEVER_SENT = [
  /^No connection established/,
  /^Name resolution failed for target /,
  /^Channel closed before call started$/,
  /^Channel has been shut down$/,
  /^Picked subchannel .* is unhealthy$/,
  /^Stream refused by server$/,
] as const
/** With code 4: the time was up while the call waited for a connection. */
const NEVER_PICKED = /^Deadline exceeded after .*Waiting for LB pick$/
/** With code 13: the stream could not be opened. */
const NEVER_STARTED = /^Failed to start HTTP\/2 stream with error /
/** With code 14. grpc-js maps HTTP statuses 429, 502, 503 and 504 to it. */
const HTTP_TOO_MANY = /^Received HTTP status code 429$/
/** grpc-js reports neither code nor text where it cannot decompress a message; these stand in. */
export const CANNOT_DECOMPRESS = 'Response message is compressed in an unknown way'
/** With code 13: the answer came and cannot be read, so that asking again brings it again. */
const UNREADABLE =
  /^(Response message (parsing error|is compressed in an unknown way)|Received message larger than max|Failed to decompress )/
/** With code 12, by grpc-js: the server says that all is well, with no answer or with more than one. */
const NOT_ONE_ANSWER = /^(No message received|Too many responses received)$/
/** With code 8, and neither a rate limit nor a quota: ENHANCE_YOUR_CALM, or an answer of the server above our bound. */
const EXHAUSTED_OTHERWISE = /^(Bandwidth exhausted or memory limit exceeded$|Received message )/

/** With code 8, by grpc-js: above `grpc.max_receive_message_length`, as it came or decompressed. */
const TOO_LARGE = /^Received message (larger than max|that decompresses to a size larger than )/

const NO = { repeat: 'no', outcome: 'not_done' } as const
const AMBIGUOUS = { repeat: 'no', outcome: 'unknown' } as const
const AGAIN = { repeat: 'backoff', outcome: 'not_done' } as const

/**
 * The table. What is in doubt is never repeated for a write.
 * @example classify({ code: 14, details: 'Connection dropped', isFromPeer: false }, 'write').outcome // 'unknown'
 */
export function classify(failure: CallFailure, kind: CallKind): Verdict {
  const page = pageOf(failure)
  if (page) return ofPage(page, failure, kind)
  if (isNotOneAnswer(failure)) return kind === 'read' ? NO : AMBIGUOUS
  if (REFUSED.includes(failure.code)) return NO
  if (failure.code === CODE.unauthenticated) return { repeat: 'new_token', outcome: 'not_done' }
  if (failure.code === CODE.resourceExhausted) return ofExhausted(failure, kind)
  if (isNeverSent(failure)) return failure.code === CODE.deadlineExceeded ? NO : AGAIN
  return kind === 'read' ? ofRead(failure) : AMBIGUOUS
}

/** A page is no verdict: for what may be asked again it is a failure that passes. */
function ofPage(page: Page, failure: CallFailure, kind: CallKind): Verdict {
  if (page.status === 401) return { repeat: 'new_token', outcome: 'not_done' }
  // Too large stays too large.
  if (page.status === 413) return NO
  if (kind === 'read' || isHttpTooMany(failure)) return AGAIN
  // Of gRPC's own content type: a server that merely says 429 did get it.
  return isNotPassedOn(page) && page.status !== 429 ? AGAIN : AMBIGUOUS
}

function ofExhausted(failure: CallFailure, kind: CallKind): Verdict {
  if (failure.retryAfterMs !== undefined) return { repeat: 'hint', outcome: 'not_done' }
  return kind === 'write' && EXHAUSTED_OTHERWISE.test(failure.details) ? AMBIGUOUS : NO
}

function ofRead({ code, details }: CallFailure): Verdict {
  switch (code) {
    case CODE.cancelled:
    case CODE.unavailable:
    case CODE.deadlineExceeded:
      return AGAIN
    case CODE.internal:
      return UNREADABLE.test(details) ? NO : AGAIN
    default:
      return NO
  }
}

/** Whether the call surely did not reach anyone who would have acted on it. */
export function isNeverSent(failure: CallFailure): boolean {
  const { code, details, isFromPeer } = failure
  if (isHttpTooMany(failure)) return true
  if (isFromPeer) return false
  if (code === CODE.unavailable) return NEVER_SENT.some((text) => text.test(details))
  if (code === CODE.deadlineExceeded) return NEVER_PICKED.test(details)
  return code === CODE.internal && NEVER_STARTED.test(details)
}

/** Whether a gateway limits the rate (HTTP 429): it did not pass the call on. A server that merely says so did get it. */
export function isHttpTooMany({ code, details, isGrpc }: CallFailure): boolean {
  return code === CODE.unavailable && isGrpc !== true && HTTP_TOO_MANY.test(details)
}

/** Whether an exhaustion (code 8) is about the connection rather than about the app's limits. */
export function isExhaustedOtherwise(failure: CallFailure): boolean {
  return EXHAUSTED_OTHERWISE.test(failure.details)
}

/** Whether an answer was larger than this client takes, so that asking again brings it again. */
export function isTooLarge({ code, details }: CallFailure): boolean {
  return code === CODE.resourceExhausted && TOO_LARGE.test(details)
}

/** Whether an answer came and cannot be read. */
export function isUnreadable({ code, details }: CallFailure): boolean {
  return code === CODE.internal && UNREADABLE.test(details)
}

/** Whether a server said that all is well, and not once what was asked for. */
export function isNotOneAnswer({ code, details }: CallFailure): boolean {
  return code === CODE.unimplemented && NOT_ONE_ANSWER.test(details)
}
