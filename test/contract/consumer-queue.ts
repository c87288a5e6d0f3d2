import { describe, expect, test } from '@jest/globals'
import type { ConsumerStore, QueueEntry, TakeOptions } from '../../src/store/consumer-store.js'
import { allowed } from '../support/allowed.js'
import { ownTimeOf } from '../support/own-time.js'
import { elapse } from '../support/until.js'
import { acquire, type UseConsumerStore } from './consumer-store.js'
import { word } from './store.js'

const LONG_MS = 60_000
const WAIT_MS = 300
/** So long that a busy machine cannot take a wait that ends early for one that does not. */
const LONG_WAIT_MS = 2_000

/** What waits for workers. */
export function describeQueue(use: UseConsumerStore): void {
  describe('queue', () => {
    /** A name whose queue is empty, and what puts entries into it. */
    async function openQueue(store: ConsumerStore): Promise<{ name: string; put(...texts: string[]): Promise<void> }> {
      const name = word()
      const { fence } = await acquire(store, name)
      let sequence = 0
      return {
        name,
        async put(...entries): Promise<void> {
          sequence += 1
          const step = { fence, sequence, checkpoint: 'c', queue: { entries, maxLength: 1000 } }
          expect(await store.commit(name, step)).toBe('committed')
        },
      }
    }
    const now = (options: Partial<TakeOptions> = {}): TakeOptions => ({
      count: 10,
      claimAfterMs: LONG_MS,
      waitMs: 0,
      ...options,
    })
    const texts = (entries: readonly QueueEntry[]): readonly string[] => entries.map(({ text }) => text)

    test('each entry is given to one worker, and stays until it is finished', async () => {
      const { store, other } = use()
      const { name, put } = await openQueue(store)
      await put('a', 'ü', '{"c":1}', '')
      const first = await store.queue.take(name, 'v', now({ count: 3 }))
      const second = await other.queue.take(name, 'w', now())
      expect([texts(first), texts(second)]).toEqual([['a', 'ü', '{"c":1}'], ['']])
      expect([...first, ...second].map(({ deliveries }) => deliveries)).toEqual([1, 1, 1, 1])
      expect(await store.queue.take(name, 'v', now())).toEqual([])
      expect(await store.queue.length(name)).toBe(4)
      for (const { id } of [...first, ...second]) expect(await other.queue.finish(name, id)).toBe('finished')
      expect(await store.queue.length(name)).toBe(0)
    })

    test('an entry that is given back is available at once, unless another worker has it by now', async () => {
      const { store, other } = use()
      const { name, put } = await openQueue(store)
      await put('a')
      const [entry] = await store.queue.take(name, 'v', now())
      await other.queue.giveBack(name, 'w', entry as QueueEntry)
      expect(await other.queue.take(name, 'w', now())).toEqual([])
      await store.queue.giveBack(name, 'v', entry as QueueEntry)
      const again = await other.queue.take(name, 'x', now())
      expect(again).toEqual([entry])
      await other.queue.finish(name, entry?.id ?? '')
      await other.queue.giveBack(name, 'x', entry as QueueEntry)
      expect(await store.queue.length(name)).toBe(0)
    })

    test('no two of 20 simultaneous takes get the same entry', async () => {
      const { store, other } = use()
      const { name, put } = await openQueue(store)
      const all = Array.from({ length: 50 }, (_, i) => String(i))
      await put(...all)
      const taken = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          (i % 2 === 0 ? store : other).queue.take(name, `w${i}`, now({ count: 5 })),
        ),
      )
      expect(texts(taken.flat()).toSorted()).toEqual(all.toSorted())
    })

    test('an entry that its worker does not finish in time goes to the next that asks, before new ones', async () => {
      const { store, other, pass, shortMs } = use()
      const { name, put } = await openQueue(store)
      await put('a', 'b', 'c')
      const [a] = await store.queue.take(name, 'v', now({ count: 2 }))
      await store.queue.finish(name, a?.id ?? '')
      expect(texts(await other.queue.take(name, 'w', now({ count: 1, claimAfterMs: shortMs })))).toEqual(['c'])
      await pass(shortMs + 50)
      await put('d')
      const claimed = await other.queue.take(name, 'x', now({ claimAfterMs: shortMs }))
      expect(claimed.map(({ text, deliveries }) => [text, deliveries])).toEqual([
        ['b', 2],
        ['c', 2],
        ['d', 1],
      ])
    })

    test('unfinished entries can be taken one at a time and alone, or be left out', async () => {
      const { store, other, pass, shortMs } = use()
      const { name, put } = await openQueue(store)
      const claimAfterMs = shortMs
      expect(await store.queue.hasUnfinished(name, claimAfterMs)).toBe(false)
      await put('a', 'b', 'c')
      const [, , c] = await store.queue.take(name, 'v', now())
      await store.queue.giveBack(name, 'v', c as QueueEntry)
      expect(await other.queue.hasUnfinished(name, LONG_MS)).toBe(false)
      await pass(shortMs + 50)
      await put('d')
      expect(await other.queue.hasUnfinished(name, claimAfterMs)).toBe(true)
      // What was given back is as new.
      expect(texts(await other.queue.take(name, 'w', now({ claimAfterMs, unfinished: 'none' })))).toEqual(['c', 'd'])
      const one = await other.queue.take(name, 'x', now({ claimAfterMs, unfinished: 'one' }))
      expect(one).toMatchObject([{ text: 'a', deliveries: 2 }])
      expect(texts(await other.queue.take(name, 'x', now({ claimAfterMs, unfinished: 'one' })))).toEqual(['b'])
      await put('e')
      expect(texts(await other.queue.take(name, 'x', now({ claimAfterMs, unfinished: 'one' })))).toEqual(['e'])
    })

    test('a worker gets its own unfinished entries again, and deliveries are counted', async () => {
      const { store, pass, shortMs } = use()
      const { name, put } = await openQueue(store)
      await put('a')
      for (let deliveries = 1; deliveries <= 3; deliveries++) {
        const [entry, ...none] = await store.queue.take(name, 'v', now({ claimAfterMs: shortMs }))
        expect(none).toEqual([])
        expect(entry).toMatchObject({ text: 'a', deliveries })
        expect(await store.queue.take(name, 'v', now({ claimAfterMs: shortMs }))).toEqual([])
        await pass(shortMs + 50)
      }
    })

    test('every due entry is found, however many are being handled', async () => {
      const { store, other, pass, shortMs } = use()
      const { name, put } = await openQueue(store)
      await put(...Array.from({ length: 200 }, (_, i) => String(i)))
      await store.queue.take(name, 'v', now({ count: 200 }))
      await pass(shortMs + 50)
      const early = await other.queue.take(name, 'w', now({ count: 195, claimAfterMs: shortMs }))
      expect(early).toHaveLength(195)
      const late = await store.queue.take(name, 'x', now({ count: 2, claimAfterMs: shortMs }))
      expect(texts(late)).toEqual(['195', '196'])
      expect(texts(await store.queue.take(name, 'x', now({ count: 2, claimAfterMs: shortMs })))).toEqual(['197', '198'])
      expect(texts(await store.queue.take(name, 'x', now({ count: 2, claimAfterMs: shortMs })))).toEqual(['199'])
    })

    test('finishing with a dead letter does both or neither, and only once', async () => {
      const { store, other } = use()
      const { name, put } = await openQueue(store)
      await put('a')
      const [entry] = await store.queue.take(name, 'v', now())
      const letter = { id: 'event', text: 't' }
      expect(await store.queue.finish(name, entry?.id ?? '', letter)).toBe('finished')
      expect(await store.letters.list(name, 10)).toEqual([letter])
      expect(await store.letters.remove(name, 'event')).toBe(true)
      expect(await store.queue.finish(name, entry?.id ?? '', letter)).toBe('finished')
      expect(await other.queue.finish(name, entry?.id ?? '', letter)).toBe('finished')
      expect(await store.letters.count(name)).toBe(0)
      expect(await store.queue.length(name)).toBe(0)
    })

    test('a finished entry is never handed out again', async () => {
      const { store, pass, shortMs } = use()
      const { name, put } = await openQueue(store)
      await put('a', 'b')
      const [a] = await store.queue.take(name, 'v', now({ claimAfterMs: shortMs }))
      await store.queue.finish(name, a?.id ?? '')
      await pass(shortMs + 50)
      expect(texts(await store.queue.take(name, 'w', now({ claimAfterMs: shortMs })))).toEqual(['b'])
    })

    test('a take waits for an entry, and is answered as soon as there is one', async () => {
      const { store, other } = use()
      const { name, put } = await openQueue(store)
      await other.queue.take(name, 'w', now({ waitMs: 1 })) // has connected
      let given: readonly string[] = []
      // A take in Redis waits 400 ms at most, so that a longer bound would say nothing.
      const tookMs = await ownTimeOf(async () => {
        const waiting = other.queue.take(name, 'w', now({ waitMs: WAIT_MS }))
        await put('a')
        given = texts(await waiting)
      })
      expect(given).toEqual(['a'])
      expect(tookMs).toBeLessThan(WAIT_MS - 50)
    })

    test('a take without an entry waits its time, and no longer', async () => {
      const { store } = use()
      const { name } = await openQueue(store)
      await store.queue.take(name, 'w', now({ waitMs: 1 }))
      const beganAt = performance.now()
      expect(await store.queue.take(name, 'w', now({ waitMs: WAIT_MS }))).toEqual([])
      expect(performance.now() - beganAt).toBeGreaterThan(WAIT_MS - 20)
      expect(performance.now() - beganAt).toBeLessThan(await allowed(LONG_WAIT_MS))
    })

    test('takes wait independently of each other, and no other call waits for them', async () => {
      const { store } = use()
      const names = await Promise.all(Array.from({ length: 5 }, () => openQueue(store)))
      const takeAll = (waitMs: number): Promise<(readonly QueueEntry[])[]> =>
        Promise.all(names.map(({ name }) => store.queue.take(name, 'w', now({ waitMs }))))
      await takeAll(20)
      const beganAt = performance.now()
      const waiting = takeAll(LONG_WAIT_MS)
      const renewed = store.renew(names[0]?.name ?? '', 'h', LONG_MS)
      expect(await Promise.race([renewed, waiting])).toBe(true)
      expect((await waiting).flat()).toEqual([])
      expect(performance.now() - beganAt).toBeLessThan(await allowed(2 * LONG_WAIT_MS))
    })

    test('close() ends a waiting take at once', async () => {
      const { store } = use()
      const { name } = await openQueue(store)
      await store.queue.take(name, 'w', now({ waitMs: 1 }))
      const waiting = expect(store.queue.take(name, 'w', now({ waitMs: LONG_WAIT_MS }))).rejects.toMatchObject({
        code: 'closed',
      })
      await elapse(50) // no store says that somebody waits
      const beganAt = performance.now()
      await store.close()
      await waiting
      expect(performance.now() - beganAt).toBeLessThan(await allowed(LONG_WAIT_MS / 2))
    })
  })
}
