import { describe, expect, test } from '@jest/globals'
import { PENDING_OUTCOME, type Store } from '../../src/store/store.js'
import { putAttempt } from '../support/put-attempt.js'
import { type UseStore, word } from './store.js'

const TTL_MS = 60_000

/** Login attempts and their outcomes. */
export function describeAttempts(use: UseStore): void {
  describe('login attempts', () => {
    test('C08 an attempt is taken once, and is pending for everybody else from then on', async () => {
      const { store, other } = use()
      const key = word()
      await putAttempt(store, key, 'sealed|text', TTL_MS)
      expect(await store.takeTransaction(key, TTL_MS)).toMatchObject({ value: 'sealed|text' })
      expect(await other.takeTransaction(key, TTL_MS)).toEqual({ outcome: PENDING_OUTCOME })
      expect(await other.readTransactionOutcome(key)).toBe(PENDING_OUTCOME)
    })

    test('C08 of 50 simultaneous takes from two instances exactly one gets the attempt', async () => {
      const { store, other } = use()
      const key = word()
      await putAttempt(store, key, 'v', TTL_MS)
      const taken = await Promise.all(
        Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? store : other).takeTransaction(key, TTL_MS)),
      )
      expect(taken.filter((one) => one?.value === 'v')).toHaveLength(1)
      expect(taken.filter((one) => one?.outcome === PENDING_OUTCOME)).toHaveLength(49)
    })

    test('C10 an unknown key takes no attempt and gives nothing away', async () => {
      const { store } = use()
      const key = word()
      await putAttempt(store, key, 'v', TTL_MS)
      expect(await store.takeTransaction(word(), TTL_MS)).toBeUndefined()
      expect(await store.readTransactionOutcome(key)).toBeUndefined()
      expect(await store.takeTransaction(key, TTL_MS)).toMatchObject({ value: 'v' })
    })

    test('C07 attempts of many tabs are separate and can be taken in any order', async () => {
      const { store } = use()
      const keys = Array.from({ length: 10 }, word)
      await Promise.all(keys.map((key) => putAttempt(store, key, `v-${key}`, TTL_MS)))
      for (const key of keys.toReversed()) {
        expect(await store.takeTransaction(key, TTL_MS)).toMatchObject({ value: `v-${key}` })
      }
    })

    test('C29 an attempt begins after every time that now() gave before it was kept, and before all after', async () => {
      const { store, other } = use()
      for (let round = 0; round < 20; round += 1) {
        const before = await other.now()
        const begun = await Promise.all([store, other, store].map((one) => putAttempt(one, word(), 'v', TTL_MS)))
        const after = await store.now()
        for (const begunAt of begun) {
          expect(begunAt).toBeGreaterThan(before)
          expect(begunAt).toBeLessThan(after)
          expect(Math.abs(begunAt - after)).toBeLessThan(10_000)
        }
      }
    })

    test('C29 attempts and sign-outs everywhere at once: each attempt lies between two times of now(), and is kept', async () => {
      const { store, other } = use()
      const given: number[] = []
      const all = Array.from({ length: 60 }, async (_, i) => {
        const one = i % 2 === 0 ? store : other
        if (i % 3 === 0) return void given.push(await one.now())
        const key = word()
        const before = Math.max(0, ...given)
        const begunAt = await putAttempt(one, key, String(i), TTL_MS)
        expect(begunAt).toBeGreaterThan(before)
        expect(await one.now()).toBeGreaterThan(begunAt)
        expect(await other.takeTransaction(key, TTL_MS)).toMatchObject({ value: String(i) })
      })
      await Promise.all(all)
    })

    test('C43 a limit counts each attempt that is put, once, and above it none is kept', async () => {
      const { store, other } = use()
      const key = word()
      const limits = [store, other].map((one) => ({ limiter: one.createLimiter('login', 4), key }))
      const put = async (one: Store): Promise<boolean> => {
        const attempt = { key: word(), value: 'v' }
        const limit = limits[one === other ? 1 : 0]
        const { attempt: kept, waitMs } = await one.putTransaction(() => attempt, TTL_MS, limit)
        expect((await store.takeTransaction(attempt.key, TTL_MS))?.value).toBe(kept ? 'v' : undefined)
        expect(kept ? waitMs === 0 : waitMs > 0 && waitMs <= 60_000).toBe(true)
        return kept === attempt
      }
      // The first call of an instance may have to ask what time it is: it counts once all the same.
      const kept = [await put(store), await put(store), await put(other), await put(store), await put(other)]
      expect(kept).toEqual([true, true, true, true, false])
      expect(await put(store)).toBe(false)
      expect((await store.putTransaction(() => ({ key: word(), value: 'v' }), TTL_MS)).waitMs).toBe(0)
    })

    test('A15 taking an attempt returns when, by the clock of the store', async () => {
      const { store } = use()
      const key = word()
      await putAttempt(store, key, 'v', TTL_MS)
      const before = await store.now()
      const taken = await store.takeTransaction(key, TTL_MS)
      expect(Math.abs((taken?.takenAt ?? 0) - before)).toBeLessThan(10_000)
    })

    test('A11 a limit counts only attempts that are taken', async () => {
      const { store, other } = use()
      const [key, mine] = [word(), word()]
      const [limiter, theirs] = [store.createLimiter('exchange', 2), other.createLimiter('exchange', 2)]
      const take = async (one: string): Promise<number | undefined> =>
        (await store.takeTransaction(one, TTL_MS, { limiter, key: mine }))?.waitMs
      expect([await take(word()), await take(word()), await take(word())]).toEqual([undefined, undefined, undefined])
      for (const [one, isLimited] of [
        [key, false],
        [word(), false],
        [word(), true],
      ] as const) {
        await putAttempt(store, one, 'v', TTL_MS)
        expect(Number(await take(one)) > 0).toBe(isLimited)
      }
      expect(await take(key)).toBeUndefined()
      expect(await theirs.consume(mine)).toBeGreaterThan(0)
      expect((await other.takeTransaction(key, TTL_MS))?.outcome).toBe(PENDING_OUTCOME)
    })

    test('C09 an attempt expires', async () => {
      const { store, pass, shortMs } = use()
      const key = word()
      await putAttempt(store, key, 'v', shortMs)
      await pass(shortMs + 50)
      expect(await store.takeTransaction(key, TTL_MS)).toBeUndefined()
    })

    test('C08 the taker of an attempt leaves an outcome that others can read until it expires', async () => {
      const { store, other, pass, shortMs } = use()
      const key = word()
      await putAttempt(store, key, 'v', TTL_MS)
      await store.takeTransaction(key, TTL_MS)
      await store.setTransactionOutcome(key, 'done', shortMs)
      expect(await other.readTransactionOutcome(key)).toBe('done')
      expect(await other.takeTransaction(key, TTL_MS)).toEqual({ outcome: 'done' })
      await pass(shortMs + 50)
      expect(await other.takeTransaction(key, TTL_MS)).toBeUndefined()
    })

    test("C08 an outcome is stored only while the taker's mark is still there", async () => {
      const { store, pass, shortMs } = use()
      const [never, late] = [word(), word()]
      await store.setTransactionOutcome(never, 'done', TTL_MS)
      expect(await store.readTransactionOutcome(never)).toBeUndefined()
      await putAttempt(store, late, 'v', TTL_MS)
      await store.takeTransaction(late, shortMs)
      await pass(shortMs + 50)
      await store.setTransactionOutcome(late, 'done', TTL_MS)
      expect(await store.readTransactionOutcome(late)).toBeUndefined()
    })
  })
}
