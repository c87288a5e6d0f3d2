import { type SetUpFault, setUpFaultIn } from '../channel/set-up-fault.js'
import { isNotPassedOn, type Page, pageOf } from './page.js'
import { speaksOfHttp413, speaksOfReply, speaksOfSize, speaksOfSizeOnly } from './size-words.js'
import { type CallFailure, CODE } from './status.js'

/*
 * When a call is retried, and what a failure says about its outcome: pure functions of the gRPC status code, its message
 * (`details`) and the kind of call. The messages are those of @grpc/grpc-js 1.14; tests compare them with the installed one.
 */

/** A `read` can be made any number of times; a `write` must not happen twice. */
export type CallKind = 'read' | 'write'

/** What to do about a {@link CallFailure}. */
export interface Verdict {
  /** `backoff`: after a pause; `hint`: after the time the server asks for; `new_token`: at once, once, with a new token. */
  readonly retry: 'no' | 'backoff' | 'hint' | 'new_token'
  /** Whether the call provably was not carried out, or may have been. */
  readonly outcome: 'not_done' | 'unknown'
}

/** The server examined and rejected the call: nothing was done, and a retry changes nothing. */
const REFUSED: readonly number[] = [
  CODE.invalidArgument,
  CODE.notFound,
  CODE.alreadyExists,
  CODE.permissionDenied,
  CODE.failedPrecondition,
  CODE.outOfRange,
  CODE.unimplemented,
]

/** The server rejected the stream before processing it (RFC 9113 8.7). */
const REFUSED_STREAM = /^Stream refused by server$/
/** Messages of grpc-js for a call that never left this process, or that the server refused to process. */
const NEVER_SENT = [
  /^No connection established/,
  /^Name resolution failed for target /,
  /^Channel closed before call started$/,
  /^Channel has been shut down$/,
  /^Picked subchannel .* is unhealthy$/,
  REFUSED_STREAM,
] as const
/** With code 4: the deadline passed while the call waited for a connection. */
const NEVER_PICKED = /^Deadline exceeded after .*(Waiting for LB pick|waiting for (name resolution|metadata filters))$/
/** With code 13: the stream could not be opened. */
const NEVER_STARTED = /^Failed to start HTTP\/2 stream with error /
/** With any code: grpc-js could not make the call from its arguments, and a retry would fail too. */
const NEVER_MADE =
  /^("authorization" metadata cannot have multiple values$|Request message serialization failure: |Getting metadata from plugin failed with error: |Invalid status from control plane: |Failed to route call to method |Failed to parse (DNS|ipv4|ipv6) address |Unrecognized scheme )/
/** With code 14. grpc-js maps HTTP statuses 429, 502, 503 and 504 to it. */
const HTTP_TOO_MANY = /^Received HTTP status code 429$/
/** Stands in for the message if grpc-js cannot decompress a response: then it reports neither code nor message. */
export const CANNOT_DECOMPRESS = 'Response message is compressed in an unknown way'
/** With code 13: a response came and cannot be read, so a retry would bring the same one. */
const UNREADABLE =
  /^(Response message (parsing error|is compressed in an unknown way)|Received message larger than max|Failed to decompress )/
/** With code 12, by grpc-js: the server reported success with no response, or with more than one. */
const NOT_ONE_ANSWER = /^(No message received|Too many responses received)$/
/** With code 8, and neither a rate limit nor a quota. */
const ENHANCE_YOUR_CALM = /^Bandwidth exhausted or memory limit exceeded$/

/** With code 8, by grpc-js: above `grpc.max_receive_message_length`, as it came or decompressed. */
const TOO_LARGE = /^Received message (larger than max|that decompresses to a size larger than )/
/** By grpc-js about a response; a server on grpc-js says the same about a request, with the request's size. */
const LARGE_ANSWER =
  /^Received message (?:larger than max \((\d+) vs \d+\)|that decompresses to a size larger than \d+)$/
/** By grpc-js, with code 8: above `grpc.max_send_message_length`. The message was not sent. */
const LARGE_TO_SEND = /^Attempted to send message with a size larger than \d+$/
const SIZE_CODES: readonly number[] = [CODE.resourceExhausted, CODE.outOfRange, CODE.unknown, CODE.internal]

const NO = { retry: 'no', outcome: 'not_done' } as const
const AMBIGUOUS = { retry: 'no', outcome: 'unknown' } as const
const AGAIN = { retry: 'backoff', outcome: 'not_done' } as const

/**
 * Classifies a failure. A write with an unknown outcome is never retried.
 * @example classify({ code: 14, details: 'Connection dropped', isFromPeer: false }, 'write').outcome // 'unknown'
 */
export function classify(failure: CallFailure, kind: CallKind): Verdict {
  const page = pageOf(failure)
  // grpc-js may read the first letters of a page as the length of a message.
  if (page && page.status !== 413) return classifyPage(page, failure, kind)
  const large = tooLarge(failure)
  if (large !== undefined) return large === 'request' || kind === 'read' ? NO : AMBIGUOUS
  if (isNotOneAnswer(failure)) return kind === 'read' ? NO : AMBIGUOUS
  if (REFUSED.includes(failure.code) || isNeverMade(failure)) return NO
  if (failure.code === CODE.unauthenticated) return { retry: 'new_token', outcome: 'not_done' }
  if (failure.code === CODE.resourceExhausted) return classifyExhausted(failure, kind)
  if (isNeverSent(failure)) return failure.code === CODE.deadlineExceeded ? NO : AGAIN
  return kind === 'read' ? classifyRead(failure) : AMBIGUOUS
}

/** A page is not PCS's verdict: for a read it is a temporary failure. */
function classifyPage(page: Page, failure: CallFailure, kind: CallKind): Verdict {
  if (page.status === 401) return { retry: 'new_token', outcome: 'not_done' }
  if (kind === 'read' || isHttpTooMany(failure)) return AGAIN
  // With gRPC's content type, a server that says 429 did receive the call.
  return isNotPassedOn(page) ? AGAIN : AMBIGUOUS
}

function classifyExhausted(failure: CallFailure, kind: CallKind): Verdict {
  if (failure.retryAfterMs !== undefined) return { retry: 'hint', outcome: 'not_done' }
  if (failure.asksToWait === true) return AGAIN
  return kind === 'write' && isExhaustedOtherwise(failure) ? AMBIGUOUS : NO
}

function classifyRead({ code, details }: CallFailure): Verdict {
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

/** Whether PCS, or a gateway, asks to call less often. */
export function isRateLimited(failure: CallFailure): boolean {
  if (isHttpTooMany(failure)) return true
  return failure.code === CODE.resourceExhausted && (failure.retryAfterMs !== undefined || failure.asksToWait === true)
}

/** Whether the call provably did not reach a server that would have acted on it. */
export function isNeverSent(failure: CallFailure): boolean {
  const { code, details, isFromPeer } = failure
  if (isHttpTooMany(failure)) return true
  if (isFromPeer) return false
  if (code === CODE.unavailable) return NEVER_SENT.some((text) => text.test(details))
  if (code === CODE.deadlineExceeded) return NEVER_PICKED.test(details)
  return code === CODE.internal && NEVER_STARTED.test(details)
}

/**
 * Whether there was no connection for the call. Unlike a rejection, no server has spent anything on it, so a retry puts no
 * load on anybody.
 */
export function isNeverConnected(failure: CallFailure): boolean {
  return isNeverSent(failure) && !isHttpTooMany(failure) && !REFUSED_STREAM.test(failure.details)
}

/**
 * The configuration fault that prevents a connection, so that waiting is pointless. An untrusted certificate always is one;
 * any other fault may be temporary, during a rollout, if the endpoint has worked before.
 * @param hasAnswered whether any call has been answered
 */
export function setUpFaultOf(failure: CallFailure, hasAnswered: boolean): SetUpFault | undefined {
  const [, lastError] = isNeverConnected(failure) ? failure.details.split('Last error: ', 2) : []
  // The rest contains the host name.
  const [error] = lastError?.split('. Resolution note: ', 1) ?? []
  const fault = error === undefined ? undefined : setUpFaultIn(error)
  return fault === 'certificate' || !hasAnswered ? fault : undefined
}

/** Whether the call could not even be made: a fault of the configuration, not of the network. */
export function isNeverMade({ details, isFromPeer }: CallFailure): boolean {
  return !isFromPeer && NEVER_MADE.test(details)
}

/** Whether a gateway limited the rate (HTTP 429) and did not forward the call. A gRPC server that says so did receive it. */
export function isHttpTooMany({ code, details, isGrpc }: CallFailure): boolean {
  return code === CODE.unavailable && isGrpc !== true && HTTP_TOO_MANY.test(details)
}

/** Whether an exhaustion (code 8) is about the connection rather than about the app's limits. */
export function isExhaustedOtherwise(failure: CallFailure): boolean {
  return ENHANCE_YOUR_CALM.test(failure.details) || tooLarge(failure) === 'answer'
}

/** Whether a response was larger than this client accepts, so a retry would bring the same one. */
export function isTooLarge({ code, details }: CallFailure): boolean {
  return code === CODE.resourceExhausted && TOO_LARGE.test(details)
}

/**
 * Whether the request was rejected for its size, in whatever words, by grpc-js, a gateway or the server: then nothing was
 * done, and a smaller request may be accepted.
 */
export function isRequestTooLarge(failure: CallFailure): boolean {
  return tooLarge(failure) === 'request'
}

/** What was too large, if that is the failure. A response that is too large means that the request was carried out. */
function tooLarge(failure: CallFailure): 'request' | 'answer' | undefined {
  const { code, details, isFromPeer } = failure
  const page = pageOf(failure)
  if (page) return page.status === 413 ? 'request' : undefined
  if (!isFromPeer && code === CODE.resourceExhausted && LARGE_TO_SEND.test(details)) return 'request'
  const isLikely = code === CODE.resourceExhausted || code === CODE.outOfRange
  // A failure that asks to wait is a rate limit, in whatever words.
  const asksToWait = failure.retryAfterMs !== undefined || failure.asksToWait === true
  const isSaid = (isLikely && !asksToWait && speaksOfSize(details)) || speaksOfSizeOnly(details)
  // Go's proxies report a gateway's page as UNAVAILABLE.
  if (code === CODE.unavailable) return isFromPeer && speaksOfHttp413(details) ? 'request' : undefined
  if (!SIZE_CODES.includes(code) || !(isSaid || LARGE_ANSWER.test(details))) return undefined
  return isOfAnswer(failure) || speaksOfReply(details) ? 'answer' : 'request'
}

/** Whether grpc-js may have said it about the response. */
function isOfAnswer({ details, isFromPeer, mayBeLocal, requestBytes }: CallFailure): boolean {
  if (!isFromPeer) return true
  const [isMatch, size] = LARGE_ANSWER.exec(details) ?? []
  return isMatch !== undefined && mayBeLocal === true && Number(size) !== requestBytes
}

/** Whether a response came and cannot be read. */
export function isUnreadable({ code, details }: CallFailure): boolean {
  return code === CODE.internal && UNREADABLE.test(details)
}

/** Whether a server reported success without exactly one response. */
export function isNotOneAnswer({ code, details }: CallFailure): boolean {
  return code === CODE.unimplemented && NOT_ONE_ANSWER.test(details)
}
