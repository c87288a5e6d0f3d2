import { PpoppoError } from '../../errors.js'
import { MAX_ATTEMPT_BYTES, MIN_ATTEMPT_TTL_MS } from '../bounds.js'
import { type Limiter, PENDING_OUTCOME, type Store, type TakenTransaction } from '../store.js'
import type { RedisSource } from './client.js'
import { createRedisClock } from './clock.js'
import { connectRedis } from './connection.js'
import { createRedisKeys } from './keys.js'
import { type RedisPolicy, readRedisPolicy } from './policy.js'
import { REDIS_SCRIPTS, type ScriptName } from './scripts.js'
import { createRedisSessions } from './sessions.js'
import { createRedisSignIns } from './sign-ins.js'

/** What a store in Redis is made of. */
export interface RedisStoreParts {
  /** A client or Cluster (duplicated, never closed), or a URL. */
  readonly redis: RedisSource
  /** What every key begins with: `keyPrefix + encodeURIComponent(clientId) + ':'`. */
  readonly prefix: string
  /** Called once, as soon as a connection works and Redis reports how it keeps its data. */
  readonly onPolicy?: (policy: RedisPolicy) => void
  /** How much memory login attempts may take, in bytes. @default 67_108_864 */
  readonly maxAttemptBytes?: number
}

const MINUTE_MS = 60_000
/** Longer than anything that is compared with it. */
const CLOCK_TTL_MS = 24 * 60 * MINUTE_MS
/** Secrets made in development live on for a year after the last start. */
const SECRET_TTL_MS = 365 * 24 * 60 * MINUTE_MS
/** What Redis takes for an attempt besides its value: key, expiry, rounding, the mark of who took it. */
const ATTEMPT_OVERHEAD_BYTES = 320
const FULL_OF_ATTEMPTS = 'There are as many login attempts as the store may hold: somebody may be flooding the login.'

/**
 * The store in Redis 6.2 or newer: plain, behind Sentinel, or a Cluster. Connects at the first call.
 *
 * @example
 * const store = createRedisStore({ redis: 'redis://127.0.0.1:6379', prefix: 'ppoppo:my-client:' })
 */
export function createRedisStore({
  redis,
  prefix,
  onPolicy,
  maxAttemptBytes = MAX_ATTEMPT_BYTES,
}: RedisStoreParts): Store {
  let isPolicyKnown = onPolicy === undefined
  let asking: Promise<void> | undefined
  const connection = connectRedis({
    redis,
    scripts: REDIS_SCRIPTS,
    onReady: () => {
      if (!isPolicyKnown) asking ??= reportPolicy()
    },
  })
  async function reportPolicy(): Promise<void> {
    const policy = await readRedisPolicy(connection)
    asking = undefined
    // If the connection broke meanwhile, nothing is known: the next one is asked again.
    isPolicyKnown = policy.eviction !== undefined || policy.persistence !== undefined
    if (isPolicyKnown) onPolicy?.(policy)
  }
  const keys = createRedisKeys(prefix)
  const clock = createRedisClock<ScriptName>(connection)
  const { run } = connection
  const { runInTime } = clock
  const now = async (): Promise<number> =>
    Number(await run('now', (client) => client.ppoppoNow(keys.clock, CLOCK_TTL_MS)))

  return {
    kind: 'redis',
    ...createRedisSignIns({ connection, keys, clock, now }),
    now,
    async putTransaction(key, value, ttlMs): Promise<void> {
      const bytes = ATTEMPT_OVERHEAD_BYTES + Buffer.byteLength(value)
      const grantedMs = Number(
        await run('putTransaction', (client) =>
          client.ppoppoRoom(keys.room, bytes, ttlMs, MIN_ATTEMPT_TTL_MS, maxAttemptBytes),
        ),
      )
      if (grantedMs === 0) throw new PpoppoError('store_full', FULL_OF_ATTEMPTS, { retryAfterMs: MINUTE_MS })
      await run('putTransaction', (client) => client.set(keys.attempt(key), value, 'PX', grantedMs))
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
    sessions: createRedisSessions({ connection, keys }),
    async shareSecret(name, value): Promise<string> {
      // A generated secret should not show where commands are traced: it is sent only if there is none yet, and by SET,
      // whose value tracers leave out.
      const secret = keys.secret(name)
      const known = await run('shareSecret', (client) => client.get(secret))
      if (known !== null) {
        await run('shareSecret', (client) => client.pexpire(secret, SECRET_TTL_MS))
        return known
      }
      await run('shareSecret', (client) => client.set(secret, value, 'PX', SECRET_TTL_MS, 'NX'))
      const shared = await run('shareSecret', (client) => client.get(secret))
      if (shared === null) throw new PpoppoError('store_unavailable', 'The store has lost a secret it was just given.')
      return shared
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
    ready: async () => asking,
    silence: connection.silence,
    close: connection.close,
  }
}
