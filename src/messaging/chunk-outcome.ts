import { isPpoppoError, type PpoppoError, type PpoppoErrorCode } from '../errors.js'

/** What became of a chunk. */
export type ChunkOutcome = 'accepted' | 'rejected' | 'unknown'

const OPEN: ReadonlySet<PpoppoErrorCode> = new Set<PpoppoErrorCode>(['send_outcome_unknown', 'closed'])

/**
 * What a failed send says about its recipients: only the library's own errors are sure that nothing was sent, and of
 * them `send_outcome_unknown` is not, nor `closed`, which ends a send in the middle. Anything else, such as the
 * `AbortError` of a send that was cut off, leaves it open.
 */
export function outcomeOf(error: unknown): Exclude<ChunkOutcome, 'accepted'> {
  return isPpoppoError(error) && !OPEN.has(error.code) ? 'rejected' : 'unknown'
}

/** Failures that lie in the account, the template or the set-up: every other chunk would meet them too. */
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

/**
 * Whether every further chunk would fail in the same way, so that reading on is pointless. `not_found` may be the
 * template or a recipient: a template that took a chunk before (`hasAccepted`) exists.
 */
export function isCommonFailure(error: PpoppoError, hasAccepted: boolean): boolean {
  return COMMON.has(error.code) || (error.code === 'not_found' && !hasAccepted)
}
