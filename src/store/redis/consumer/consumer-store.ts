import { MAX_DEAD_LETTERS } from '../../bounds.js'
import type { Acquired, ConsumerStore } from '../../consumer-store.js'
import { evictionWarning, readRedisPolicy } from '../policy.js'
import { connectConsumers, type RedisConsumerStoreParts } from './connection.js'
import { createRedisDeadLetters, toArguments } from './dead-letters.js'
import { createRedisQueue } from './queue.js'

/**
 * What durable consumers store, in Redis 6.2 or newer: plain, behind Sentinel, or a Cluster. Connects at the first
 * call. Only the lease expires, so to give up a consumer, delete the keys of its name.
 *
 * @example
 * const consumers = createRedisConsumerStore({ redis: 'redis://127.0.0.1:6379', prefix: 'ppoppo:my-client:' })
 */
export function createRedisConsumerStore({ redis, prefix }: RedisConsumerStoreParts): ConsumerStore {
  const connection = connectConsumers({ redis, prefix })
  const { run, runInTime, keysOf } = connection
  const queue = createRedisQueue({ connection, redis })

  return {
    kind: 'redis',
    async acquire(name, holder, ttlMs): Promise<Acquired | { readonly heldForMs: number }> {
      const { lease, place, queue: stream, mark, letters, letterTexts } = keysOf(name)
      const reply = await runInTime('acquire', lease, (client, notAfter) =>
        client.ppoppoConsumerAcquire(lease, place, stream, mark, letters, letterTexts, holder, ttlMs, notAfter),
      )
      return toAcquired(reply)
    },
    async renew(name, holder, ttlMs): Promise<boolean> {
      const { lease, place, queue: stream, mark, letters, letterTexts } = keysOf(name)
      const reply = await runInTime('renew', lease, (client, notAfter) =>
        client.ppoppoConsumerRenew(lease, place, stream, mark, letters, letterTexts, holder, ttlMs, notAfter),
      )
      return reply === 1
    },
    async release(name, holder): Promise<void> {
      const { lease } = keysOf(name)
      await runInTime('release', lease, (client, notAfter) => client.ppoppoConsumerRelease(lease, holder, notAfter))
    },
    async commit(name, step): Promise<'committed' | 'lost' | 'full'> {
      const { place, letters, letterTexts, queue: stream } = keysOf(name)
      const added = toArguments(step.letters ?? [])
      const { entries, maxLength } = step.queue ?? { entries: [], maxLength: 0 }
      const reply = await run('commit', (client) =>
        client.ppoppoConsumerCommit(
          ...[place, letters, letterTexts, stream, step.fence, step.sequence, step.checkpoint],
          ...[step.acceptsLoss ? 1 : 0, MAX_DEAD_LETTERS, added.length, maxLength, ...added, ...entries],
        ),
      )
      return reply === 'committed' || reply === 'full' ? reply : 'lost'
    },
    letters: createRedisDeadLetters(connection),
    queue: queue.methods,
    readWarning: async () =>
      evictionWarning(await readRedisPolicy(connection), "consumers' places in the stream and dead letters"),
    async close(): Promise<void> {
      queue.close()
      await connection.close()
    },
  }
}

function toAcquired(reply: unknown): Acquired | { readonly heldForMs: number } {
  if (!Array.isArray(reply)) throw new TypeError('a script must answer a list')
  const [fence, rest, lastFence, lost]: readonly unknown[] = reply
  if (fence === null) return { heldForMs: Number(rest) }
  return {
    fence: Number(fence),
    ...(typeof rest === 'string' ? { checkpoint: rest } : {}),
    ...(typeof lastFence === 'string' ? { lastFence: Number(lastFence) } : {}),
    ...(typeof lost === 'string' ? { isLost: true } : {}),
  }
}
