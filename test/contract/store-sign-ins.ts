import { describe, expect, test } from '@jest/globals'
import { MAX_SIGN_INS_PER_USER } from '../../src/store/bounds.js'
import type { Store } from '../../src/store/store.js'
import { putAttempt } from '../support/put-attempt.js'
import { type UseStore, word } from './store.js'

const HOUR_MS = 3_600_000

interface SignIn {
  readonly tag: string
  readonly id: string
  readonly startedAt: number
}

async function createOne(store: Store, tag: string = word(), ttlMs: number = HOUR_MS): Promise<SignIn> {
  const startedAt = await store.now()
  const id = `${tag}.${word()}`
  expect(await store.createSignIn(id, 'v1', startedAt + ttlMs, startedAt)).toBe(true)
  return { tag, id, startedAt }
}

const idsOf = async (store: Store, tag: string): Promise<string[]> =>
  (await store.listSignIns(tag)).map(({ id }) => id).sort()

/** The vault's records, their index, and sign-out everywhere. */
export function describeSignIns(use: UseStore): void {
  describe('sign-ins', () => {
    test('a record is created at version 1, read as written, and listed', async () => {
      const { store, other } = use()
      const tag = word()
      const id = `${tag}.${word()}`
      const now = await store.now()
      const value = `a|b|${'€'.repeat(200)}`
      expect(await store.createSignIn(id, value, now + HOUR_MS, now)).toBe(true)
      expect(await other.readSignIn(id)).toEqual({ version: 1, value })
      expect(await other.listSignIns(tag)).toEqual([{ id, version: 1, value }])
    })

    test('those that are deleted or unknown are missing, whoever they belong to', async () => {
      const { store, other } = use()
      const [kept, deleted] = [await createOne(store), await createOne(store)]
      const unknown = `${word()}.${word()}`
      await other.deleteSignIn(deleted.id)
      expect(await store.missingSignIns([kept.id, deleted.id, unknown])).toEqual([deleted.id, unknown])
      expect(await store.missingSignIns([])).toEqual([])
    })

    test('of too many sign-ins of one user those that would end first are dropped', async () => {
      const { store } = use()
      const [tag, now] = [word(), await store.now()]
      const ids = Array.from({ length: MAX_SIGN_INS_PER_USER + 2 }, () => `${tag}.${word()}`)
      for (const [index, id] of ids.entries()) {
        // The first two are used again, so that the third and fourth end first.
        expect(await store.createSignIn(id, 'v', now + HOUR_MS + index, now)).toBe(true)
        if (index < 2) await store.writeSignIn(id, 1, 'used', now + 2 * HOUR_MS)
      }
      const kept = ids.filter((_id, index) => index !== 2 && index !== 3)
      expect(await idsOf(store, tag)).toEqual([...kept].sort())
      expect(await store.readSignIn(ids[2] ?? '')).toBeUndefined()
    })

    test('X12 forty simultaneous sign-ins of a user at the limit are all created, and the limit holds', async () => {
      const { store, other } = use()
      const [tag, now] = [word(), await store.now()]
      for (let i = 0; i < MAX_SIGN_INS_PER_USER; i += 1) {
        await store.createSignIn(`${tag}.${word()}`, 'v', now + HOUR_MS + i, now)
      }
      const ids = Array.from({ length: 40 }, () => `${tag}.${word()}`)
      const made = await Promise.all(
        ids.map((id, i) => (i % 2 === 0 ? store : other).createSignIn(id, 'v', now + 2 * HOUR_MS, now)),
      )
      expect(made.every(Boolean)).toBe(true)
      const left = await idsOf(store, tag)
      expect(left).toHaveLength(MAX_SIGN_INS_PER_USER)
      expect(left).toEqual(expect.arrayContaining(ids))
    })

    test('a new sign-in is never the one that is dropped, even if it would end first', async () => {
      const { store } = use()
      const [tag, now] = [word(), await store.now()]
      for (let i = 0; i < MAX_SIGN_INS_PER_USER; i += 1) {
        await store.createSignIn(`${tag}.${word()}`, 'v', now + 2 * HOUR_MS, now)
      }
      const id = `${tag}.new`
      expect(await store.createSignIn(id, 'v', now + HOUR_MS, now)).toBe(true)
      expect(await store.readSignIn(id)).toEqual({ version: 1, value: 'v' })
      expect(await store.listSignIns(tag)).toHaveLength(MAX_SIGN_INS_PER_USER)
    })

    test('a record is not created over an existing one, nor after its expiry', async () => {
      const { store } = use()
      const { id, tag, startedAt } = await createOne(store)
      await store.writeSignIn(id, 1, 'v2', startedAt + HOUR_MS)
      expect(await store.createSignIn(id, 'again', startedAt + HOUR_MS, startedAt)).toBe(false)
      expect(await store.readSignIn(id)).toEqual({ version: 2, value: 'v2' })
      expect(await store.createSignIn(`${tag}.${word()}`, 'v', startedAt - 1, startedAt)).toBe(false)
      expect(await idsOf(store, tag)).toEqual([id])
    })

    test('C33 a write succeeds only at the version that was read', async () => {
      const { store, other } = use()
      const { id, startedAt } = await createOne(store)
      expect(await store.writeSignIn(id, 1, 'v2', startedAt + HOUR_MS)).toBe('written')
      expect(await other.writeSignIn(id, 1, 'lost', startedAt + HOUR_MS)).toBe('conflict')
      expect(await other.writeSignIn(id, 3, 'lost', startedAt + HOUR_MS)).toBe('conflict')
      expect(await other.readSignIn(id)).toEqual({ version: 2, value: 'v2' })
    })

    test('C33 of 50 simultaneous writes one is written, the others conflict', async () => {
      const { store, other } = use()
      const { id, startedAt } = await createOne(store)
      const results = await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          (i % 2 === 0 ? store : other).writeSignIn(id, 1, `w${i}`, startedAt + HOUR_MS),
        ),
      )
      expect(results.filter((result) => result === 'written')).toHaveLength(1)
      expect(results.filter((result) => result === 'conflict')).toHaveLength(49)
      expect(await store.readSignIn(id)).toEqual({ version: 2, value: `w${results.indexOf('written')}` })
    })

    test('the version of a record counts past ten', async () => {
      const { store } = use()
      const { id, startedAt } = await createOne(store)
      for (let version = 1; version <= 12; version++) {
        expect(await store.writeSignIn(id, version, `v${version}`, startedAt + HOUR_MS)).toBe('written')
      }
      expect(await store.readSignIn(id)).toEqual({ version: 13, value: 'v12' })
    })

    test('C28 nothing brings a deleted record back', async () => {
      const { store, other } = use()
      const { id, tag, startedAt } = await createOne(store)
      expect(await store.deleteSignIn(id)).toEqual({ version: 1, value: 'v1' })
      expect(await other.writeSignIn(id, 1, 'late', startedAt + HOUR_MS)).toBe('gone')
      expect(await store.readSignIn(id)).toBeUndefined()
      expect(await store.deleteSignIn(id)).toBeUndefined()
      expect(await store.listSignIns(tag)).toEqual([])
    })

    test('C28 a deletion racing 20 writes wins: no record is left', async () => {
      const { store, other } = use()
      const { id, tag, startedAt } = await createOne(store)
      const writes = Array.from({ length: 20 }, (_, i) => other.writeSignIn(id, i + 1, 'w', startedAt + HOUR_MS))
      const [deleted] = await Promise.all([store.deleteSignIn(id), ...writes])
      expect(deleted).toBeDefined()
      expect(await other.readSignIn(id)).toBeUndefined()
      expect(await store.listSignIns(tag)).toEqual([])
    })

    test('C34 a deletion that names a version deletes only that version', async () => {
      const { store } = use()
      const { id, startedAt } = await createOne(store)
      await store.writeSignIn(id, 1, 'v2', startedAt + HOUR_MS)
      expect(await store.deleteSignIn(id, 1)).toBeUndefined()
      expect(await store.readSignIn(id)).toEqual({ version: 2, value: 'v2' })
      expect(await store.deleteSignIn(id, 2)).toEqual({ version: 2, value: 'v2' })
    })

    test('C23 a record ends at its expiry, and leaves the index', async () => {
      const { store, pass, shortMs } = use()
      const { id, tag } = await createOne(store, word(), shortMs)
      const { id: kept } = await createOne(store, tag)
      await pass(shortMs + 50)
      expect(await store.readSignIn(id)).toBeUndefined()
      expect(await store.writeSignIn(id, 1, 'late', (await store.now()) + HOUR_MS)).toBe('gone')
      expect(await idsOf(store, tag)).toEqual([kept])
    })

    test('C23 a write moves the expiry, both ways', async () => {
      const { store, pass, shortMs } = use()
      const tag = word()
      const long = await createOne(store, tag, shortMs)
      const short = await createOne(store, tag)
      await store.writeSignIn(long.id, 1, 'v', long.startedAt + HOUR_MS)
      await store.writeSignIn(short.id, 1, 'v', (await store.now()) + shortMs)
      await pass(shortMs + 50)
      expect(await idsOf(store, tag)).toEqual([long.id])
    })

    test('C23 a write whose expiry has passed deletes the record', async () => {
      const { store } = use()
      const { id, tag, startedAt } = await createOne(store)
      expect(await store.writeSignIn(id, 1, 'v', startedAt - 1)).toBe('written')
      expect(await store.readSignIn(id)).toBeUndefined()
      expect(await idsOf(store, tag)).toEqual([])
    })

    test('C29 sign-out everywhere deletes one user’s records, and gives them back', async () => {
      const { store, other } = use()
      const tag = word()
      const mine = [await createOne(store, tag), await createOne(other, tag), await createOne(store, tag)]
      const foreign = await createOne(store)
      const deleted = await other.deleteAllSignIns(tag, HOUR_MS)
      expect(deleted.map(({ id }) => id).sort()).toEqual(mine.map(({ id }) => id).sort())
      expect(deleted[0]).toMatchObject({ version: 1, value: 'v1' })
      expect(await store.listSignIns(tag)).toEqual([])
      for (const { id } of mine) expect(await store.readSignIn(id)).toBeUndefined()
      expect(await store.readSignIn(foreign.id)).toBeDefined()
    })

    test('C29 an attempt begun before a sign-out everywhere creates nothing; one begun after does', async () => {
      const { store, pass } = use()
      const tag = word()
      const before = await store.now()
      await store.deleteAllSignIns(tag, HOUR_MS)
      const at = await store.now()
      expect(await store.createSignIn(`${tag}.${word()}`, 'v', at + HOUR_MS, before)).toBe(false)
      await pass(5)
      await createOne(store, tag)
      expect(await store.listSignIns(tag)).toHaveLength(1)
    })

    test('C29 the mark of a sign-out everywhere lasts as long as it was asked to', async () => {
      const { store, pass, shortMs } = use()
      const tag = word()
      const before = await store.now()
      await store.deleteAllSignIns(tag, shortMs)
      await pass(shortMs + 50)
      expect(await store.createSignIn(`${tag}.${word()}`, 'v', before + HOUR_MS, before)).toBe(true)
    })

    test('C29 creations racing a sign-out everywhere leave no live record', async () => {
      const { store, other } = use()
      const tag = word()
      const startedAt = await store.now()
      const create = (): Promise<boolean> => other.createSignIn(`${tag}.${word()}`, 'v', startedAt + HOUR_MS, startedAt)
      const created = Array.from({ length: 20 }, create)
      const deleted = store.deleteAllSignIns(tag, HOUR_MS)
      created.push(...Array.from({ length: 20 }, create))
      const made = (await Promise.all(created)).filter(Boolean).length
      expect(await deleted).toHaveLength(made)
      expect(await store.listSignIns(tag)).toEqual([])
    })

    test('a scan meets every record of every user, and nothing else', async () => {
      const { store } = use()
      // One after the other: a call has a second, and a busy machine must not spend it on the crowd.
      const made: SignIn[] = []
      for (let i = 0; i < 60; i += 1) made.push(await createOne(store, `tag${i % 20}`))
      const gone = await createOne(store)
      await store.deleteSignIn(gone.id)
      await putAttempt(store, word(), 'v', HOUR_MS)
      await store.sessions.set(word(), '{}', 60)
      const found = new Set<string>()
      for await (const id of store.scanSignIns()) found.add(id)
      expect([...found].sort()).toEqual(made.map(({ id }) => id).sort())
    })

    test('C33 a lease has one holder, and only its holder gives it back', async () => {
      const { store, other } = use()
      const name = `${word()}.${word()}`
      const holders = Array.from({ length: 30 }, word)
      const got = await Promise.all(
        holders.map((holder, i) => (i % 2 === 0 ? store : other).acquireLease(name, holder, HOUR_MS)),
      )
      expect(got.filter(({ isHolder }) => isHolder)).toHaveLength(1)
      const holder = holders[got.findIndex(({ isHolder }) => isHolder)] ?? ''
      await other.releaseLease(name, 'somebody else')
      expect(await other.acquireLease(name, 'next', HOUR_MS)).toMatchObject({ isHolder: false })
      await store.releaseLease(name, holder)
      expect(await other.acquireLease(name, 'next', HOUR_MS)).toMatchObject({ isHolder: true })
    })

    test('C33 with a lease comes the sign-in as it is then, for its holder and for those who must wait', async () => {
      const { store, other } = use()
      const { id } = await createOne(store)
      const first = await store.acquireLease(id, 'first', HOUR_MS)
      expect(first).toEqual({ isHolder: true, record: { version: 1, value: 'v1' } })
      expect(await other.acquireLease(id, 'second', HOUR_MS)).toEqual({ ...first, isHolder: false })
      expect(await store.writeSignIn(id, 1, 'v2', (await store.now()) + HOUR_MS)).toBe('written')
      const written = { version: 2, value: 'v2' }
      expect(await other.acquireLease(id, 'second', HOUR_MS)).toEqual({ isHolder: false, record: written })
      await store.releaseLease(id, 'first')
      expect(await other.acquireLease(id, 'second', HOUR_MS)).toEqual({ isHolder: true, record: written })
      await store.deleteSignIn(id)
      expect(await store.acquireLease(id, 'third', HOUR_MS)).toEqual({ isHolder: false, record: undefined })
    })

    test('C33 a lease ends by itself; its late holder does not take it from the next', async () => {
      const { store, other, pass, shortMs } = use()
      const name = `${word()}.${word()}`
      expect(await store.acquireLease(name, 'killed', shortMs)).toMatchObject({ isHolder: true })
      await pass(shortMs + 50)
      expect(await other.acquireLease(name, 'next', HOUR_MS)).toMatchObject({ isHolder: true })
      await store.releaseLease(name, 'killed')
      expect(await store.acquireLease(name, 'third', HOUR_MS)).toMatchObject({ isHolder: false })
    })
  })
}
