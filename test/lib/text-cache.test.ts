import { expect, test } from '@jest/globals'
import { TextCache } from '../../src/lib/text-cache.js'

test('a text cache gives a value with the very text it was made of, and with no other', () => {
  const cache = new TextCache<number>({ maxCharacters: 100 })
  cache.set('a', 'one', 1)
  expect([cache.get('a', 'one'), cache.get('a', 'onE'), cache.get('b', 'one')]).toEqual([1, undefined, undefined])
  cache.set('a', 'two', 2)
  expect([cache.get('a', 'one'), cache.get('a', 'two')]).toEqual([undefined, 2])
  cache.delete('a')
  expect(cache.get('a', 'two')).toBeUndefined()
})

test('a text cache keeps what is used, and of the rest no more than twice its bound', () => {
  const cache = new TextCache<number>({ maxCharacters: 1_000 })
  const text = (i: number): string => String(i).padStart(100, ' ')
  cache.set('used', text(0), 0)
  for (let i = 1; i <= 200; i += 1) {
    cache.set(`k${i}`, text(i), i)
    expect(cache.get('used', text(0))).toBe(0)
  }
  const kept = Array.from({ length: 200 }, (_, i) => i + 1).filter((i) => cache.get(`k${i}`, text(i)) !== undefined)
  expect(kept.length).toBeLessThanOrEqual(20)
  expect(kept).toContain(200)
  cache.set('huge', 'x'.repeat(1_001), 1)
  expect(cache.get('huge', 'x'.repeat(1_001))).toBeUndefined()
})
