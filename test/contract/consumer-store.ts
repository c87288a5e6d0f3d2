import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Acquired, ConsumerStore } from '../../src/store/consumer-store.js'
import { describeCommits } from './consumer-commits.js'
import { describeLetters } from './consumer-dead-letters.js'
import { describeQueue } from './consumer-queue.js'
import { word } from './store.js'
import type { UnderTest } from './under-test.js'

/** Gives each test of the suite its own. */
export type UseConsumerStore = () => UnderTest<ConsumerStore>

const TTL_MS = 60_000

/** Acquires, and expects to get it. */
export async function acquire(store: ConsumerStore, name: string, holder = 'h', ttlMs = TTL_MS): Promise<Acquired> {
  const acquired = await store.acquire(name, holder, ttlMs)
  if (!('fence' in acquired)) throw new Error(`held for ${acquired.heldForMs} ms`)
  return acquired
}

/** Every consumer store passes this. */
export function describeConsumerStore(name: string, makeStore: () => Promise<UnderTest<ConsumerStore>>): void {
  describe(`${name}: consumer store contract`, () => {
    let current: UnderTest<ConsumerStore>
    beforeEach(async () => {
      current = await makeStore()
    })
    afterEach(() => current.close())
    const use: UseConsumerStore = () => current

    describeLease(use)
    describeCommits(use)
    describeLetters(use)
    describeQueue(use)

    test('close() can be called twice, and every method rejects with closed afterwards', async () => {
      const { store } = use()
      await acquire(store, 'n')
      await Promise.all([store.close(), store.close()])
      await store.close()
      for (const call of [
        () => store.acquire('n', 'h', 1000),
        () => store.renew('n', 'h', 1000),
        () => store.release('n', 'h'),
        () => store.commit('n', { fence: 1, sequence: 1, checkpoint: 'c' }),
        () => store.letters.list('n', 1),
        () => store.letters.count('n'),
        () => store.letters.add('n', { id: '1', text: 't' }),
        () => store.letters.remove('n', '1'),
        () => store.queue.take('n', 'w', { count: 1, claimAfterMs: 1, waitMs: 1 }),
        () => store.queue.finish('n', '1-1'),
        () => store.queue.length('n'),
      ]) {
        await expect(call()).rejects.toMatchObject({ code: 'closed' })
      }
    })
  })
}

function describeLease(use: UseConsumerStore): void {
  describe('lease', () => {
    test('is held by one consumer, and the others learn for how long', async () => {
      const { store, other } = use()
      const name = word()
      await acquire(store, name, 'a', 5000)
      const refused = await other.acquire(name, 'b', TTL_MS)
      if ('fence' in refused) throw new Error('held by two')
      expect(refused.heldForMs).toBeGreaterThan(3000)
      expect(refused.heldForMs).toBeLessThanOrEqual(5000)
    })

    test('goes to exactly one of 40 that ask at the same time from two instances', async () => {
      const { store, other } = use()
      const name = word()
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? store : other).acquire(name, `h${i}`, TTL_MS)),
      )
      expect(answers.filter((answer) => 'fence' in answer)).toHaveLength(1)
    })

    test('may be taken again by its holder, and the fencing number grows each time, whoever has it', async () => {
      const { store, other } = use()
      const name = word()
      const fences: number[] = []
      for (const [one, holder] of [
        [store, 'a'],
        [other, 'a'],
        [store, 'a'],
      ] as const) {
        fences.push((await acquire(one, name, holder)).fence)
      }
      await store.release(name, 'a')
      fences.push((await acquire(other, name, 'b')).fence)
      expect(fences.every(Number.isSafeInteger)).toBe(true)
      expect(new Set(fences).size).toBe(4)
      expect(fences.toSorted((a, b) => a - b)).toEqual(fences)
    })

    test('goes to the next consumer when it expires', async () => {
      const { store, other, pass, shortMs } = use()
      const name = word()
      const { fence } = await acquire(store, name, 'a', shortMs)
      expect(await other.acquire(name, 'b', TTL_MS)).toHaveProperty('heldForMs')
      await pass(shortMs + 50)
      expect(await store.renew(name, 'a', TTL_MS)).toBe(false)
      expect((await acquire(other, name, 'b')).fence).toBeGreaterThan(fence)
      expect(await store.renew(name, 'a', TTL_MS)).toBe(false)
    })

    test('is extended by each renewal, and only its holder can renew it', async () => {
      const { store, other, pass, shortMs } = use()
      const name = word()
      await acquire(store, name, 'a', shortMs)
      expect(await other.renew(name, 'b', TTL_MS)).toBe(false)
      expect(await store.renew(name, 'a', TTL_MS)).toBe(true)
      await pass(shortMs + 50)
      expect(await other.acquire(name, 'b', TTL_MS)).toHaveProperty('heldForMs')
    })

    test('is released by its holder, and by nobody else', async () => {
      const { store, other } = use()
      const name = word()
      await acquire(store, name, 'a')
      await other.release(name, 'b')
      expect(await other.acquire(name, 'b', TTL_MS)).toHaveProperty('heldForMs')
      await store.release(name, 'a')
      await store.release(name, 'a')
      expect(await store.renew(name, 'a', TTL_MS)).toBe(false)
      await acquire(other, name, 'b')
    })

    test('is separate for each name', async () => {
      const { store } = use()
      const [one, two] = [word(), word()]
      const { fence } = await acquire(store, one, 'a')
      await acquire(store, two, 'b')
      await store.commit(one, { fence, sequence: 1, checkpoint: 'c' })
      expect(await acquire(store, two, 'b')).not.toHaveProperty('checkpoint')
    })
  })
}
