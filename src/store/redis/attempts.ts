import { PpoppoError } from '../../errors.js'
import { MIN_ATTEMPT_TTL_MS } from '../bounds.js'
import { type Count, PENDING_OUTCOME, type Store, type TakenTransaction } from '../store.js'
import type { RedisClock } from './clock.js'
import type { RedisConnection } from './connection.js'
import type { RedisKeys } from './keys.js'
import { WINDOW_MS } from './limiter.js'
import type { ScriptName } from './scripts.js'

type AttemptMethods = Pick<
  Store,
  'putTransaction' | 'takeTransaction' | 'setTransactionOutcome' | 'readTransactionOutcome'
>

/** What the login attempts in Redis are made of. */
export interface RedisAttemptsParts {
  readonly connection: RedisConnection<ScriptName>
  readonly keys: RedisKeys
  readonly clock: RedisClock<ScriptName>
  /** How much memory they may take, in bytes. */
  readonly maxBytes: number
}

/** Bytes that Redis needs for an attempt besides its value: key, expiry, rounding, the mark of who took it. */
const OVERHEAD_BYTES = 320
const FULL = 'There are as many login attempts as the store may hold: somebody may be flooding the login.'

/**
 * The login attempts in Redis. Their count is a key in another slot, so on a Cluster it takes a separate call: all keys
 * of a script must share one slot.
 */
export function createRedisAttempts({ connection, keys, clock, maxBytes }: RedisAttemptsParts): AttemptMethods {
  const { isCluster, run } = connection

  return {
    async putTransaction(key, value, ttlMs): Promise<void> {
      const bytes = OVERHEAD_BYTES + Buffer.byteLength(value)
      const attempt = keys.attempt(key)
      const named = isCluster ? [keys.room] : [keys.room, attempt]
      const grantedMs = Number(
        await run('putTransaction', (client) =>
          client.ppoppoPut(
            ...[named.length, ...named, bytes, ttlMs, MIN_ATTEMPT_TTL_MS, maxBytes],
            ...(isCluster ? [] : [value]),
          ),
        ),
      )
      if (grantedMs === 0) throw new PpoppoError('store_full', FULL, { retryAfterMs: WINDOW_MS })
      if (isCluster) await run('putTransaction', (client) => client.set(attempt, value, 'PX', grantedMs))
    },
    async takeTransaction(key, outcomeTtlMs, limit): Promise<TakenTransaction | undefined> {
      const named = [keys.attempt(key), keys.outcome(key), ...(isCluster ? [] : countersOf(limit))]
      const reply = await clock.runInTime('takeTransaction', keys.attempt(key), (client, notAfter) =>
        client.ppoppoTake(
          ...[named.length, ...named, PENDING_OUTCOME, outcomeTtlMs, notAfter],
          ...[limit?.limiter.pointsPerMinute ?? 0, WINDOW_MS],
        ),
      )
      if (!Array.isArray(reply)) return undefined
      const [isTaken, text, takenAt, waitMs]: readonly unknown[] = reply
      if (isTaken !== 1) return { outcome: String(text) }
      clock.note(Number(takenAt))
      const counted = isCluster ? await limit?.limiter.consume(limit.key).catch(() => 0) : waitMs
      return { value: String(text), takenAt: Number(takenAt), waitMs: Number(counted ?? 0) }
    },
    async setTransactionOutcome(key, outcome, ttlMs): Promise<void> {
      await run('setTransactionOutcome', (client) => client.set(keys.outcome(key), outcome, 'PX', ttlMs, 'XX'))
    },
    async readTransactionOutcome(key): Promise<string | undefined> {
      return (await run('readTransactionOutcome', (client) => client.get(keys.outcome(key)))) ?? undefined
    },
  }

  function countersOf(limit: Count | undefined): readonly string[] {
    return limit === undefined ? [] : [keys.counter(limit.limiter.name, limit.key)]
  }
}
