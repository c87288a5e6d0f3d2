import { type Runtime, systemRuntime } from '../../src/lib/runtime.js'
import { startOwnTime } from './own-time.js'

/** A clock that runs as the real one does, and can be put forward. */
export interface Clock {
  readonly runtime: Runtime
  advance(ms: number): void
  /** Sets the wall clock, by this much forward, or back; no time passes by it. */
  set(byMs: number): void
}

export const SECOND = 1_000
export const MINUTE: number = 60 * SECOND
export const HOUR: number = 60 * MINUTE
export const DAY: number = 24 * HOUR

export function createClock(changes: Partial<Runtime> = {}): Clock {
  let offsetMs = 0
  let setByMs = 0
  return {
    runtime: {
      ...systemRuntime,
      now: () => Date.now() + offsetMs + setByMs,
      monotonic: () => performance.now() + offsetMs,
      ...changes,
    },
    advance(ms) {
      offsetMs += ms
    },
    set(byMs) {
      setByMs += byMs
    },
  }
}

export interface Timed<T> {
  readonly result: T
  /** Less what this process had to wait for a processor: for what may take only so long. */
  readonly tookMs: number
  /** For what must take so long. */
  readonly wallMs: number
}

/** What `work` gave, and how long it took. */
export async function timed<T>(work: () => Promise<T>): Promise<Timed<T>> {
  const beganAt = performance.now()
  const time = startOwnTime()
  try {
    const result = await work()
    return { result, tookMs: time.passedMs(), wallMs: performance.now() - beganAt }
  } finally {
    time.stop()
  }
}
