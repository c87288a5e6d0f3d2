import { PpoppoError } from '../../errors.js'
import { attemptTtl, MEMORY_CAPS, type MemoryStoreCaps } from '../bounds.js'
import { type Lease, type Limiter, PENDING_OUTCOME, type Store, type TakenTransaction } from '../store.js'
import { ExpiringMap } from './expiring-map.js'
import { createMemorySessions } from './sessions.js'
import { createMemorySignIns } from './sign-ins.js'

/** What a store in memory is made of. */
export interface MemoryStoreParts {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** A key for the person whose sign-in a session blob points at; `undefined` if nobody is signed in. */
  readonly personIn?: (blob: string) => string | undefined
  readonly caps?: Partial<MemoryStoreCaps>
}

const SWEEP_INTERVAL_MS = 30_000
const MINUTE_MS = 60_000

/**
 * A store in this process's memory: for development, tests, and single-process apps that accept that a restart signs
 * everybody out. Same contract as Redis, bounded per kind, swept by one timer that keeps no process alive.
 *
 * @example
 * const store = createMemoryStore({ now: Date.now })
 */
export function createMemoryStore({ now, personIn = () => undefined, caps: given }: MemoryStoreParts): Store {
  const caps = { ...MEMORY_CAPS, ...given }
  const attempts = new ExpiringMap<string>({ holds: 'login attempts', cap: caps.attempts, whenFull: 'refuse', now })
  const outcomes = new ExpiringMap<string>({ holds: 'outcomes', cap: caps.attempts, whenFull: 'evict-oldest', now })
  const leases = new ExpiringMap<string>({ holds: 'leases', cap: caps.signIns, whenFull: 'evict-oldest', now })
  const sessions = createMemorySessions({ now, cap: caps.sessions, personIn, assertOpen })
  const counters = new ExpiringMap<number>({ holds: 'limits', cap: caps.limiterKeys, whenFull: 'evict-oldest', now })
  const secrets = new Map<string, string>()
  let latest = 0
  function orderedNow(): number {
    latest = Math.max(now(), latest + 1)
    return latest
  }
  const signIns = createMemorySignIns({ now, orderedNow, cap: caps.signIns, assertOpen })

  const swept = [attempts, outcomes, leases, sessions, counters, signIns]
  const sweeper = setInterval(() => {
    for (const part of swept) part.sweep()
  }, SWEEP_INTERVAL_MS).unref()
  let isClosed = false

  function assertOpen(): void {
    if (isClosed) throw new PpoppoError('closed', 'The store is closed: auth.close() was called.')
  }

  return {
    kind: 'memory',
    ...signIns.methods,
    async now(): Promise<number> {
      assertOpen()
      return orderedNow()
    },
    async putTransaction(make, ttlMs, limit) {
      assertOpen()
      const waitMs = (await limit?.limiter.consume(limit.key)) ?? 0
      if (waitMs > 0) return { waitMs }
      const attempt = make(orderedNow())
      attempts.set(attempt.key, attempt.value, now() + attemptTtl(ttlMs, attempts.size / caps.attempts))
      return { attempt, waitMs: 0 }
    },
    async takeTransaction(key, outcomeTtlMs, limit): Promise<TakenTransaction | undefined> {
      assertOpen()
      const value = attempts.get(key)
      if (value !== undefined) {
        attempts.delete(key)
        outcomes.set(key, PENDING_OUTCOME, now() + outcomeTtlMs)
        return { value, takenAt: now(), waitMs: (await limit?.limiter.consume(limit.key)) ?? 0 }
      }
      const outcome = outcomes.get(key)
      return outcome === undefined ? undefined : { outcome }
    },
    async setTransactionOutcome(key, outcome, ttlMs): Promise<void> {
      assertOpen()
      if (outcomes.get(key) !== undefined) outcomes.set(key, outcome, now() + ttlMs)
    },
    async readTransactionOutcome(key): Promise<string | undefined> {
      assertOpen()
      return outcomes.get(key)
    },
    async acquireLease(id, holder, ttlMs): Promise<Lease> {
      assertOpen()
      const isHolder = leases.get(id) === undefined
      if (isHolder) leases.set(id, holder, now() + ttlMs)
      return { isHolder, record: await signIns.methods.readSignIn(id) }
    },
    async releaseLease(id, holder): Promise<void> {
      assertOpen()
      if (leases.get(id) === holder) leases.delete(id)
    },
    sessions: sessions.commands,
    async shareSecret(name, value): Promise<string> {
      assertOpen()
      const known = secrets.get(name) ?? value
      secrets.set(name, known)
      return known
    },
    createLimiter: (name, pointsPerMinute): Limiter => ({
      name,
      pointsPerMinute,
      async consume(key): Promise<number> {
        assertOpen()
        const counter = `${name}:${key}`
        const count = (counters.get(counter) ?? 0) + 1
        const expiresAt = counters.expiryOf(counter) ?? now() + MINUTE_MS
        counters.set(counter, count, expiresAt)
        return count > pointsPerMinute ? expiresAt - now() : 0
      },
      async giveBack(key): Promise<void> {
        assertOpen()
        const counter = `${name}:${key}`
        const [count, expiresAt] = [counters.get(counter) ?? 0, counters.expiryOf(counter)]
        if (count > 0 && expiresAt !== undefined) counters.set(counter, count - 1, expiresAt)
      },
    }),
    async close(): Promise<void> {
      isClosed = true
      clearInterval(sweeper)
      for (const part of swept) part.clear()
      secrets.clear()
    },
  }
}
