import { setTimeout as sleep } from 'node:timers/promises'
import { isPpoppoError } from '../../errors.js'
import { doubled } from '../lib/backoff.js'
import { isOutage, waitOf } from './chunk-outcome.js'

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
