import { elapse } from '../support/until.js' /** What a store under test brings, of whatever kind. */
export interface UnderTest<S> {
  readonly store: S
  /** Another instance on the same data (another process of the app), or the same where there can be no other. */
  readonly other: S
  /** A time to live long enough for two calls, and short enough to wait for. */
  readonly shortMs: number
  /** Lets `ms` pass: turns the injected clock, or waits where the clock is Redis's. */
  pass(ms: number): Promise<void>
  close(): Promise<void>
}

/** Two stores on the same data in Redis, whose clock cannot be turned. @param create makes one of them */
export function twoOnRedis<S extends { close(): Promise<void> }>(create: () => S): UnderTest<S> {
  const [store, other] = [create(), create()]
  return {
    store,
    other,
    shortMs: 500,
    pass: elapse,
    async close() {
      await Promise.all([store.close(), other.close()])
    },
  }
}
