import { isPpoppoError, type PpoppoError, type PpoppoErrorCode } from '../errors.js'
import { isCommonFailure, outcomeOf } from '../messaging/send-many/chunk-outcome.js'
import type { Settlement } from '../store/campaign-ledger.js'
import { toReasonText } from './settings.js'

/** What to do with a chunk whose send failed: settle it, or send its halves. */
export type AfterFailure =
  | { readonly kind: 'settle'; readonly settlement: Pick<Settlement, 'outcome' | 'word' | 'restMs' | 'stopReason'> }
  | { readonly kind: 'split'; readonly code: PpoppoErrorCode }

const SHORTEST_REST_MS = 200
/** Rest if PCS asks to wait without saying how long. */
const DEFAULT_REST_MS = 5_000
/** Rest if PCS does not answer. */
const AWAY_REST_MS = 2_000

/** Temporary failures in which nothing was sent. */
const PASSING: ReadonlySet<PpoppoErrorCode> = new Set<PpoppoErrorCode>([
  'messaging_unavailable',
  'messaging_response_invalid',
  'deadline_exceeded',
])
/** Failures that may be about single recipients, or about the size. */
const ABOUT_RECIPIENTS: ReadonlySet<PpoppoErrorCode> = new Set<PpoppoErrorCode>(['request_invalid', 'not_found'])

/**
 * @param hasAccepted whether a send of this campaign was accepted before: then its template exists
 * @param size how many recipients the send had
 */
export function judgeFailure(error: unknown, hasAccepted: boolean, size: number): AfterFailure {
  if (outcomeOf(error) === 'unknown' && !isPpoppoError(error, 'closed'))
    return settle('unknown', 'send_outcome_unknown', { restMs: AWAY_REST_MS })
  // All others are errors of the library, which prove that nothing was sent.
  const fault = error as PpoppoError
  const { code, retryAfterMs } = fault
  if (code === 'closed') return settle('unknown', code, {})
  if (code === 'rate_limited')
    return settle('planned', code, { restMs: Math.max(SHORTEST_REST_MS, retryAfterMs ?? DEFAULT_REST_MS) })
  if (PASSING.has(code)) return settle('planned', code, { restMs: Math.max(AWAY_REST_MS, retryAfterMs ?? 0) })
  if (ABOUT_RECIPIENTS.has(code) && !isCommonFailure(fault, hasAccepted))
    return size > 1 ? { kind: 'split', code } : settle('rejected', code, {})
  return settle('planned', code, { stopReason: toReasonText(code, fault.message) })
}

function settle(
  outcome: Settlement['outcome'],
  word: string,
  more: Pick<Settlement, 'restMs' | 'stopReason'>,
): AfterFailure {
  return { kind: 'settle', settlement: { outcome, word, ...more } }
}
