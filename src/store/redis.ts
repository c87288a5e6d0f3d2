import type { RedisSource } from './redis-client.js'
import { createRedisClock } from './redis-clock.js'
import { connectRedis } from './redis-connection.js'
import { createRedisKeys } from './redis-keys.js'
import { type RedisPolicy, readRedisPolicy } from './redis-policy.js'
import { REDIS_SCRIPTS, type ScriptName } from './redis-scripts.js'
import { createRedisSessions } from './redis-sessions.js'
import { createRedisSignIns } from './redis-sign-ins.js'
import { type Limiter, PENDING_OUTCOME, type Store, type TakenTransaction } from './store.js'

/** Options of {@link createRedisStore}. */
export interface RedisStoreOptions {
  /** A client or Cluster (duplicated, never closed), or a URL. */
  readonly redis: RedisSource
  /** What every key begins with: `keyPrefix + encodeURIComponent(clientId) + ':'`. */
  readonly prefix: string
  /** Hears once, after the first connection, how this Redis keeps what it is given. */
  readonly onPolicy?: (policy: RedisPolicy) => void
}

const MINUTE_MS = 60_000
/** Longer than anything that is compared with it. */
const CLOCK_TTL_MS = 24 * 60 * MINUTE_MS
/** Secrets made in development live on for a year after the last start. */
const SECRET_TTL_MS = 365 * 24 * 60 * MINUTE_MS

/**
 * The store in Redis 6.2 or newer: plain, behind Sentinel, or a Cluster. Connects at the first call.
 *
 * @example
 * const store = createRedisStore({ redis: 'redis://127.0.0.1:6379', prefix: 'ppoppo:my-client:' })
 */
export function createRedisStore({ redis, prefix, onPolicy }: RedisStoreOptions): Store {
  let isPolicyKnown = onPolicy === undefined
  const connection = connectRedis(redis, REDIS_SCRIPTS, () => {
    if (!isPolicyKnown) void readRedisPolicy(connection).then(onPolicy)
    isPolicyKnown = true
  })
  const keys = createRedisKeys(prefix)
  const clock = createRedisClock<ScriptName>(connection)
  const { run } = connection
  const { runInTime } = clock
  const now = async (): Promise<number> =>
    Number(await run('now', (client) => client.ppoppoNow(keys.clock, CLOCK_TTL_MS)))

  return {
    kind: 'redis',
    ...createRedisSignIns(connection, keys, clock, now),
    now,
    async putTransaction(key, value, ttlMs): Promise<void> {
      await run('putTransaction', (client) => client.set(keys.attempt(key), value, 'PX', ttlMs))
    },
    async takeTransaction(key, outcomeTtlMs): Promise<TakenTransaction | undefined> {
      const attempt = keys.attempt(key)
      const reply = await runInTime('takeTransaction', attempt, (client, notAfter) =>
        client.ppoppoTake(attempt, keys.outcome(key), PENDING_OUTCOME, outcomeTtlMs, notAfter),
      )
      if (!Array.isArray(reply)) return undefined
      return reply[0] === 1 ? { value: String(reply[1]) } : { outcome: String(reply[1]) }
    },
    async setTransactionOutcome(key, outcome, ttlMs): Promise<void> {
      await run('setTransactionOutcome', (client) => client.set(keys.outcome(key), outcome, 'PX', ttlMs, 'XX'))
    },
    async readTransactionOutcome(key): Promise<string | undefined> {
      return (await run('readTransactionOutcome', (client) => client.get(keys.outcome(key)))) ?? undefined
    },
    async acquireLease(name, holder, ttlMs): Promise<boolean> {
      const lease = keys.lease(name)
      const reply = await runInTime('acquireLease', lease, (client, notAfter) =>
        client.ppoppoAcquire(lease, holder, ttlMs, notAfter),
      )
      return reply === 1
    },
    async releaseLease(name, holder): Promise<void> {
      await run('releaseLease', (client) => client.ppoppoRelease(keys.lease(name), holder))
    },
    sessions: createRedisSessions(connection, keys),
    async shareSecret(name, value): Promise<string> {
      return String(await run('shareSecret', (client) => client.ppoppoShare(keys.secret(name), value, SECRET_TTL_MS)))
    },
    // Not rate-limiter-flexible: its memory limiter is unbounded and has its own clock, so both are ours; and its
    // Redis limiter would send commands past `run`, which bounds each call's time.
    createLimiter: (name, pointsPerMinute): Limiter => ({
      async consume(key): Promise<number> {
        const counter = keys.counter(name, key)
        return Number(await run('limiter.consume', (client) => client.ppoppoCount(counter, pointsPerMinute, MINUTE_MS)))
      },
      async giveBack(key): Promise<void> {
        await run('limiter.giveBack', (client) => client.ppoppoUncount(keys.counter(name, key)))
      },
    }),
    close: connection.close,
  }
}
