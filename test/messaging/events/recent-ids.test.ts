import { expect, test } from '@jest/globals'
import { RecentIds } from '../../../src/messaging/events/recent-ids.js'

test('the last ids are remembered, up to the given number', () => {
  const ids = new RecentIds(3)
  expect(['a', 'b', 'a', 'c', 'd'].map((id) => ids.add(id))).toEqual([true, true, false, true, true])
  // "a" made room for "d".
  expect(ids.add('b')).toBe(false)
  expect(ids.add('a')).toBe(true)
  expect(ids.add('b')).toBe(true)
})

test('rising ids need no lookup; the first one that does not rise is looked up', () => {
  const ids = new RecentIds(10_000)
  const id = (index: number): string => `01HQ${String(index).padStart(22, '0')}`
  for (let index = 0; index < 1_000_000; index += 1) ids.add(id(index))
  expect([999_999, 990_000, 989_999].map((index) => ids.add(id(index)))).toEqual([false, false, true])
  expect([1_000_000, 1_000_000, 999_999, 0].map((index) => ids.add(id(index)))).toEqual([true, false, false, true])
})

test('in any order, an id is new if and only if it is not among the last ones', () => {
  let seed = 7
  const random = (): number => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed / 2_147_483_647
  }
  for (let capacity = 1; capacity <= 20; capacity += 1) {
    const ids = new RecentIds(capacity)
    const last: string[] = []
    for (let step = 0; step < 500; step += 1) {
      // Rising at first, then in any order.
      const id = step < 20 ? `e${step + 100}` : `e${100 + Math.floor(random() * 60)}`
      const isNew = !last.slice(-capacity).includes(id)
      expect(ids.add(id)).toBe(isNew)
      if (isNew) last.push(id)
    }
  }
})
