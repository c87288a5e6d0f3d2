import { systemRuntime } from '../../lib/runtime.js'

/** What the Messaging client takes from the outside world, so that tests can put their own in its place. */
export interface MessagingRuntime {
  /** Milliseconds since the epoch, by a clock that may be set: for dates, and for nothing that lasts. */
  now(): number
  /** Milliseconds by a clock that is never set: for whatever lasts. */
  monotonic(): number
  fetch(url: string | URL, init: RequestInit): Promise<Response>
  /** 0 up to, not including, 1. */
  random(): number
  /** Calls `done` after `ms`. @returns what takes that back */
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
