import { describe, expect, test } from '@jest/globals'
import { TOMBSTONE_TTL_MS } from '../../src/store/store.js'
import { type UseStore, word } from './store.js'

/** Session blobs, shared secrets and limiters. */
export function describeSessions(use: UseStore): void {
  describe('sessions', () => {
    test('a session is read as it was written, by any instance', async () => {
      const { store, other } = use()
      const sid = word()
      expect(await store.sessions.get(sid)).toBeNull()
      expect(await store.sessions.set(sid, '{"a":1}', 60)).toBe(true)
      expect(await store.sessions.set(sid, '{"a":"é"}', 60)).toBe(true)
      expect(await other.sessions.get(sid)).toBe('{"a":"é"}')
    })

    test('C23 a session expires', async () => {
      const { store, pass } = use()
      const sid = word()
      await store.sessions.set(sid, '{}', 1)
      await pass(1100)
      expect(await store.sessions.get(sid)).toBeNull()
    })

    test('C28 a destroyed session cannot be written again, by any instance', async () => {
      const { store, other } = use()
      const sid = word()
      await store.sessions.set(sid, '{}', 60)
      await store.sessions.destroy(sid)
      expect(await other.sessions.get(sid)).toBeNull()
      expect(await other.sessions.set(sid, '{"late":true}', 60)).toBe(false)
      expect(await store.sessions.get(sid)).toBeNull()
    })

    test('C28 destroying a session that 20 writes race leaves nothing', async () => {
      const { store, other } = use()
      const sid = word()
      await store.sessions.set(sid, '{}', 60)
      await Promise.all([
        ...Array.from({ length: 10 }, () => other.sessions.set(sid, '{"w":1}', 60)),
        store.sessions.destroy(sid),
        ...Array.from({ length: 10 }, () => other.sessions.set(sid, '{"w":2}', 60)),
      ])
      expect(await store.sessions.get(sid)).toBeNull()
      expect(await other.sessions.set(sid, '{}', 60)).toBe(false)
    })

    test('the tombstone of a session stays for ten minutes', () => {
      expect(TOMBSTONE_TTL_MS).toBe(600_000)
    })
  })

  describe('shared secrets', () => {
    test('C26 of many processes that generate a secret one wins, and all use that one', async () => {
      const { store, other } = use()
      const name = word()
      const known = await Promise.all(
        Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? store : other).shareSecret(name, `secret ${i}`)),
      )
      expect(new Set(known).size).toBe(1)
      expect(await other.shareSecret(name, 'too late')).toBe(known[0])
      expect(await other.shareSecret(word(), 'another')).toBe('another')
    })
  })

  describe('limiters', () => {
    test('C43 a limiter admits its points, then says how long to wait', async () => {
      const { store, other } = use()
      const [mine, theirs] = [store.createLimiter('login', 3), other.createLimiter('login', 3)]
      const key = word()
      expect([await mine.consume(key), await theirs.consume(key), await mine.consume(key)]).toEqual([0, 0, 0])
      const waitMs = await theirs.consume(key)
      expect(waitMs).toBeGreaterThan(50_000)
      expect(waitMs).toBeLessThanOrEqual(60_000)
      expect(await mine.consume(word())).toBe(0)
      expect(await store.createLimiter('callback', 3).consume(key)).toBe(0)
    })

    test('C43 a point that is given back does not count, and the count never goes below zero', async () => {
      const { store, other } = use()
      const [mine, theirs] = [store.createLimiter('l', 2), other.createLimiter('l', 2)]
      const key = word()
      await mine.giveBack(key)
      expect([await mine.consume(key), await theirs.consume(key)]).toEqual([0, 0])
      await theirs.giveBack(key)
      expect(await mine.consume(key)).toBe(0)
      expect(await mine.consume(key)).toBeGreaterThan(50_000)
    })

    test('C43 of 40 simultaneous events exactly as many as there are points pass', async () => {
      const { store, other } = use()
      const limiters = [store.createLimiter('l', 10), other.createLimiter('l', 10)]
      const key = word()
      const waits = await Promise.all(Array.from({ length: 40 }, (_, i) => limiters[i % 2]?.consume(key)))
      expect(waits.filter((waitMs) => waitMs === 0)).toHaveLength(10)
    })
  })
}
