import { type SetUpFault, setUpFaultIn } from '../channel/set-up-fault.js'
import { isNotPassedOn, type Page, pageOf } from './page.js'
import { speaksOfHttp413, speaksOfReply, speaksOfSize, speaksOfSizeOnly } from './size-words.js'
import { type CallFailure, CODE } from './status.js'

/*
 * When a call is repeated, and what a failure means for what was asked: pure, by gRPC's status code, the text beside it
 * (`details`) and the kind of call. The texts are those of @grpc/grpc-js 1.14; tests hold them against the installed one.
 */

/** A `read` may be asked any number of times; a `write` must not happen twice. */
export type CallKind = 'read' | 'write'

/** What to do about a {@link CallFailure}. */
export interface Verdict {
  /** `backoff`: after a pause; `hint`: after what the server asks; `new_token`: at once, one time, with another token. */
  readonly repeat: 'no' | 'backoff' | 'hint' | 'new_token'
  /** Whether what was asked surely was not done, or perhaps was. */
  readonly outcome: 'not_done' | 'unknown'
}

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

/** The server refused it before it looked (RFC 9113 8.7). */
const REFUSED_STREAM = /^Stream refused by server$/
/** Texts of grpc-js for a call that never left this process, or that the server refused. */
const NEVER_SENT = [
  /^No connection established/,
  /^Name resolution failed for target /,
  /^Channel closed before call started$/,
  /^Channel has been shut down$/,
  /^Picked subchannel .* is unhealthy$/,
  REFUSED_STREAM,
] as const
/** With code 4: the time was up while the call waited for a connection. */
const NEVER_PICKED = /^Deadline exceeded after .*(Waiting for LB pick|waiting for (name resolution|metadata filters))$/
/** With code 13: the stream could not be opened. */
const NEVER_STARTED = /^Failed to start HTTP\/2 stream with error /
/** With any code: grpc-js could not make the call out of what it was given, and cannot the next time either. */
const NEVER_MADE =
  /^("authorization" metadata cannot have multiple values$|Request message serialization failure: |Getting metadata from plugin failed with error: |Invalid status from control plane: |Failed to route call to method |Failed to parse (DNS|ipv4|ipv6) address |Unrecognized scheme )/
/** With code 14. grpc-js maps HTTP statuses 429, 502, 503 and 504 to it. */
const HTTP_TOO_MANY = /^Received HTTP status code 429$/
/** grpc-js reports neither code nor text where it cannot decompress a message; these stand in. */
export const CANNOT_DECOMPRESS = 'Response message is compressed in an unknown way'
/** With code 13: the answer came and cannot be read, so that asking again brings it again. */
const UNREADABLE =
  /^(Response message (parsing error|is compressed in an unknown way)|Received message larger than max|Failed to decompress )/
/** With code 12, by grpc-js: the server says that all is well, with no answer or with more than one. */
const NOT_ONE_ANSWER = /^(No message received|Too many responses received)$/
/** With code 8, and neither a rate limit nor a quota. */
const ENHANCE_YOUR_CALM = /^Bandwidth exhausted or memory limit exceeded$/

/** With code 8, by grpc-js: above `grpc.max_receive_message_length`, as it came or decompressed. */
const TOO_LARGE = /^Received message (larger than max|that decompresses to a size larger than )/
/** By grpc-js of an answer; a server on grpc-js says the same of a request, and names the request's size. */
const LARGE_ANSWER =
  /^Received message (?:larger than max \((\d+) vs \d+\)|that decompresses to a size larger than \d+)$/
/** By grpc-js, with code 8: above `grpc.max_send_message_length`. The message did not leave. */
const LARGE_TO_SEND = /^Attempted to send message with a size larger than \d+$/
const SIZE_CODES: readonly number[] = [CODE.resourceExhausted, CODE.outOfRange, CODE.unknown, CODE.internal]

const NO = { repeat: 'no', outcome: 'not_done' } as const
const AMBIGUOUS = { repeat: 'no', outcome: 'unknown' } as const
const AGAIN = { repeat: 'backoff', outcome: 'not_done' } as const

/**
 * The table. What is in doubt is never repeated for a write.
 * @example classify({ code: 14, details: 'Connection dropped', isFromPeer: false }, 'write').outcome // 'unknown'
 */
export function classify(failure: CallFailure, kind: CallKind): Verdict {
  const page = pageOf(failure)
  // grpc-js may take the letters of a page for the length of a message.
  if (page && page.status !== 413) return classifyPage(page, failure, kind)
  const large = tooLarge(failure)
  if (large !== undefined) return large === 'request' || kind === 'read' ? NO : AMBIGUOUS
  if (isNotOneAnswer(failure)) return kind === 'read' ? NO : AMBIGUOUS
  if (REFUSED.includes(failure.code) || isNeverMade(failure)) return NO
  if (failure.code === CODE.unauthenticated) return { repeat: 'new_token', outcome: 'not_done' }
  if (failure.code === CODE.resourceExhausted) return classifyExhausted(failure, kind)
  if (isNeverSent(failure)) return failure.code === CODE.deadlineExceeded ? NO : AGAIN
  return kind === 'read' ? classifyRead(failure) : AMBIGUOUS
}

/** A page is no verdict: for what may be asked again it is a failure that passes. */
function classifyPage(page: Page, failure: CallFailure, kind: CallKind): Verdict {
  if (page.status === 401) return { repeat: 'new_token', outcome: 'not_done' }
  if (kind === 'read' || isHttpTooMany(failure)) return AGAIN
  // Of gRPC's own content type: a server that merely says 429 did get it.
  return isNotPassedOn(page) ? AGAIN : AMBIGUOUS
}

function classifyExhausted(failure: CallFailure, kind: CallKind): Verdict {
  if (failure.retryAfterMs !== undefined) return { repeat: 'hint', outcome: 'not_done' }
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

/** Whether the call surely did not reach anyone who would have acted on it. */
export function isNeverSent(failure: CallFailure): boolean {
  const { code, details, isFromPeer } = failure
  if (isHttpTooMany(failure)) return true
  if (isFromPeer) return false
  if (code === CODE.unavailable) return NEVER_SENT.some((text) => text.test(details))
  if (code === CODE.deadlineExceeded) return NEVER_PICKED.test(details)
  return code === CODE.internal && NEVER_STARTED.test(details)
}

/**
 * Whether there was no connection to make the call on. Unlike a refusal it is no answer of anybody, so that trying again
 * costs nobody anything.
 */
export function isNeverConnected(failure: CallFailure): boolean {
  return isNeverSent(failure) && !isHttpTooMany(failure) && !REFUSED_STREAM.test(failure.details)
}

/**
 * Why no connection can come about as things are set up, so that waiting is of no use. A certificate that is not accepted
 * is that always; an endpoint that has been good before may be anything else for a while, during a rollout.
 * @param hasAnswered whether there ever was an answer
 */
export function setUpFaultOf(failure: CallFailure, hasAnswered: boolean): SetUpFault | undefined {
  const [, lastError] = isNeverConnected(failure) ? failure.details.split('Last error: ', 2) : []
  // What follows names the host.
  const [error] = lastError?.split('. Resolution note: ', 1) ?? []
  const fault = error === undefined ? undefined : setUpFaultIn(error)
  return fault === 'certificate' || !hasAnswered ? fault : undefined
}

/** Whether the call could not even be made: a fault of the set-up, not of the network. */
export function isNeverMade({ details, isFromPeer }: CallFailure): boolean {
  return !isFromPeer && NEVER_MADE.test(details)
}

/** Whether a gateway limits the rate (HTTP 429): it did not pass the call on. A server that merely says so did get it. */
export function isHttpTooMany({ code, details, isGrpc }: CallFailure): boolean {
  return code === CODE.unavailable && isGrpc !== true && HTTP_TOO_MANY.test(details)
}

/** Whether an exhaustion (code 8) is about the connection rather than about the app's limits. */
export function isExhaustedOtherwise(failure: CallFailure): boolean {
  return ENHANCE_YOUR_CALM.test(failure.details) || tooLarge(failure) === 'answer'
}

/** Whether an answer was larger than this client takes, so that asking again brings it again. */
export function isTooLarge({ code, details }: CallFailure): boolean {
  return code === CODE.resourceExhausted && TOO_LARGE.test(details)
}

/**
 * Whether the request was refused for its size, in whatever words, by grpc-js, a gateway or the server: then nothing was
 * done, and less at a time may pass.
 */
export function isRequestTooLarge(failure: CallFailure): boolean {
  return tooLarge(failure) === 'request'
}

/** What was too large, where that is what a failure says. Of an answer it means that the request was acted on. */
function tooLarge(failure: CallFailure): 'request' | 'answer' | undefined {
  const { code, details, isFromPeer } = failure
  const page = pageOf(failure)
  if (page) return page.status === 413 ? 'request' : undefined
  if (!isFromPeer && code === CODE.resourceExhausted && LARGE_TO_SEND.test(details)) return 'request'
  const isLikely = code === CODE.resourceExhausted || code === CODE.outOfRange
  // What asks to wait is a limit of rate, in whatever words.
  const asksToWait = failure.retryAfterMs !== undefined || failure.asksToWait === true
  const isSaid = (isLikely && !asksToWait && speaksOfSize(details)) || speaksOfSizeOnly(details)
  // Go's proxies give a gateway's page with the code of a server that is away.
  if (code === CODE.unavailable) return isFromPeer && speaksOfHttp413(details) ? 'request' : undefined
  if (!SIZE_CODES.includes(code) || !(isSaid || LARGE_ANSWER.test(details))) return undefined
  return isOfAnswer(failure) || speaksOfReply(details) ? 'answer' : 'request'
}

/** Whether grpc-js may have said it of the answer. */
function isOfAnswer({ details, isFromPeer, mayBeLocal, requestBytes }: CallFailure): boolean {
  if (!isFromPeer) return true
  const [isMatch, size] = LARGE_ANSWER.exec(details) ?? []
  return isMatch !== undefined && mayBeLocal === true && Number(size) !== requestBytes
}

/** Whether an answer came and cannot be read. */
export function isUnreadable({ code, details }: CallFailure): boolean {
  return code === CODE.internal && UNREADABLE.test(details)
}

/** Whether a server said that all is well, and not once what was asked for. */
export function isNotOneAnswer({ code, details }: CallFailure): boolean {
  return code === CODE.unimplemented && NOT_ONE_ANSWER.test(details)
}
