import { isPpoppoError } from '../../errors.js'
import { doubled, spread } from '../lib/backoff.js'
import type { CallScope } from '../lib/scope.js'
import { CallFailed } from './failure.js'
import { pageOf } from './page.js'
import { type CallKind, classify, isNeverConnected, isNeverSent, type Verdict } from './retry-policy.js'
import { type CallFailure, CODE } from './status.js'

type Repeat = Verdict['repeat']

const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 10_000
const FULL_BUDGET = 100
const RETRY_COST = 10
const SUCCESS_EARNS = 1
/** Between looks for a connection, where there was none: nobody is asked, since the channel connects at its own pace. */
const FIRST_LOOK_MS = 50
const LONGEST_LOOK_MS = 250

/**
 * Bounds repeats over all calls of a client: a repeat costs 10 of 100 tokens, a success earns 1 back. When everything
 * fails, each call is soon tried once only, instead of adding to what ails the server.
 */
export class RetryBudget {
  #tokens = FULL_BUDGET

  /** Takes what a repeat costs. @returns whether there was enough */
  spend(): boolean {
    if (this.#tokens < RETRY_COST) return false
    this.#tokens -= RETRY_COST
    return true
  }

  earn(): void {
    this.#tokens = Math.min(FULL_BUDGET, this.#tokens + SUCCESS_EARNS)
  }
}

/** What {@link withRetries} goes by. */
export interface RetryRules {
  readonly kind: CallKind
  /** The first one included; 1 is never again. Attempts for which there was no connection do not count. */
  readonly maxAttempts: number
  readonly budget: RetryBudget
  readonly random: () => number
  /** Whether it is not waited for a connection where there is none. */
  readonly failsFast?: boolean | undefined
  /** Whether waiting cannot help. */
  readonly isForGood?: ((failure: CallFailure) => boolean) | undefined
  /** Once aborted, no further attempt is begun. */
  readonly noNewAttempts?: AbortSignal | undefined
}

/** What a call with repeats came to: an answer, or the last failure and how many attempts were begun. */
export type Retried<T> =
  | { readonly value: T }
  | { readonly failure: CallFailure; readonly attempts: number; readonly value?: undefined }

/**
 * Runs `attempt`, again where {@link classify} allows it: with full jitter, or after what the server asks; never past
 * the deadline, never beyond the budget. Where there is no connection it is no load on anybody, so neither number nor
 * budget bound it.
 * @param attempt rejects with a {@link CallFailed} for what may be judged; anything else is passed on as it is
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
        // The time was up before this attempt had begun.
        if (whyUnconnected && isPpoppoError(error, 'deadline_exceeded')) return { failure: whyUnconnected, attempts }
        throw error
      }
      // The time was up while it waited for a connection: why there was none is known from before.
      const isOutOfTime = error.failure.code === CODE.deadlineExceeded && isNeverSent(error.failure)
      const failure = (isOutOfTime && whyUnconnected) || error.failure
      if (isOutOfTime) return { failure, attempts }
      const repeat = afterToken(classify(failure, rules.kind).repeat, failure, hadNewToken)
      if (repeat === 'no' || rules.isForGood?.(failure)) return { failure, attempts }
      const isUnconnected = isNeverConnected(failure)
      if (isUnconnected) {
        unconnected++
        whyUnconnected = failure
      }
      const pauseMs = isUnconnected
        ? (0.5 + rules.random() / 2) * doubled(FIRST_LOOK_MS, unconnected - 1, LONGEST_LOOK_MS)
        : pause(repeat, failure, attempts - unconnected, rules)
      const mayGoOn = isUnconnected
        ? rules.maxAttempts > 1 && !rules.failsFast
        : attempts - unconnected < rules.maxAttempts
      if (!mayGoOn || pauseMs >= scope.remainingMs()) return { failure, attempts }
      // Another token is no load on a server that ails: all calls that find theirs revoked at once may have it.
      if (!isUnconnected && repeat !== 'new_token' && !rules.budget.spend()) return { failure, attempts }
      hadNewToken ||= repeat === 'new_token'
      if (pauseMs > 0) await scope.pause(pauseMs, rules.noNewAttempts)
      if (rules.noNewAttempts?.aborted) return { failure, attempts }
    }
  }
}

/** A token is replaced once. PCS's own refusal of the second one stands; a gateway's page is one like any other. */
function afterToken(repeat: Repeat, failure: CallFailure, hadNewToken: boolean): Repeat {
  if (repeat !== 'new_token' || !hadNewToken) return repeat
  return pageOf(failure) ? 'backoff' : 'no'
}

/** How long to wait before the next attempt, in milliseconds. @param attempts how many there were */
function pause(repeat: Repeat, failure: CallFailure, attempts: number, { random }: RetryRules): number {
  switch (repeat) {
    case 'new_token':
      return 0
    case 'hint':
      return spread(failure.retryAfterMs ?? 0, random)
    default:
      // A gateway may name a time, too (`Retry-After` with HTTP 429 or 503).
      return Math.max(failure.retryAfterMs ?? 0, random() * doubled(FIRST_PAUSE_MS, attempts - 1, LONGEST_PAUSE_MS))
  }
}
