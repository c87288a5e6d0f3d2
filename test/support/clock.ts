import { type Runtime, systemRuntime } from '../../src/lib/runtime.js'

/** A clock that runs as the real one does, and can be put forward. */
export interface Clock {
  readonly runtime: Runtime
  advance(ms: number): void
}

export const SECOND = 1_000
export const MINUTE: number = 60 * SECOND
export const HOUR: number = 60 * MINUTE
export const DAY: number = 24 * HOUR

export function createClock(changes: Partial<Runtime> = {}): Clock {
  let offsetMs = 0
  return {
    runtime: { ...systemRuntime, now: () => Date.now() + offsetMs, ...changes },
    advance(ms) {
      offsetMs += ms
    },
  }
}

/** What `work` gave, and how long it took. */
export async function timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly tookMs: number }> {
  const beganAt = performance.now()
  const result = await work()
  return { result, tookMs: performance.now() - beganAt }
}
