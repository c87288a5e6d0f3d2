import { afterAll, beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { ConsumerStore } from '../../src/store/consumer-store.js'
import { createMemoryConsumerStore } from '../../src/store/memory/consumer-store.js'
import { createRedisConsumerStore } from '../../src/store/redis/consumer/consumer-store.js'
import { word } from '../contract/store.js'
import { describeWithRedis, redisForTests } from '../support/redis.js'

const LONG_MS = 60_000
const RUNS = 150

/** What one run has seen, so that later calls can refer to it. */
interface Seen {
  readonly fences: number[]
  readonly entries: string[]
}
type Call = (store: ConsumerStore, name: string, seen: Seen) => Promise<unknown>

const holder = fc.constantFrom('a', 'b')
const letters = fc.array(fc.record({ id: fc.constantFrom('1', '1:1', 'ü', ''), text: fc.string({ maxLength: 3 }) }), {
  maxLength: 3,
})
const entries = fc.array(fc.string({ maxLength: 3 }), { maxLength: 3 })
/** Counted from the last one. */
const back = fc.nat({ max: 2 })

/** Calls, in words of the contract alone, whose answers do not depend on time. */
const call: fc.Arbitrary<Call> = fc.oneof(
  holder.map(
    (by): Call =>
      async (store, name, { fences }) => {
        const answer = await store.acquire(name, by, LONG_MS)
        if (!('fence' in answer)) return 'held'
        fences.push(answer.fence)
        return { isNewest: answer.fence > (fences.at(-2) ?? 0), checkpoint: answer.checkpoint }
      },
  ),
  holder.map(
    (by): Call =>
      async (store, name) =>
        store.renew(name, by, LONG_MS),
  ),
  holder.map(
    (by): Call =>
      async (store, name) =>
        store.release(name, by),
  ),
  fc.tuple(back, fc.integer({ min: 1, max: 6 }), fc.string({ maxLength: 3 }), letters, entries).map(
    ([age, sequence, checkpoint, added, texts]): Call =>
      async (store, name, { fences }) => {
        const queue = { entries: texts, maxLength: 5 }
        return store.commit(name, { fence: fences.at(-1 - age) ?? 7, sequence, checkpoint, letters: added, queue })
      },
  ),
  letters.map(
    (added): Call =>
      async (store, name) => {
        for (const letter of added) await store.letters.add(name, letter)
        return [await store.letters.list(name, 3), await store.letters.count(name)]
      },
  ),
  fc.constantFrom('1', '1:1', 'ü', '').map(
    (id): Call =>
      async (store, name) =>
        store.letters.remove(name, id),
  ),
  fc.tuple(fc.constantFrom('v', 'w'), fc.integer({ min: 1, max: 4 }), fc.constantFrom(0, LONG_MS)).map(
    ([worker, count, claimAfterMs]): Call =>
      async (store, name, seen) => {
        const taken = await store.queue.take(name, worker, { count, claimAfterMs, waitMs: 0 })
        seen.entries.push(...taken.map(({ id }) => id))
        return taken.map(({ text, deliveries }) => [text, deliveries])
      },
  ),
  fc.tuple(back, fc.option(letters)).map(
    ([age, added]): Call =>
      async (store, name, seen) => [
        await store.queue.finish(name, seen.entries.at(-1 - age) ?? '0-1', added?.[0]),
        await store.queue.length(name),
      ],
  ),
)

describeWithRedis('the consumer stores in memory and Redis', () => {
  let stores: readonly ConsumerStore[]
  beforeAll(async () => {
    const redis = await redisForTests()
    stores = [
      createMemoryConsumerStore({ now: Date.now }),
      createRedisConsumerStore({ redis: redis.url, prefix: redis.prefix() }),
    ]
  })
  afterAll(() => Promise.all(stores.map((store) => store.close())))

  test('give the same answers to random sequences of calls', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 5, maxLength: 40 }), async (calls) => {
        const [memory, redis] = await Promise.all(
          stores.map(async (store) => {
            const [name, seen]: [string, Seen] = [word(), { fences: [], entries: [] }]
            const answers: unknown[] = []
            for (const one of calls) answers.push(await one(store, name, seen))
            return answers
          }),
        )
        expect(redis).toEqual(memory)
      }),
      { numRuns: RUNS },
    )
  })
})
