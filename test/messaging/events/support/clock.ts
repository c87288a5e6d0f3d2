import type { MessagingRuntime } from '../../../../src/messaging/lib/runtime.js'
import { until } from '../../../support/until.js'

/** Time that passes only when a test says so. */
export interface Clock extends Pick<MessagingRuntime, 'now' | 'monotonic' | 'after' | 'random'> {
  /** Timers that were neither taken back nor run. */
  readonly timers: number
  /** Lets time pass; what is due runs in order. */
  advance(ms: number): void
  /** Sets the clock forward, or back; timers go by what passes, and take no notice. */
  set(ms: number): void
}

/** @param random what `random` answers */
export function createClock(random = 0.5): Clock {
  let now = 1_800_000_000_000
  let setMs = 0
  const timers = new Map<object, { readonly at: number; readonly done: () => void }>()
  const due = (until: number): [object, { readonly at: number; readonly done: () => void }] | undefined =>
    [...timers].filter(([, { at }]) => at <= until).sort(([, a], [, b]) => a.at - b.at)[0]
  return {
    now: () => now + setMs,
    monotonic: () => now,
    random: () => random,
    after: (ms, done) => {
      const key = {}
      timers.set(key, { at: now + ms, done })
      return () => timers.delete(key)
    },
    get timers() {
      return timers.size
    },
    advance: (ms) => {
      const until = now + ms
      for (let next = due(until); next; next = due(until)) {
        timers.delete(next[0])
        now = Math.max(now, next[1].at)
        next[1].done()
      }
      now = until
    },
    set: (ms) => {
      setMs += ms
    },
  }
}

/** One turn of the event loop, I/O included. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Like `until`, turn by turn. @param step done in each turn */
export async function untilTurned(isSo: () => boolean, step: () => void = () => {}): Promise<void> {
  const isSoNow = async (): Promise<boolean> => {
    for (let turns = 0; turns < 100 && !isSo(); turns += 1) {
      step()
      await turn()
    }
    return isSo()
  }
  await until(isSoNow, String(isSo))
}
