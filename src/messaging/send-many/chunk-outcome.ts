import { setTimeout as sleep } from 'node:timers/promises'
import { isPpoppoError, type PpoppoError, type PpoppoErrorCode } from '../../errors.js'
import { TooLargeError } from '../call/failure.js'
import { doubled } from '../lib/backoff.js'
import type { ChunkOutcome } from '../types/calls.js'

const OPEN: ReadonlySet<PpoppoErrorCode> = new Set<PpoppoErrorCode>(['send_outcome_unknown', 'closed'])

/**
 * What a failed send says about its recipients: only the library's own errors are sure that nothing was sent, and of
 * them `send_outcome_unknown` is not, nor `closed`, which ends a send in the middle. Anything else, such as the
 * `AbortError` of a send that was cut off, leaves it open, unless nothing was under way at that moment.
 */
export function outcomeOf(error: unknown, isInDoubt = true): Exclude<ChunkOutcome, 'accepted'> {
  if (isPpoppoError(error, 'send_outcome_unknown')) return 'unknown'
  return !isInDoubt || (isPpoppoError(error) && !OPEN.has(error.code)) ? 'rejected' : 'unknown'
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
  if (error.code === 'rate_limited') return (error.retryAfterMs ?? 0) > LONGEST_WAIT_MS
  return COMMON.has(error.code) || (error.code === 'not_found' && !hasAccepted)
}

/** Whether a send was refused for what is in it: one of its recipients, or its size. Less of it may be accepted. */
export function isRefusal(error: unknown): error is PpoppoError {
  if (error instanceof TooLargeError) return true
  // What was found wrong here would be found again in each half.
  if (!isPpoppoError(error) || error.grpcCode === undefined) return false
  return error.code === 'request_invalid' || error.code === 'not_found'
}

/** A run that is asked to wait for longer than this ends instead. */
const LONGEST_WAIT_MS = 600_000
const SHORTEST_WAIT_MS = 200
const UNSAID_WAIT_MS = 5_000

/**
 * How long to wait before the same chunk is sent again, where PCS asked for more patience than one send has. A rate
 * limit a minute is what every long run meets: it slows the run down, and fails nothing.
 * @returns milliseconds; `undefined` where the chunk has failed for good
 */
function waitOf(error: unknown): number | undefined {
  if (!isPpoppoError(error, 'rate_limited')) return undefined
  // A gateway's 429 may name no time, and a time of 0 is none.
  const waitMs = Math.max(SHORTEST_WAIT_MS, error.retryAfterMs ?? UNSAID_WAIT_MS)
  return waitMs <= LONGEST_WAIT_MS ? waitMs : undefined
}

const OUTAGE: ReadonlySet<PpoppoErrorCode> = new Set<PpoppoErrorCode>([
  'messaging_unavailable',
  'deadline_exceeded',
  'send_outcome_unknown',
])

/** Whether nobody seems to be there: going on at once would only spend the list. */
export function isOutage(error: unknown): error is PpoppoError {
  return isPpoppoError(error) && OUTAGE.has(error.code)
}

/** So often a chunk is sent again because PCS asked to wait. */
const MOST_WAITS = 50
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 500

export interface PatienceParts {
  /** How long PCS may be away, in milliseconds. */
  readonly patienceMs: number
  /** Ends every wait. */
  readonly ended: AbortSignal
  /** A clock that is never set, in milliseconds. */
  readonly now: () => number
}

/** How a run bears with a PCS that asks to wait, or does not answer. One for all chunks of a run. */
export class Patience {
  readonly #parts: PatienceParts
  #awaySince: number | undefined

  constructor(parts: PatienceParts) {
    this.#parts = parts
  }

  /** Whether PCS has been away for longer than the run waits. */
  get isOver(): boolean {
    const { now, patienceMs } = this.#parts
    return this.#awaySince !== undefined && now() - this.#awaySince >= patienceMs
  }

  /** Somebody answered, be it with a no. */
  noteAnswer(): void {
    this.#awaySince = undefined
  }

  /**
   * Runs `work`, again as long as PCS asks to wait, or is away and nothing was done.
   * @param isUndone whether what was asked surely was not done
   * @param onAway told each time, with what failed and whether it is the first time since somebody answered
   */
  async retry<T>(
    work: () => Promise<T>,
    isUndone: (error: unknown) => boolean,
    onAway: (error: Error, isFirst: boolean) => void,
  ): Promise<T> {
    let waits = 0
    for (let tries = 0; ; tries += 1) {
      try {
        const value = await work()
        this.noteAnswer()
        return value
      } catch (error) {
        if (!isOutage(error)) this.noteAnswer()
        const waitMs = waits < MOST_WAITS ? waitOf(error) : undefined
        if (waitMs !== undefined) waits += 1
        const pauseMs = waitMs ?? (isOutage(error) && isUndone(error) ? this.#away(error, tries, onAway) : undefined)
        if (pauseMs === undefined || !(await pause(pauseMs, this.#parts.ended))) throw error
      }
    }
  }

  /** @returns how long to wait; `undefined` where that was long enough */
  #away(error: Error, tries: number, onAway: (error: Error, isFirst: boolean) => void): number | undefined {
    const { now, ended } = this.#parts
    if (ended.aborted) return undefined
    const isFirst = this.#awaySince === undefined
    this.#awaySince ??= now()
    if (this.isOver) return undefined
    onAway(error, isFirst)
    const hintMs = isPpoppoError(error) ? (error.retryAfterMs ?? 0) : 0
    return Math.max(Math.min(hintMs, LONGEST_PAUSE_MS), doubled(FIRST_PAUSE_MS, tries, LONGEST_PAUSE_MS))
  }
}

/** @returns whether the time has passed; `false` as soon as the run ends. */
async function pause(ms: number, ended: AbortSignal): Promise<boolean> {
  try {
    return await sleep(ms, true, { signal: ended })
  } catch {
    return false
  }
}
