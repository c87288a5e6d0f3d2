import { describe, expect, test } from '@jest/globals'
import type { CommitStep, ConsumerStore } from '../../src/store/consumer-store.js'
import { acquire, type UseConsumerStore } from './consumer-store.js'
import { word } from './store.js'

/** How far a consumer is, and what goes with it. */
export function describeCommits(use: UseConsumerStore): void {
  describe('commits', () => {
    /** Everything but the lease. */
    async function contents(store: ConsumerStore, name: string): Promise<unknown> {
      return [await store.letters.list(name, 100), await store.queue.length(name)]
    }
    const laden = (fence: number, sequence: number, checkpoint: string): CommitStep => ({
      fence,
      sequence,
      checkpoint,
      letters: [{ id: `letter-${checkpoint}`, text: 't' }],
      queue: { entries: ['e'], maxLength: 100 },
    })

    test('the next consumer begins at the last checkpoint, even an empty one', async () => {
      const { store, other } = use()
      const name = word()
      const first = await acquire(store, name, 'a')
      expect(first).toEqual({ fence: first.fence })
      expect(await store.commit(name, { fence: first.fence, sequence: 1, checkpoint: 'ünï|{"a":1}' })).toBe('committed')
      await store.release(name, 'a')
      const second = await acquire(other, name, 'b')
      expect(second.checkpoint).toBe('ünï|{"a":1}')
      expect(await other.commit(name, { fence: second.fence, sequence: 1, checkpoint: '' })).toBe('committed')
      expect((await acquire(other, name, 'b')).checkpoint).toBe('')
    })

    test('with an old fencing number do nothing, even while nobody has the lease', async () => {
      const { store, other } = use()
      const name = word()
      const old = await acquire(store, name, 'a')
      await store.release(name, 'a')
      const { fence } = await acquire(other, name, 'b')
      await other.commit(name, laden(fence, 1, 'new'))
      const before = await contents(store, name)
      expect(await store.commit(name, laden(old.fence, 99, 'old'))).toBe('lost')
      await other.release(name, 'b')
      expect(await store.commit(name, laden(old.fence, 100, 'old'))).toBe('lost')
      expect(await store.commit(name, laden(fence + 1, 100, 'invented'))).toBe('lost')
      expect(await contents(store, name)).toEqual(before)
      expect((await acquire(other, name, 'b')).checkpoint).toBe('new')
    })

    test('do nothing before a lease was ever acquired', async () => {
      const { store } = use()
      const name = word()
      expect(await store.commit(name, laden(1, 1, 'c'))).toBe('lost')
      expect(await store.commit(name, laden(0, 1, 'c'))).toBe('lost')
      expect(await contents(store, name)).toEqual([[], 0])
    })

    test('count after the lease has expired, as long as nobody has taken it', async () => {
      const { store, pass, shortMs } = use()
      const name = word()
      const { fence } = await acquire(store, name, 'a', shortMs)
      await pass(shortMs + 50)
      expect(await store.commit(name, { fence, sequence: 1, checkpoint: 'c' })).toBe('committed')
      expect((await acquire(store, name, 'b')).checkpoint).toBe('c')
    })

    test('do nothing if repeated, or overtaken by a later one', async () => {
      const { store } = use()
      const name = word()
      const { fence } = await acquire(store, name)
      await store.commit(name, laden(fence, 2, 'two'))
      const before = await contents(store, name)
      expect(await store.commit(name, laden(fence, 2, 'two'))).toBe('committed')
      expect(await store.commit(name, laden(fence, 1, 'one'))).toBe('committed')
      expect(await contents(store, name)).toEqual(before)
      expect((await acquire(store, name)).checkpoint).toBe('two')
    })

    test('the sequence restarts with each fencing token', async () => {
      const { store } = use()
      const name = word()
      const { fence } = await acquire(store, name)
      await store.commit(name, { fence, sequence: 50, checkpoint: 'a' })
      const again = await acquire(store, name)
      expect(await store.commit(name, { fence: again.fence, sequence: 1, checkpoint: 'b' })).toBe('committed')
      expect((await acquire(store, name)).checkpoint).toBe('b')
    })

    test('keep dead letters and entries in order', async () => {
      const { store } = use()
      const name = word()
      const { fence } = await acquire(store, name)
      const letters = ['b', 'a', 'c'].map((id) => ({ id, text: `text ${id}` }))
      const queue = { entries: ['3', '1', '2'], maxLength: 3 }
      expect(await store.commit(name, { fence, sequence: 1, checkpoint: 'c', letters, queue })).toBe('committed')
      expect(await store.letters.list(name, 10)).toEqual(letters)
      const taken = await store.queue.take(name, 'w', { count: 10, claimAfterMs: 60_000, waitMs: 0 })
      expect(taken.map(({ text }) => text)).toEqual(['3', '1', '2'])
    })

    test('do nothing while the queue is full, and finished entries make room', async () => {
      const { store } = use()
      const name = word()
      const { fence } = await acquire(store, name)
      const step = (sequence: number, entries: readonly string[]): CommitStep => ({
        ...laden(fence, sequence, `c${sequence}`),
        queue: { entries, maxLength: 3 },
      })
      expect(await store.commit(name, step(1, ['1', '2']))).toBe('committed')
      const before = await contents(store, name)
      expect(await store.commit(name, step(2, ['3', '4']))).toBe('full')
      expect(await contents(store, name)).toEqual(before)
      const [entry] = await store.queue.take(name, 'w', { count: 1, claimAfterMs: 60_000, waitMs: 0 })
      expect(await store.commit(name, step(2, ['3', '4']))).toBe('full')
      await store.queue.finish(name, entry?.id ?? '')
      expect(await store.commit(name, step(2, ['3', '4']))).toBe('committed')
      expect(await store.queue.length(name)).toBe(3)
      expect(await store.commit(name, { fence, sequence: 3, checkpoint: 'c3' })).toBe('committed')
    })
  })
}
