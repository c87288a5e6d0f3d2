import { isPpoppoError } from '../../errors.js'
import { doubled } from '../lib/backoff.js'
import { pause } from '../lib/pause.js'
import type { MessagingRuntime } from '../lib/runtime.js'
import { isOutage, LONGEST_WAIT_MS } from './chunk-outcome.js'

const SHORTEST_WAIT_MS = 200
const DEFAULT_WAIT_MS = 5_000
/** How often a chunk is sent again because PCS asked to wait. */
const MAX_WAITS = 50
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 500

/** What {@link Patience} is made of. */
export interface PatienceParts {
  /** How long PCS may be unavailable, in milliseconds. */
  readonly patienceMs: number
  /** Ends every wait. */
  readonly ended: AbortSignal
  /** Its monotonic clock and its timers. */
  readonly runtime: MessagingRuntime
}

/** Called each time PCS is found unavailable. @param isFirst whether this is the first time since it last answered */
export type OnAway = (error: Error, isFirst: boolean) => void

/** How long a run waits for a PCS that asks to wait, or does not answer. Shared by all chunks of a run. */
export class Patience {
  readonly #parts: PatienceParts
  #awaySince: number | undefined

  constructor(parts: PatienceParts) {
    this.#parts = parts
  }

  /** Whether PCS has been unavailable for longer than the run waits. */
  get isOver(): boolean {
    const { runtime, patienceMs } = this.#parts
    return this.#awaySince !== undefined && runtime.monotonic() - this.#awaySince >= patienceMs
  }

  /**
   * Runs `work`, and retries it as long as PCS asks to wait, or is unavailable and nothing was done.
   * @param isUndone whether the error proves that nothing was done
   */
  async retry<T>(work: () => Promise<T>, isUndone: (error: unknown) => boolean, onAway: OnAway): Promise<T> {
    const { ended, runtime } = this.#parts
    let waits = 0
    for (let tries = 0; ; tries += 1) {
      try {
        const value = await work()
        this.#awaySince = undefined
        return value
      } catch (error) {
        // A rejection is an answer, too.
        if (!isOutage(error)) this.#awaySince = undefined
        const waitMs = waits < MAX_WAITS ? requestedWaitMs(error) : undefined
        if (waitMs !== undefined) waits += 1
        const pauseMs = waitMs ?? (isOutage(error) && isUndone(error) ? this.#awayMs(error, tries, onAway) : undefined)
        if (pauseMs === undefined) throw error
        await pause(pauseMs, ended, runtime)
        if (ended.aborted) throw error
      }
    }
  }

  /** @returns how long to wait before the next try; `undefined` if the run has waited long enough */
  #awayMs(error: Error, tries: number, onAway: OnAway): number | undefined {
    if (this.#parts.ended.aborted) return undefined
    const isFirst = this.#awaySince === undefined
    this.#awaySince ??= this.#parts.runtime.monotonic()
    if (this.isOver) return undefined
    onAway(error, isFirst)
    const hintMs = isPpoppoError(error) ? (error.retryAfterMs ?? 0) : 0
    return Math.max(Math.min(hintMs, LONGEST_PAUSE_MS), doubled(FIRST_PAUSE_MS, tries, LONGEST_PAUSE_MS))
  }
}

/**
 * How long to wait if PCS asked for more than a single send waits. Every long run meets the limit of calls per minute: it
 * slows the run down, and nothing fails.
 * @returns milliseconds; `undefined` if the chunk has failed for good
 */
function requestedWaitMs(error: unknown): number | undefined {
  if (!isPpoppoError(error, 'rate_limited')) return undefined
  // A gateway's 429 may name no time, and a time of 0 is none.
  const waitMs = Math.max(SHORTEST_WAIT_MS, error.retryAfterMs ?? DEFAULT_WAIT_MS)
  return waitMs <= LONGEST_WAIT_MS ? waitMs : undefined
}
