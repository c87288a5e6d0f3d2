import { isPpoppoError, type PpoppoError, type PpoppoErrorCode } from '../../errors.js'
import { TooLargeError } from '../call/failure.js'
import type { ChunkOutcome } from '../types/methods.js'

/** Errors of the library that do not prove that nothing was sent. */
const AMBIGUOUS: ReadonlySet<PpoppoErrorCode> = new Set<PpoppoErrorCode>(['send_outcome_unknown', 'closed'])

/**
 * What a failed send says about its recipients. Only an error of the library proves that nothing was sent, except
 * `send_outcome_unknown`, and `closed`, which may end a send halfway. Any other error, such as the `AbortError` of a send
 * that was cut off, leaves it unknown, unless no request was in flight at that moment (`isInDoubt` is false).
 */
export function outcomeOf(error: unknown, isInDoubt = true): Exclude<ChunkOutcome, 'accepted'> {
  if (isPpoppoError(error, 'send_outcome_unknown')) return 'unknown'
  return !isInDoubt || (isPpoppoError(error) && !AMBIGUOUS.has(error.code)) ? 'rejected' : 'unknown'
}

/** Failures caused by the account, the template or the configuration, which every other chunk would meet too. */
const COMMON: ReadonlySet<PpoppoErrorCode> = new Set<PpoppoErrorCode>([
  'closed',
  'config_invalid',
  'messaging_not_configured',
  'messaging_misconfigured',
  'credentials_rejected',
  'permission_denied',
  'precondition_failed',
  'quota_exceeded',
])

/** If PCS asks to wait for longer than this, the run stops instead. */
export const LONGEST_WAIT_MS = 600_000

/**
 * Whether every further chunk would fail in the same way, so that reading on is pointless. `not_found` may mean the
 * template or a recipient: a template that was accepted before (`hasAccepted`) exists.
 */
export function isCommonFailure(error: PpoppoError, hasAccepted: boolean): boolean {
  if (error.code === 'rate_limited') return (error.retryAfterMs ?? 0) > LONGEST_WAIT_MS
  return COMMON.has(error.code) || (error.code === 'not_found' && !hasAccepted)
}

/** Whether a send was rejected for its content: one of its recipients, or its size. A smaller send may be accepted. */
export function isRefusal(error: unknown): error is PpoppoError {
  if (error instanceof TooLargeError) return true
  // An error found by our own checks would be found again in each half.
  if (!isPpoppoError(error) || error.grpcCode === undefined) return false
  return error.code === 'request_invalid' || error.code === 'not_found'
}

const OUTAGE: ReadonlySet<PpoppoErrorCode> = new Set<PpoppoErrorCode>([
  'messaging_unavailable',
  'deadline_exceeded',
  'send_outcome_unknown',
])

/** Whether PCS seems to be unavailable: to continue at once would only use up the list. */
export function isOutage(error: unknown): error is PpoppoError {
  return isPpoppoError(error) && OUTAGE.has(error.code)
}
