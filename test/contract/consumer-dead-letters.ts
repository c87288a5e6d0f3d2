import { describe, expect, test } from '@jest/globals'
import { MAX_DEAD_LETTERS } from '../../src/store/bounds.js'
import type { StoredDeadLetter } from '../../src/store/consumer-store.js'
import { acquire, type UseConsumerStore } from './consumer-store.js'
import { word } from './store.js'

const letter = (id: string, text = `text of ${id}`): StoredDeadLetter => ({ id, text })

/** Dead letters. */
export function describeLetters(use: UseConsumerStore): void {
  describe('dead letters', () => {
    test('are listed oldest first, as many as asked for, and stay', async () => {
      const { store, other } = use()
      const name = word()
      for (const id of ['c', 'a', 'b']) expect(await store.letters.add(name, letter(id))).toBe('added')
      expect(await other.letters.list(name, 2)).toEqual([letter('c'), letter('a')])
      expect(await other.letters.list(name, 2, 1)).toEqual([letter('a'), letter('b')])
      expect(await other.letters.list(name, 2, 3)).toEqual([])
      expect(await other.letters.list(name, 0)).toEqual([])
      expect(await other.letters.list(word(), 5)).toEqual([])
      expect(await other.letters.count(name)).toBe(3)
    })

    test('keep only the first of each event', async () => {
      const { store } = use()
      const name = word()
      const { fence } = await acquire(store, name)
      await store.letters.add(name, letter('a'))
      expect(await store.letters.add(name, letter('a', 'other'))).toBe('added')
      const letters = [letter('b'), letter('a', 'third'), letter('b', 'fourth')]
      const queue = { entries: ['e'], maxLength: 1 }
      expect(await store.commit(name, { fence, sequence: 1, checkpoint: 'c', letters, queue })).toBe('committed')
      const [entry] = await store.queue.take(name, 'w', { count: 1, claimAfterMs: 60_000, waitMs: 0 })
      await store.queue.finish(name, entry?.id ?? '', letter('b', 'fifth'))
      expect(await store.letters.list(name, 10)).toEqual([letter('a'), letter('b')])
      expect(await store.letters.count(name)).toBe(2)
    })

    test('are removed by the id of their event, once, and may be added again at the end', async () => {
      const { store, other } = use()
      const name = word()
      for (const id of ['a', 'b', 'c']) await store.letters.add(name, letter(id))
      const removed = await Promise.all([store, other, store].map((one) => one.letters.remove(name, 'b')))
      expect(removed.filter(Boolean)).toHaveLength(1)
      expect(await store.letters.remove(name, 'd')).toBe(false)
      expect(await store.letters.list(name, 10)).toEqual([letter('a'), letter('c')])
      await store.letters.add(name, letter('b', 'again'))
      expect(await store.letters.list(name, 10)).toEqual([letter('a'), letter('c'), letter('b', 'again')])
    })

    test('take any text as id and content', async () => {
      const { store } = use()
      const name = word()
      const ids = ['', '1', '1:1', ':', 'a b', 'ü:日本\n"\\', '1:11:1', '{x}', '%d+']
      const letters = ids.map((id) => letter(id, `${id}:\u0000\n日`))
      for (const one of letters) expect(await store.letters.add(name, one)).toBe('added')
      expect(await store.letters.list(name, 100)).toEqual(letters)
      for (const id of ids.toReversed()) expect(await store.letters.remove(name, id)).toBe(true)
      expect(await store.letters.count(name)).toBe(0)
    })

    test('are limited in number, and a commit beyond the limit is refused as a whole', async () => {
      const { store } = use()
      const name = word()
      const { fence } = await acquire(store, name)
      for (let batch = 0; batch < 10; batch++) {
        const letters = Array.from({ length: MAX_DEAD_LETTERS / 10 }, (_, i) => letter(`${batch}-${i}`, 't'))
        await store.commit(name, { fence, sequence: batch + 1, checkpoint: `${batch}`, letters })
      }
      expect(await store.letters.count(name)).toBe(MAX_DEAD_LETTERS)
      const queue = { entries: ['e'], maxLength: 5 }
      const refused = { fence, sequence: 11, checkpoint: 'no', letters: [letter('0-0'), letter('x')], queue }
      expect(await store.commit(name, refused)).toBe('full')
      expect(await store.queue.length(name)).toBe(0)
      expect(await store.letters.add(name, letter('x'))).toBe('full')
      expect(await store.letters.add(name, letter('5-5'))).toBe('added')
      expect(await store.commit(name, { ...refused, letters: [letter('0-0')] })).toBe('committed')
      const [entry] = await store.queue.take(name, 'w', { count: 1, claimAfterMs: 60_000, waitMs: 0 })
      expect(await store.queue.finish(name, entry?.id ?? '', letter('x'))).toBe('full')
      expect(await store.queue.length(name)).toBe(1)
      expect(await store.letters.remove(name, '9-999')).toBe(true)
      expect(await store.queue.finish(name, entry?.id ?? '', letter('x'))).toBe('finished')
      expect(await store.letters.count(name)).toBe(MAX_DEAD_LETTERS)
    })
  })
}
