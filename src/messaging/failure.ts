import { type KnownOfSend, PpoppoError, type PpoppoErrorCode, type PpoppoErrorOptions } from '../errors.js'
import {
  type CallFailure,
  type CallKind,
  CODE,
  classify,
  isExhaustedOtherwise,
  isHttpTooMany,
  isUnreadable,
} from './classify.js'

/** What was asked, in words and in facts, for the message of an error. */
export interface Asked {
  /** Method of the client: `send`, `templates.create`. */
  readonly operation: string
  readonly kind: CallKind
  /** For a send: what is known of it should its outcome be unknown. */
  readonly send?: Omit<KnownOfSend, 'attempts'>
}

/** Where calls go and what has been seen of it. */
export interface Place {
  /** E.g. `https://api.ppoppo.com/ext`. */
  readonly apiUrl: string
  /** Whether any call to it has succeeded. */
  readonly hasAnswered: boolean
}

/** A call that ended badly, inside the client; {@link toMessagingError} makes an error for the app of it. */
export class CallFailed extends Error {
  readonly failure: CallFailure

  constructor(failure: CallFailure) {
    super('call failed')
    this.failure = failure
  }
}

/** The error for a call that is not repeated any more. @param attempts how many were begun */
export function toMessagingError(failure: CallFailure, asked: Asked, place: Place, attempts: number): PpoppoError {
  const { code, retryAfterMs } = failure
  const options: PpoppoErrorOptions = {
    grpcCode: code,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    // The original carries metadata; this is what may be shown of it.
    cause: new Error(`gRPC status ${code}${said(failure.details)}`),
  }
  if (classify(failure, asked.kind).outcome === 'unknown') return ofUnknown(failure, asked, attempts, options)
  const [errorCode, text] = explain(failure, place)
  return new PpoppoError(errorCode, `${asked.operation}: ${text}`, options)
}

function ofUnknown(failure: CallFailure, asked: Asked, attempts: number, options: PpoppoErrorOptions): PpoppoError {
  const why = `the call ended without an answer (gRPC ${failure.code}${said(failure.details)})`
  if (!asked.send) {
    return new PpoppoError(
      'messaging_unavailable',
      `${asked.operation}: ${why}. It may have been done; asking again is safe, since a name is taken only once.`,
      options,
    )
  }
  const { templateId, recipients } = asked.send
  return new PpoppoError(
    'send_outcome_unknown',
    `${asked.operation}: ${why}. Template ${templateId} may have been sent to ${recipients} recipient${recipients === 1 ? '' : 's'}, so it is not repeated: look whether it arrived before you send again.`,
    { ...options, known: { ...asked.send, attempts } },
  )
}

type Explanation = readonly [PpoppoErrorCode, string]

function explain(failure: CallFailure, place: Place): Explanation {
  const says = said(failure.details)
  switch (failure.code) {
    case CODE.invalidArgument:
    case CODE.outOfRange:
      return ['request_invalid', `PCS finds the request malformed${says}.`]
    case CODE.notFound:
      return ['not_found', `PCS does not know it, or it is another app's${says}. Check the id.`]
    case CODE.alreadyExists:
      return ['template_name_taken', `the name is taken${says}. Choose another, or use the template there is.`]
    case CODE.permissionDenied:
      return [
        'permission_denied',
        `PCS denies it${says}. Check that the app is not suspended, that this server's address is on its list of IPs, and its scopes.`,
      ]
    case CODE.failedPrecondition:
      return ['precondition_failed', `PCS is not ready for it${says}. Activate the template, or have the app approved.`]
    case CODE.unauthenticated:
      return [
        'credentials_rejected',
        `PCS refuses the token, also a new one${says}. Check that PCS_API_URL and PAS_TOKEN_URL belong to the same environment.`,
      ]
    case CODE.unimplemented:
      return ['messaging_misconfigured', ofUnimplemented(says, place)]
    case CODE.resourceExhausted:
      return ofExhausted(failure, says)
    case CODE.deadlineExceeded:
      return ['deadline_exceeded', `no answer in time from ${place.apiUrl}. Check PCS_API_URL, or raise "deadlineMs".`]
    case CODE.unavailable:
    case CODE.cancelled:
      if (isHttpTooMany(failure)) return ['rate_limited', `too many requests${says}. Try again later, and less often.`]
      return [
        'messaging_unavailable',
        `PCS at ${place.apiUrl} does not answer${says}. Check PCS_API_URL and the network.`,
      ]
    case CODE.internal:
      if (!isUnreadable(failure)) return ['messaging_unavailable', `PCS failed${says}. Try again later.`]
      return ['messaging_response_invalid', `PCS's answer cannot be read${says}. Check "descriptor" and PCS_API_URL.`]
    default:
      return ['messaging_response_invalid', `PCS answered in a way that says nothing${says}. Check PCS_API_URL.`]
  }
}

function ofUnimplemented(says: string, { apiUrl, hasAnswered }: Place): string {
  const prefix = new URL(apiUrl).pathname
  return hasAnswered
    ? `PCS has no such method${says}. Take the vendor's own "descriptor".`
    : `nothing of PCS answers at ${apiUrl}${says}. Probably the path of PCS_API_URL is wrong (now "${prefix}"; production's is "/ext").`
}

function ofExhausted(failure: CallFailure, says: string): Explanation {
  if (failure.retryAfterMs !== undefined) {
    return ['rate_limited', `too many requests${says}; PCS asks to wait ${failure.retryAfterMs} ms.`]
  }
  if (isExhaustedOtherwise(failure)) {
    return ['messaging_unavailable', `the connection to PCS is at its limits${says}. Send less at a time.`]
  }
  return ['quota_exceeded', `a limit of the app is used up${says}, and PCS names no time to wait. See app.stats().`]
}

/** What the other side says, fit for one line: bounded, printable, and without anything that looks like a token. */
export function said(details: string): string {
  const clean = details
    .replace(/\b(Bearer|Basic)\s+\S+/gi, '$1 [removed]')
    .replace(/[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, '[removed]')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/\. Resolution note: .*$/, '')
    .trim()
    .replace(/\.$/, '')
  if (clean === '') return ''
  return `: ${clean.length > 200 ? `${clean.slice(0, 200)}...` : clean}`
}
