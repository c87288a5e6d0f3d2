import { MAX_DEAD_LETTERS } from '../../bounds.js'
import type { QueueEntry, QueueStore, TakeOptions } from '../../consumer-store.js'
import { MAX_BLOCK_MS, type RedisSource } from '../client.js'
import { connectRedis, type RedisConnection } from '../connection.js'
import type { RedisConsumerConnection } from './connection.js'
import { toArguments } from './dead-letters.js'
import { QUEUE_GROUP } from './scripts.js'

const LONGEST_WITHOUT_CLAIM_MS = 1000
const FEW = 10

interface RedisQueue {
  readonly methods: QueueStore
  close(): void
}

/** What the queue is made of. */
export interface RedisQueueParts {
  readonly connection: RedisConsumerConnection
  /** For its own connections, on which it waits for entries. */
  readonly redis: RedisSource
}

/** What waits for workers: Redis Streams with one consumer group each. */
export function createRedisQueue({ connection, redis }: RedisQueueParts): RedisQueue {
  const { run, runInTime, keysOf } = connection
  const bell = createBell(redis)
  /**
   * When each worker last looked for entries that others left: that makes Redis walk through all pending entries. A
   * worker's first call also removes the names of workers that are gone.
   */
  const claimedAt = new Map<string, number>()

  async function give(
    name: string,
    worker: string,
    { count, claimAfterMs, unfinished = 'any' }: TakeOptions,
  ): Promise<Given> {
    const { queue, place } = keysOf(name)
    const self = `${name} ${worker}`
    const [last, now] = [claimedAt.get(self), performance.now()]
    const isDue = last === undefined || now - last >= Math.min(claimAfterMs / 10, LONGEST_WITHOUT_CLAIM_MS)
    const claims = isDue || unfinished === 'one'
    const reply = await runInTime('queue.take', queue, (client, notAfter) =>
      client.ppoppoQueueTake(
        ...[queue, place, worker, count, claimAfterMs, notAfter, claims ? unfinished : '', last === undefined ? 1 : 0],
      ),
    )
    const given = toGiven(reply)
    const mayBeMore = given.entries.length === count && (given.entries.at(-1)?.deliveries ?? 0) > 1
    if (claims && !mayBeMore) claimedAt.set(self, now)
    return given
  }

  const methods: QueueStore = {
    async take(name, worker, options): Promise<readonly QueueEntry[]> {
      const given = await give(name, worker, options)
      if (given.entries.length > 0 || options.waitMs < 1) return given.entries
      await bell.untilAdded(keysOf(name).queue, given.lastId, options.waitMs)
      return (await give(name, worker, options)).entries
    },
    async finish(name, id, letter): Promise<'finished' | 'full'> {
      const { queue, letters, letterTexts } = keysOf(name)
      const letterArguments = toArguments(letter === undefined ? [] : [letter])
      const reply = await run('queue.finish', (client) =>
        client.ppoppoQueueFinish(queue, letters, letterTexts, id, MAX_DEAD_LETTERS, ...letterArguments),
      )
      return reply === 1 ? 'finished' : 'full'
    },
    async giveBack(name, worker, { id, deliveries }): Promise<void> {
      const { queue } = keysOf(name)
      await runInTime('queue.giveBack', queue, (client, notAfter) =>
        client.ppoppoQueueGiveBack(queue, worker, id, Math.max(0, deliveries - 1), notAfter),
      )
    },
    async hasUnfinished(name, claimAfterMs): Promise<boolean> {
      const { queue } = keysOf(name)
      const pending: unknown = await run('queue.hasUnfinished', (client) =>
        client.xpending(queue, QUEUE_GROUP, 'IDLE', claimAfterMs, '-', '+', FEW).catch((error: unknown) => {
          if (String(error).includes('NOGROUP')) return []
          throw error
        }),
      )
      // The delivery of an entry that was given back does not count.
      return Array.isArray(pending) && pending.some((entry) => Array.isArray(entry) && Number(entry[3]) > 0)
    },
    async length(name): Promise<number> {
      return run('queue.length', (client) => client.xlen(keysOf(name).queue))
    },
  }
  return { methods, close: bell.close }
}

interface Bell {
  /** Resolves once the stream has an entry after `lastId`, or after `waitMs`. */
  untilAdded(queue: string, lastId: string, waitMs: number): Promise<void>
  close(): void
}

/**
 * Waits on its own connections, one for each call that is waiting, because a blocking command holds up everything sent
 * after it. It only listens (XREAD): an entry that XREADGROUP took for a caller who has left, or whose connection has
 * broken, would lie idle until it may be claimed.
 */
function createBell(redis: RedisSource): Bell {
  const all: RedisConnection<never>[] = []
  const idle: RedisConnection<never>[] = []
  let isClosed = false

  function connect(): RedisConnection<never> {
    const connection = connectRedis<never>({ redis, scripts: {} })
    all.push(connection)
    return connection
  }

  return {
    async untilAdded(queue, lastId, waitMs): Promise<void> {
      if (isClosed) return
      const blockMs = Math.min(Math.floor(waitMs), MAX_BLOCK_MS)
      const connection = idle.pop() ?? connect()
      try {
        await connection.run(
          'queue.take',
          (client) => client.xread('COUNT', 1, 'BLOCK', blockMs, 'STREAMS', queue, lastId),
          blockMs,
        )
      } catch (error) {
        if (!isClosed) throw error // if Redis is down, the store's own connection reports it
      } finally {
        idle.push(connection)
      }
    },
    close(): void {
      isClosed = true
      for (const connection of all) connection.drop()
    },
  }
}

interface Given {
  readonly lastId: string
  readonly entries: readonly QueueEntry[]
}

function toGiven(reply: unknown): Given {
  if (!Array.isArray(reply)) throw new TypeError('a script must answer a list')
  const entries: QueueEntry[] = []
  for (let i = 1; i < reply.length; i += 3) {
    entries.push({ id: String(reply[i]), text: String(reply[i + 1]), deliveries: Number(reply[i + 2]) })
  }
  return { lastId: String(reply[0]), entries }
}
