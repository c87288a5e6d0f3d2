import { isPpoppoError } from '../../errors.js'
import { doubled, spread } from '../lib/backoff.js'
import type { CallScope } from '../lib/scope.js'
import { CallFailed } from './failure.js'
import { pageOf } from './page.js'
import { type CallKind, classify, isNeverConnected, isNeverSent, type Verdict } from './retry-policy.js'
import { type CallFailure, CODE } from './status.js'

type Retry = Verdict['retry']

const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 10_000
const FULL_BUDGET = 100
const RETRY_COST = 10
const SUCCESS_EARNS = 1
/** Pauses while there is no connection. They put no load on the server, because the channel connects at its own pace. */
const FIRST_LOOK_MS = 50
const LONGEST_LOOK_MS = 250

/**
 * Bounds retries across all calls of a client: a retry costs 10 of 100 tokens, a success earns 1 back. When everything
 * fails, each call is soon tried only once, instead of adding load to a failing server.
 */
export class RetryBudget {
  #tokens = FULL_BUDGET

  /** Pays for a retry. @returns whether there was enough left */
  spend(): boolean {
    if (this.#tokens < RETRY_COST) return false
    this.#tokens -= RETRY_COST
    return true
  }

  earn(): void {
    this.#tokens = Math.min(FULL_BUDGET, this.#tokens + SUCCESS_EARNS)
  }
}

/** How {@link withRetries} retries. */
export interface RetryRules {
  readonly kind: CallKind
  /** The first one included; 1 is never again. Attempts for which there was no connection do not count. */
  readonly maxAttempts: number
  readonly budget: RetryBudget
  readonly random: () => number
  /** Whether to fail at once if there is no connection. */
  readonly failsFast?: boolean | undefined
  /** Whether a failure is permanent, so that waiting cannot help, or the caller wants to wait itself. */
  readonly isForGood?: ((failure: CallFailure) => boolean) | undefined
  /** Once aborted, no further attempt is started. */
  readonly noNewAttempts?: AbortSignal | undefined
}

/** The result of a retried call: a value, or the last failure and the number of attempts. */
export type Retried<T> =
  | { readonly value: T }
  | { readonly failure: CallFailure; readonly attempts: number; readonly value?: undefined }

/**
 * Runs `attempt`, and retries it if {@link classify} allows: with full jitter, or after the server's hint; never past the
 * deadline, never beyond the budget. Without a connection a retry puts no load on anybody, so neither `maxAttempts` nor the
 * budget applies.
 * @param attempt rejects with a {@link CallFailed} for a failure that may be retried; other errors are passed on
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  scope: CallScope,
  rules: RetryRules,
): Promise<Retried<T>> {
  let hadNewToken = false
  let unconnected = 0
  let whyUnconnected: CallFailure | undefined
  for (let attempts = 1; ; attempts++) {
    scope.throwIfEnded()
    try {
      const value = await attempt()
      rules.budget.earn()
      return { value }
    } catch (error) {
      if (!(error instanceof CallFailed)) {
        // The deadline passed before this attempt started.
        if (whyUnconnected && isPpoppoError(error, 'deadline_exceeded')) return { failure: whyUnconnected, attempts }
        throw error
      }
      // The deadline passed while waiting for a connection: an earlier failure says why there was none.
      const isOutOfTime = error.failure.code === CODE.deadlineExceeded && isNeverSent(error.failure)
      const failure = (isOutOfTime && whyUnconnected) || error.failure
      if (isOutOfTime) return { failure, attempts }
      const retry = afterToken(classify(failure, rules.kind).retry, failure, hadNewToken)
      if (retry === 'no' || rules.isForGood?.(failure)) return { failure, attempts }
      const isUnconnected = isNeverConnected(failure)
      if (isUnconnected) {
        unconnected++
        whyUnconnected = failure
      }
      const pauseMs = isUnconnected
        ? (0.5 + rules.random() / 2) * doubled(FIRST_LOOK_MS, unconnected - 1, LONGEST_LOOK_MS)
        : pause(retry, failure, attempts - unconnected, rules)
      const mayGoOn = isUnconnected
        ? rules.maxAttempts > 1 && !rules.failsFast
        : attempts - unconnected < rules.maxAttempts
      if (!mayGoOn || pauseMs >= scope.remainingMs()) return { failure, attempts }
      // A new token puts no load on a failing server: all calls whose token was revoked may try again.
      if (!isUnconnected && retry !== 'new_token' && !rules.budget.spend()) return { failure, attempts }
      hadNewToken ||= retry === 'new_token'
      if (pauseMs > 0) await scope.pause(pauseMs, rules.noNewAttempts)
      if (rules.noNewAttempts?.aborted) return { failure, attempts }
    }
  }
}

/** A token is replaced once. If PCS rejects the second one, that is final; a gateway's page is treated as any other. */
function afterToken(retry: Retry, failure: CallFailure, hadNewToken: boolean): Retry {
  if (retry !== 'new_token' || !hadNewToken) return retry
  return pageOf(failure) ? 'backoff' : 'no'
}

/** How long to wait before the next attempt, in milliseconds. @param attempts how many there have been */
function pause(retry: Retry, failure: CallFailure, attempts: number, { random }: RetryRules): number {
  switch (retry) {
    case 'new_token':
      return 0
    case 'hint':
      return spread(failure.retryAfterMs ?? 0, random)
    default:
      // A gateway may name a time, too (`Retry-After` with HTTP 429 or 503).
      return Math.max(failure.retryAfterMs ?? 0, random() * doubled(FIRST_PAUSE_MS, attempts - 1, LONGEST_PAUSE_MS))
  }
}
