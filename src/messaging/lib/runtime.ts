import type { PpoppoFetch } from '../../lib/http.js'
import { systemRuntime } from '../../lib/runtime.js'

/** What the Messaging client uses of the outside world, so that tests can replace it. */
export interface MessagingRuntime {
  /** Milliseconds since the epoch, by a clock that may be set: for dates, not for durations. */
  now(): number
  /** Milliseconds by a clock that is never set: for durations. */
  monotonic(): number
  readonly fetch: PpoppoFetch
  /** From 0 (inclusive) to 1 (exclusive). */
  random(): number
  /** Calls `done` after `ms`. @returns a function that cancels it */
  after(ms: number, done: () => void): () => void
  /** How long a connection may take before the channel is replaced, in milliseconds. */
  readonly connectWatchdogMs: number
}

/** The real clock, fetch and random source. */
export const systemMessagingRuntime: MessagingRuntime = {
  now: systemRuntime.now,
  monotonic: systemRuntime.monotonic,
  fetch: systemRuntime.fetch,
  random: Math.random,
  after(ms, done) {
    const timer = setTimeout(done, ms)
    return () => clearTimeout(timer)
  },
  connectWatchdogMs: 20_000,
}
