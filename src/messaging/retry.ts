import { doubled, spread } from './backoff.js'
import { type CallFailure, type CallKind, classify, type Verdict } from './classify.js'
import { CallFailed } from './failure.js'
import { pageOf } from './page.js'
import type { CallScope } from './scope.js'

type Repeat = Verdict['repeat']

const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 10_000
const FULL_BUDGET = 100
const REPEAT_COSTS = 10
const SUCCESS_EARNS = 1

/**
 * Bounds repeats over all calls of a client: a repeat costs 10 of 100 tokens, a success earns 1 back. When everything
 * fails, each call is soon tried once only, instead of adding to what ails the server.
 */
export class RetryBudget {
  #tokens = FULL_BUDGET

  /** Takes what a repeat costs. @returns whether there was enough */
  spend(): boolean {
    if (this.#tokens < REPEAT_COSTS) return false
    this.#tokens -= REPEAT_COSTS
    return true
  }

  earn(): void {
    this.#tokens = Math.min(FULL_BUDGET, this.#tokens + SUCCESS_EARNS)
  }
}

/** What {@link withRepeats} goes by. */
export interface RepeatRules {
  readonly kind: CallKind
  /** The first one included. */
  readonly maxAttempts: number
  readonly budget: RetryBudget
  readonly random: () => number
}

/** What a call with repeats came to: an answer, or the last failure and how many attempts were begun. */
export type Repeated<T> =
  | { readonly value: T }
  | { readonly failure: CallFailure; readonly attempts: number; readonly value?: undefined }

/**
 * Runs `attempt`, again where {@link classify} allows it: with full jitter, or after what the server asks; never past
 * the deadline, never beyond the budget.
 * @param attempt rejects with a {@link CallFailed} for what may be judged; anything else is passed on as it is
 */
export async function withRepeats<T>(
  attempt: () => Promise<T>,
  scope: CallScope,
  rules: RepeatRules,
): Promise<Repeated<T>> {
  let hadNewToken = false
  for (let attempts = 1; ; attempts++) {
    scope.throwIfEnded()
    try {
      const value = await attempt()
      rules.budget.earn()
      return { value }
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error
      const { failure } = error
      const repeat = afterToken(classify(failure, rules.kind).repeat, failure, hadNewToken)
      const pauseMs = repeat === 'no' ? undefined : pause(repeat, failure, attempts, rules)
      const isWorthIt = pauseMs !== undefined && attempts < rules.maxAttempts && pauseMs < scope.remainingMs()
      // Another token is no load on a server that ails: all calls that find theirs revoked at once may have it.
      if (!isWorthIt || (repeat !== 'new_token' && !rules.budget.spend())) return { failure, attempts }
      hadNewToken ||= repeat === 'new_token'
      if (pauseMs > 0) await scope.pause(pauseMs)
    }
  }
}

/** A token is replaced once. PCS's own refusal of the second one stands; a gateway's page is one like any other. */
function afterToken(repeat: Repeat, failure: CallFailure, hadNewToken: boolean): Repeat {
  if (repeat !== 'new_token' || !hadNewToken) return repeat
  return pageOf(failure) ? 'backoff' : 'no'
}

/** How long to wait before the next attempt, in milliseconds. @param attempts how many there were */
function pause(repeat: Repeat, failure: CallFailure, attempts: number, { random }: RepeatRules): number {
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
