import { PpoppoError } from '../../errors.js'
import { MAX_ATTEMPT_BYTES } from '../bounds.js'
import type { Store } from '../store.js'
import { createRedisAttempts } from './attempts.js'
import type { RedisSource } from './client.js'
import { createRedisClock } from './clock.js'
import { connectRedis } from './connection.js'
import { createRedisKeys } from './keys.js'
import { createRedisLimiter } from './limiter.js'
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
/** The clock's key outlives every time that is compared with it. */
const CLOCK_TTL_MS = 24 * 60 * MINUTE_MS
/** Secrets generated in development are kept for a year after the last start. */
const SECRET_TTL_MS = 365 * 24 * 60 * MINUTE_MS

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
    // If the connection broke meanwhile, nothing is known, so ask again on the next one.
    isPolicyKnown = policy.eviction !== undefined || policy.persistence !== undefined
    if (isPolicyKnown) onPolicy?.(policy)
  }
  const keys = createRedisKeys(prefix)
  const clock = createRedisClock<ScriptName>(connection)
  const { run } = connection
  async function now(): Promise<number> {
    const named = connection.isCluster ? [keys.clock] : [keys.clock, keys.room]
    const reply = await run('now', (client) => client.ppoppoNow(named.length, ...named, CLOCK_TTL_MS))
    const [ordered, time]: readonly unknown[] = Array.isArray(reply) ? reply : []
    clock.note(Number(time))
    return Number(ordered)
  }

  return {
    kind: 'redis',
    ...createRedisAttempts({ connection, keys, clock, now, maxBytes: maxAttemptBytes }),
    ...createRedisSignIns({ connection, keys, clock, now }),
    now,
    sessions: createRedisSessions({ connection, keys }),
    async shareSecret(name, value): Promise<string> {
      // A generated secret should not show up in traces of commands: it is sent only if there is none yet, and by SET,
      // since tracers leave out its value.
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
    createLimiter: (name, pointsPerMinute) => createRedisLimiter({ connection, keys, name, pointsPerMinute }),
    ready: async () => asking,
    silence: connection.silence,
    close: connection.close,
  }
}
