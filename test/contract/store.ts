import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Store } from '../../src/store/store.js'
import { putAttempt } from '../support/put-attempt.js'
import { describeAttempts } from './store-attempts.js'
import { describeSessions } from './store-sessions.js'
import { describeSignIns } from './store-sign-ins.js'
import type { UnderTest } from './under-test.js'

/** Gives each test of the suite its own. */
export type UseStore = () => UnderTest<Store>

/** A random word for keys. */
export const word = (): string => randomBytes(8).toString('hex')

/** Every store passes this. */
export function describeStore(name: string, makeStore: () => Promise<UnderTest<Store>>): void {
  describe(`${name}: store contract`, () => {
    let current: UnderTest<Store>
    beforeEach(async () => {
      current = await makeStore()
    })
    afterEach(() => current.close())
    const use: UseStore = () => current

    describeAttempts(use)
    describeSignIns(use)
    describeSessions(use)

    test('now() is a time in milliseconds, the same for all instances', async () => {
      const { store, other } = use()
      const [a, b] = [await store.now(), await other.now()]
      expect(Number.isInteger(a)).toBe(true)
      expect(Math.abs(a - b)).toBeLessThan(500)
    })

    test('close() can be called twice, and every method rejects with closed afterwards', async () => {
      const { store } = use()
      await store.now()
      await Promise.all([store.close(), store.close()])
      await store.close()
      const limiter = store.createLimiter('l', 1)
      for (const call of [
        () => store.now(),
        () => putAttempt(store, 'k', 'v', 1000),
        () => store.takeTransaction('k', 1000),
        () => store.readSignIn('t.1'),
        () => store.missingSignIns(['t.1']),
        () => store.deleteAllSignIns('t', 1000),
        () => store.acquireLease('t.1', 'h', 1000),
        () => store.sessions.get('s'),
        () => store.shareSecret('s', 'v'),
        () => limiter.consume('k'),
        () => limiter.giveBack('k'),
      ]) {
        await expect(call()).rejects.toMatchObject({ code: 'closed' })
      }
    })
  })
}
