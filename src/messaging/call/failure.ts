import { type KnownOfSend, PpoppoError, type PpoppoErrorCode, type PpoppoErrorOptions } from '../../errors.js'
import { isPlainObject } from '../../lib/guards.js'
import { explainSetUp } from '../channel/set-up-fault.js'
import type { SendContext } from './call-options.js'
import { type Page, pageOf } from './page.js'
import {
  type CallKind,
  classify,
  isExhaustedOtherwise,
  isHttpTooMany,
  isNeverMade,
  isNotOneAnswer,
  isRequestTooLarge,
  isUnreadable,
  setUpFaultOf,
} from './retry-policy.js'
import { type CallFailure, CODE } from './status.js'

/** What was called, for the message of an error. */
export interface Asked {
  /** Method of the client: `send`, `templates.create`. */
  readonly operation: string
  readonly kind: CallKind
  /** For a send: what is known about it if its outcome is unknown. */
  readonly send?: Omit<KnownOfSend, 'attempts'>
  /** For a send of `sendMany`. */
  readonly context?: SendContext
  /** Whether it fails at once if there is no connection, instead of waiting for one. */
  readonly failsFast?: boolean
}

/** The API that is called, and what is known about it. */
export interface Place {
  /** E.g. `https://api.ppoppo.com/ext`. */
  readonly apiUrl: string
  /** Whether any call to it has succeeded. */
  readonly hasAnswered: boolean
}

/** A failed call, inside the client; {@link toMessagingError} turns it into an error for the app. */
export class CallFailed extends Error {
  readonly failure: CallFailure

  constructor(failure: CallFailure) {
    super('call failed')
    this.failure = failure
  }
}

/**
 * A request that was rejected for its size, by PCS, by a gateway, or by us before it was sent. Nothing was done; a smaller
 * request may be accepted.
 */
export class TooLargeError extends PpoppoError {
  /** Size of the encoded request. */
  readonly bytes: number

  constructor(operation: string, bytes: number, says: string, options: PpoppoErrorOptions = {}) {
    super(
      'request_invalid',
      `${operation}: the request is too large (${bytes.toLocaleString('en')} bytes)${says}. Send to fewer recipients at a time, or shorten vars; sendMany() splits requests automatically.`,
      options,
    )
    this.bytes = bytes
  }
}

/**
 * The error for a call that could not be made, so that nothing was sent. It names only the kind of the cause, whose text may
 * quote the token or the request.
 */
export function toUnmade(cause: unknown): PpoppoError {
  if (cause instanceof PpoppoError) return cause
  const name = cause instanceof Error ? cause.name : typeof cause
  const code = isPlainObject(cause) && typeof cause['code'] === 'string' ? ` ${cause['code']}` : ''
  return new PpoppoError(
    'config_invalid',
    `The call could not be made, and nothing was sent (${name}${code}). Check "descriptor", and that @grpc/grpc-js and @grpc/proto-loader are installed.`,
  )
}

/** The error for a failed call. @param attempts how many were started */
export function toMessagingError(failure: CallFailure, asked: Asked, place: Place, attempts: number): PpoppoError {
  const { code, retryAfterMs } = failure
  const options: PpoppoErrorOptions = {
    grpcCode: code,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    // The original carries metadata; only this may be shown.
    cause: new Error(`gRPC status ${code}${said(failure.details)}`),
  }
  if (classify(failure, asked.kind).outcome === 'unknown') return toUnknownOutcome(failure, asked, attempts, options)
  if (isRequestTooLarge(failure)) {
    return new TooLargeError(asked.operation, failure.requestBytes ?? 0, said(failure.details), options)
  }
  const [errorCode, text] = explain(failure, place)
  return new PpoppoError(errorCode, `${asked.operation}: ${text}`, options)
}

function toUnknownOutcome(
  failure: CallFailure,
  asked: Asked,
  attempts: number,
  options: PpoppoErrorOptions,
): PpoppoError {
  const why = pageOf(failure)
    ? `a gateway answered instead of PCS${said(failure.details)}, possibly after it had forwarded the call`
    : `the call ended without an answer (gRPC ${failure.code}${said(failure.details)})`
  if (!asked.send) {
    return new PpoppoError(
      'messaging_unavailable',
      `${asked.operation}: ${why}. It may have succeeded. A retry is safe, because a name can be taken only once.`,
      options,
    )
  }
  const { templateId, recipients } = asked.send
  return new PpoppoError(
    'send_outcome_unknown',
    `${asked.operation}: ${why}. Template ${templateId} may have been sent to ${recipients} recipient${recipients === 1 ? '' : 's'}, so it is not retried. Check whether it arrived before you send again.`,
    { ...options, known: { ...asked.send, attempts } },
  )
}

type Explanation = readonly [PpoppoErrorCode, string]

function explain(failure: CallFailure, place: Place): Explanation {
  const says = said(failure.details)
  if (isNeverMade(failure)) {
    return ['config_invalid', `the call could not be made, and nothing was sent${says}. Check PCS_API_URL.`]
  }
  const setUpFault = setUpFaultOf(failure, place.hasAnswered)
  if (setUpFault) return ['messaging_misconfigured', explainSetUp(setUpFault, place.apiUrl, 'PCS_API_URL', says)]
  const page = pageOf(failure)
  if (page) return explainPage(page, failure, place, says)
  if (isNotOneAnswer(failure)) {
    return [
      'messaging_response_invalid',
      `PCS reported success without exactly one response${says}. Report this to Ppoppo.`,
    ]
  }
  switch (failure.code) {
    case CODE.invalidArgument:
    case CODE.outOfRange:
      return ['request_invalid', `PCS rejected the request as invalid${says}.`]
    case CODE.notFound:
      return ['not_found', `it does not exist, or belongs to another app${says}. Check the id.`]
    case CODE.alreadyExists:
      return ['template_name_taken', `the name is taken${says}. Choose another one, or use the existing template.`]
    case CODE.permissionDenied:
      return [
        'permission_denied',
        `PCS denied permission${says}. Check that the app is not suspended, that this server's IP address is on its allow list, and that it has the necessary scopes.`,
      ]
    case CODE.failedPrecondition:
      return [
        'precondition_failed',
        `a precondition is not met${says}. Activate the template, or have the app approved.`,
      ]
    case CODE.unauthenticated:
      return [
        'credentials_rejected',
        `PCS rejected the access token, even a new one${says}. Check that PCS_API_URL and PAS_TOKEN_URL belong to the same environment.`,
      ]
    case CODE.unimplemented:
      return ['messaging_misconfigured', explainUnimplemented(says, place)]
    case CODE.resourceExhausted:
      return explainExhausted(failure, says)
    case CODE.deadlineExceeded:
      return ['deadline_exceeded', `no answer in time from ${place.apiUrl}. Check PCS_API_URL, or raise "deadlineMs".`]
    case CODE.unavailable:
    case CODE.cancelled:
      return [
        'messaging_unavailable',
        `PCS at ${place.apiUrl} does not answer${says}. Check PCS_API_URL and the network.`,
      ]
    case CODE.internal:
      if (!isUnreadable(failure)) return ['messaging_unavailable', `PCS failed${says}. Try again later.`]
      return ['messaging_response_invalid', `PCS's answer cannot be read${says}. Check "descriptor" and PCS_API_URL.`]
    default:
      return ['messaging_response_invalid', `PCS returned an unspecific error${says}. Check PCS_API_URL.`]
  }
}

/** A gateway's page says nothing about the app; but if nothing else has ever answered, something is misconfigured. */
function explainPage({ status }: Page, failure: CallFailure, place: Place, says: string): Explanation {
  if (isHttpTooMany(failure)) return ['rate_limited', `too many requests${says}. Try again later, and less often.`]
  if (!place.hasAnswered && status === 404) return ['messaging_misconfigured', explainUnimplemented(says, place)]
  const isPassing = status !== undefined && (status >= 500 || status === 408)
  if (!place.hasAnswered && !isPassing) {
    return [
      'messaging_misconfigured',
      `a web page answers at ${place.apiUrl} instead of PCS${says}. Check PCS_API_URL, and whether a gateway blocks this server.`,
    ]
  }
  return [
    'messaging_unavailable',
    `a gateway answers instead of PCS at ${place.apiUrl}${says}. Try again later; if it persists, check PCS_API_URL and the network.`,
  ]
}

function explainUnimplemented(says: string, { apiUrl, hasAnswered }: Place): string {
  const prefix = new URL(apiUrl).pathname
  return hasAnswered
    ? `PCS has no such method${says}. Use the vendor's own "descriptor".`
    : `nothing of PCS answers at ${apiUrl}${says}. Probably the path of PCS_API_URL is wrong (now "${prefix}"; production's is "/ext"), or this server has another contract: fetch it with "npx express-ppoppo proto pull".`
}

function explainExhausted(failure: CallFailure, says: string): Explanation {
  if (failure.retryAfterMs !== undefined) {
    return ['rate_limited', `too many requests${says}; PCS asks to wait ${failure.retryAfterMs} ms.`]
  }
  if (failure.asksToWait === true) {
    return ['rate_limited', `too many requests${says}; PCS asks to wait, but gives no readable time.`]
  }
  if (isExhaustedOtherwise(failure)) {
    return ['messaging_unavailable', `the connection to PCS has reached a limit${says}. Send less at a time.`]
  }
  return ['quota_exceeded', `a quota of the app is used up${says}, and PCS gives no time to wait. See app.stats().`]
}

/** No more is looked at, and no more is shown. */
const MAX_READ = 1_000
const MAX_SHOWN = 200

/** What the server says, fit for one line: bounded, printable, and without anything that looks like a token. */
export function said(details: string): string {
  // Cut before it is searched. The word across the cut is dropped, because half a token does not look like one.
  const read = details.slice(0, MAX_READ).replace(/[\p{Cc}\p{Cf}\p{Z}]+/gu, ' ')
  const whole = details.length > MAX_READ ? read.slice(0, Math.max(0, read.lastIndexOf(' '))) : read
  const [plain = ''] = whole.split('. Resolution note: ')
  const clean = plain
    .replace(/\b(Bearer|Basic) +\S+/gi, '$1 [removed]')
    .replace(/[\w.-]+/g, (word) => (isTokenLike(word) ? '[removed]' : word))
    .trim()
    .replace(/\.$/, '')
  if (clean === '') return ''
  return `: ${clean.length > MAX_SHOWN ? `${clean.slice(0, MAX_SHOWN)}...` : clean}`
}

/** Whether a word has two dotted parts of eight characters and something after them, as a JWT does. */
function isTokenLike(word: string): boolean {
  const parts = word.split('.')
  return parts.some(
    (part, index) => part.length >= 8 && (parts[index + 1]?.length ?? 0) >= 8 && index + 2 < parts.length,
  )
}
