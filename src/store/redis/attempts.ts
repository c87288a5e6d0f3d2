import { PpoppoError } from '../../errors.js'
import { MIN_ATTEMPT_TTL_MS } from '../bounds.js'
import {
  type Attempt,
  type Count,
  PENDING_OUTCOME,
  type PutTransaction,
  type Store,
  type TakenTransaction,
} from '../store.js'
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
  /** The clock that dates the start of attempts, see `Store.now`. */
  readonly now: () => Promise<number>
  /** How much memory they may take, in bytes. */
  readonly maxBytes: number
}

/** Bytes that Redis needs for an attempt besides its value: key, expiry, rounding, the mark of who took it. */
const OVERHEAD_BYTES = 320
/** A second time is refused only if somebody signed out everywhere between two commands. */
const MAX_PROPOSALS = 3
const FULL = 'There are as many login attempts as the store may hold: somebody may be flooding the login.'

/**
 * The login attempts in Redis. Their count is a key in another slot, so on a Cluster it takes a separate call: all keys
 * of a script must share one slot.
 */
export function createRedisAttempts({ connection, keys, clock, now, maxBytes }: RedisAttemptsParts): AttemptMethods {
  const { isCluster, run } = connection

  return {
    putTransaction: (make, ttlMs, limit) =>
      isCluster ? putInSteps(make, ttlMs, limit) : putAtProposedTime(make, ttlMs, limit),
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

  /** In one call, as long as the time that is probably Redis's will do. */
  async function putAtProposedTime<A extends Attempt>(
    make: (begunAt: number) => A,
    ttlMs: number,
    limit: Count | undefined,
  ): Promise<PutTransaction<A>> {
    let begunAt = clock.estimate()
    let counted = limit
    for (let proposals = 0; proposals < MAX_PROPOSALS; proposals += 1) {
      const attempt = make(begunAt)
      const { result, detail } = await put(attempt, ttlMs, {
        named: [keys.room, keys.attempt(attempt.key), keys.clock, ...countersOf(counted)],
        rest: [attempt.value, begunAt, counted?.limiter.pointsPerMinute ?? 0, WINDOW_MS],
      })
      if (result === 'kept') return { attempt, waitMs: 0 }
      if (result === 'limited') return { waitMs: detail }
      begunAt = detail
      counted = undefined
    }
    return putInSteps(make, ttlMs, undefined)
  }

  /** First the time, then the attempt: with a time that `now()` gave nothing can be wrong. */
  async function putInSteps<A extends Attempt>(
    make: (begunAt: number) => A,
    ttlMs: number,
    limit: Count | undefined,
  ): Promise<PutTransaction<A>> {
    const [waitMs, begunAt] = await Promise.all([limit?.limiter.consume(limit.key) ?? 0, now()])
    if (waitMs > 0) return { waitMs }
    const attempt = make(begunAt)
    const name = keys.attempt(attempt.key)
    const together = { named: [keys.room, name], rest: [attempt.value] }
    const { detail: grantedMs } = await put(attempt, ttlMs, isCluster ? { named: [keys.room], rest: [] } : together)
    if (isCluster) await run('putTransaction', (client) => client.set(name, attempt.value, 'PX', grantedMs))
    return { attempt, waitMs: 0 }
  }

  /** @throws `store_full` */
  async function put(
    { value }: Attempt,
    ttlMs: number,
    { named, rest }: { readonly named: readonly string[]; readonly rest: readonly (string | number)[] },
  ): Promise<{ readonly result: unknown; readonly detail: number }> {
    const bytes = OVERHEAD_BYTES + Buffer.byteLength(value)
    const reply = await run('putTransaction', (client) =>
      client.ppoppoPut(named.length, ...named, bytes, ttlMs, MIN_ATTEMPT_TTL_MS, maxBytes, ...rest),
    )
    const [result, time, detail]: readonly unknown[] = Array.isArray(reply) ? reply : []
    clock.note(Number(time))
    if (result === 'full') throw new PpoppoError('store_full', FULL, { retryAfterMs: WINDOW_MS })
    return { result, detail: Number(detail) }
  }

  function countersOf(limit: Count | undefined): readonly string[] {
    return limit === undefined ? [] : [keys.counter(limit.limiter.name, limit.key)]
  }
}
