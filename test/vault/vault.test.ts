import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { PpoppoEventDetail } from '../../src/audit-events.js'
import type { VaultKey } from '../../src/config/options.js'
import { systemRuntime } from '../../src/lib/runtime.js'
import { createMemoryStore } from '../../src/store/memory/memory-store.js'
import { createRedisStore } from '../../src/store/redis/redis-store.js'
import type { Store } from '../../src/store/store.js'
import { createKeyRing } from '../../src/vault/keyring.js'
import { type RecordTimes, readTimes, writeTimes } from '../../src/vault/record-times.js'
import { type RewrapProgress, rewrapAll } from '../../src/vault/rewrap.js'
import { createVault, type NewSignIn, type Vault } from '../../src/vault/vault.js'
import { createClock, DAY, HOUR } from '../support/clock.js'
import { describeWithRedis, redisForTests, type TestRedis } from '../support/redis.js'

const ALEX = '01J9Z3K8Q2W4E6R8T0Y2V4X6A1'
const newSignIn = (sub = ALEX): NewSignIn => ({
  sub,
  ppnum: '77700000001',
  userAgent: 'Firefox',
  scopes: ['openid', 'profile'],
  tokens: { accessToken: 'at_1', expiresAt: Date.now() + HOUR, refreshToken: 'rt_1' },
  account: { id: 7 },
})
const key = (id: string): VaultKey => ({ id, secret: randomBytes(32) })
const K1 = key('k1')
const K2 = key('k2')

interface Box {
  readonly vault: Vault
  readonly rewrap: (onProgress?: (progress: RewrapProgress) => void) => Promise<RewrapProgress>
  readonly events: PpoppoEventDetail[]
}

function box(
  store: Store,
  keys: readonly VaultKey[],
  options: { clientId?: string; runtime?: typeof systemRuntime; idleMs?: number } = {},
): Box {
  const { clientId = 'acme_login_client', runtime = systemRuntime, idleMs = 30 * DAY } = options
  const ring = createKeyRing({ keys, clientId, runtime })
  const events: PpoppoEventDetail[] = []
  const config = { clientId, idleMs, absoluteMs: 180 * DAY }
  const vault = createVault({ config, store, keyRing: async () => ring, runtime, raise: (event) => events.push(event) })
  return { vault, events, rewrap: (onProgress) => rewrapAll({ store, keyRing: ring }, onProgress) }
}

async function created(vault: Vault, sub = ALEX) {
  const signIn = await vault.create(newSignIn(sub), Date.now() + 1)
  if (!signIn) throw new Error('not created')
  return signIn
}

function timesOf(text: string): RecordTimes {
  const times = readTimes(JSON.parse(text))
  if (!times) throw new Error('no times')
  return times
}

/** Writes `text` where the record of `id` lies. */
async function overwrite(store: Store, id: string, change: (text: string) => string): Promise<void> {
  const record = await store.readSignIn(id)
  if (!record) throw new Error('no record')
  await store.writeSignIn(id, record.version, change(record.value), Date.now() + DAY)
}

function vaultTests(open: () => Promise<Store>): void {
  test('a sign-in that was just created or written reads as another process reads it', async () => {
    const store = await open()
    const [{ vault }, { vault: other }] = [box(store, [K1]), box(store, [K1])]
    const { id } = await created(vault)
    expect(await vault.read(id)).toEqual(await other.read(id))
    await vault.update(id, (latest) => ({ ...latest, touchedAt: latest.touchedAt + 1, account: { id: 9 } }))
    const read = await vault.read(id)
    expect(read).toMatchObject({ account: { id: 9 }, tokens: { accessToken: 'at_1', refreshToken: 'rt_1' } })
    expect(read).toEqual(await other.read(id))
  })

  test('a sign-in that was read before reads the same, is an object of its own, and opens no more once it is changed', async () => {
    const store = await open()
    const { vault } = box(store, [K1])
    const { id } = await created(vault)
    const [first, again] = [await vault.read(id), await vault.read(id)]
    expect(again).toEqual(first)
    expect(again).toMatchObject({ tokens: { accessToken: 'at_1', refreshToken: 'rt_1' }, account: { id: 7 } })
    Object.assign(Object(again?.account), { id: 8 })
    expect((await vault.read(id))?.account).toEqual({ id: 7 })
    const record = await store.readSignIn(id)
    const flipped = (one: string): string => (one === 'A' ? 'B' : 'A')
    for (const change of [
      (text: string) => text.replace('77700000001', '77700000002'),
      (text: string) => text.replace(/.(?="\}$)/, flipped),
    ]) {
      await overwrite(store, id, change)
      expect(await vault.read(id)).toBeUndefined()
      await overwrite(store, id, () => record?.value ?? '')
      expect(await vault.read(id)).toEqual(first)
    }
    await vault.remove(id)
    expect(await vault.read(id)).toBeUndefined()
  })

  test('the vault says what became of a sign-in: unreadable, replaced in its browser, or gone', async () => {
    const store = await open()
    const { vault } = box(store, [K1])
    const [foreign, garbled, replaced, ended] = [
      await created(vault),
      await created(vault),
      await created(vault),
      await created(vault),
    ]
    await overwrite(store, garbled.id, () => 'no record')
    await vault.replace(replaced.id)
    await vault.remove(ended.id)
    const stranger = box(store, [K2]).vault
    for (const id of [foreign.id, garbled.id, replaced.id, ended.id]) expect(await stranger.read(id)).toBeUndefined()
    expect(await Promise.all([foreign, garbled, replaced, ended].map(({ id }) => stranger.fate(id)))).toEqual([
      'there',
      'there',
      'replaced',
      'gone',
    ])
  })

  test('C25 a record with any clear field edited does not open, is not deleted, and raises one event', async () => {
    const store = await open()
    const { vault, events } = box(store, [K1])
    const edits: Record<string, unknown> = {
      s: '01JAB5N7P9S1D3F5G7H9J1K3M2',
      p: '77700000002',
      t: 'ai_agent',
      u: 'Chrome',
      g: 'openid profile admin',
      createdAt: Date.now() - DAY,
      lastSeenAt: 1,
      touchedAt: Date.now() + DAY,
      refreshedAt: Date.now() + DAY,
      absoluteExpiresAt: Date.now() + 400 * DAY,
      expiresAt: Date.now() + 400 * DAY,
    }
    for (const [field, value] of Object.entries(edits)) {
      const { id } = await created(vault)
      await overwrite(store, id, (text) => {
        const record = JSON.parse(text)
        const times = { ...timesOf(text), [field]: value }
        return JSON.stringify(field.length === 1 ? { ...record, [field]: value } : { ...record, d: writeTimes(times) })
      })
      for (let time = 0; time < 3; time += 1) expect([field, await vault.read(id)]).toEqual([field, undefined])
      expect(await store.readSignIn(id)).toBeDefined()
      expect(events.splice(0)).toEqual([{ type: 'vault_unreadable', signInId: id }])
    }
  })

  test('C25 a sealed record moved to another sign-in, user or client does not open; all causes look the same', async () => {
    const store = await open()
    const { vault, events } = box(store, [K1, K2])
    const [mine, mineToo] = [await created(vault), await created(vault)]
    const others = await created(vault, '01JAB5N7P9S1D3F5G7H9J1K3M2')
    const stolen = (await store.readSignIn(others.id))?.value ?? ''
    const sealedOf = (text: string): string => JSON.parse(text).z
    const causes: ((text: string) => string)[] = [
      () => stolen,
      (text) => JSON.stringify({ ...JSON.parse(text), z: sealedOf(stolen) }),
      (text) => JSON.stringify({ ...JSON.parse(text), z: sealedOf(text).replace('.k1.', '.k2.') }),
      (text) => JSON.stringify({ ...JSON.parse(text), z: `${sealedOf(text).slice(0, -4)}AAAA` }),
      (text) => text.slice(0, -10),
      () => 'null',
      () => '[]',
      () => '',
      () => '{}',
    ]
    for (const cause of causes) {
      const { id } = await created(vault)
      await overwrite(store, id, cause)
      expect(await vault.read(id)).toBeUndefined()
      expect(await vault.update(id, (current) => current)).toBeUndefined()
      expect(await store.readSignIn(id)).toBeDefined()
      expect(events.splice(0)).toEqual([{ type: 'vault_unreadable', signInId: id }])
    }
    await overwrite(store, mineToo.id, () => '')
    const own = (await store.readSignIn(mine.id))?.value ?? ''
    await overwrite(store, mineToo.id, () => own)
    expect(await vault.read(mineToo.id)).toBeUndefined()
    expect(await box(store, [K1], { clientId: 'other_login_client' }).vault.read(mine.id)).toBeUndefined()
    expect((await vault.read(mine.id))?.tokens.refreshToken).toBe('rt_1')
  })

  test('C23 idle and absolute expiry are part of the record, and use does not move the absolute one', async () => {
    const store = await open()
    const clock = createClock()
    const { vault } = box(store, [K1], { runtime: clock.runtime })
    const { id, absoluteExpiresAt, createdAt } = await created(vault)
    expect(absoluteExpiresAt - createdAt).toBe(180 * DAY)
    const touch = () => vault.update(id, (current) => ({ ...current, touchedAt: clock.runtime.now() }))
    for (let day = 0; day < 8; day += 1) {
      clock.advance(20 * DAY)
      expect((await touch())?.absoluteExpiresAt).toBe(absoluteExpiresAt)
    }
    clock.advance(19 * DAY)
    expect(await touch()).toBeDefined()
    clock.advance(2 * DAY)
    expect(await vault.read(id)).toBeUndefined()
  })

  test('C26 rewrap re-encrypts, extends no sign-in, and counts what does not open', async () => {
    const store = await open()
    const [former, latter] = [box(store, [K1]).vault, box(store, [K2, K1], { idleMs: 300 * DAY })]
    const before = await Promise.all([created(former), created(former), created(former)])
    const lost = await created(box(store, [key('lost')]).vault)
    const steps: number[] = []
    const first = await latter.rewrap(({ seen }) => steps.push(seen))
    expect(first).toEqual({ seen: 4, rewrapped: 3, unreadable: 1 })
    expect(steps).toEqual([1, 2, 3, 4])
    expect(await latter.rewrap()).toEqual({ seen: 4, rewrapped: 0, unreadable: 1 })
    for (const signIn of before) {
      expect(await box(store, [K2]).vault.read(signIn.id)).toEqual(signIn)
      const { expiresAt } = timesOf((await store.readSignIn(signIn.id))?.value ?? '')
      expect(expiresAt).toBe(signIn.touchedAt + 30 * DAY)
    }
    expect(await store.readSignIn(lost.id)).toBeDefined()
  })

  test('C28 a sign-out during a rewrap, update or removal is not undone', async () => {
    const real = await open()
    const { id } = await created(box(real, [K1]).vault)
    /** The record ends just before it is written. */
    const racing: Store = {
      ...real,
      writeSignIn: async (...args) => {
        await real.deleteSignIn(args[0])
        return real.writeSignIn(...args)
      },
    }
    const { vault, events, rewrap } = box(racing, [K2, K1])
    expect(await rewrap()).toEqual({ seen: 0, rewrapped: 0, unreadable: 0 })
    expect(await real.readSignIn(id)).toBeUndefined()
    const again = await created(box(real, [K1]).vault)
    expect(await vault.update(again.id, (current) => ({ ...current, ppnum: '1' }))).toBeUndefined()
    expect(await real.readSignIn(again.id)).toBeUndefined()
    expect(await real.listSignIns(again.id.slice(0, 22))).toEqual([])
    expect(events).toEqual([])
  })

  test('C28 the second of two writers writes on top of the first, and a conflict loses nothing', async () => {
    const { vault } = box(await open(), [K1])
    const { id } = await created(vault)
    await Promise.all(
      Array.from({ length: 8 }, () =>
        vault.update(id, (current) => ({ ...current, refreshedAt: current.refreshedAt + 1 })),
      ),
    )
    const { refreshedAt, createdAt } = (await vault.read(id)) ?? { refreshedAt: 0, createdAt: 0 }
    expect(refreshedAt - createdAt).toBe(8)
  })

  test('C29 a sign-out everywhere ends all sign-ins of a person, and an attempt from before it creates none', async () => {
    const { vault } = box(await open(), [K1])
    const begunAt = Date.now() - 10
    const [one, two] = [await created(vault), await created(vault)]
    const mina = await created(vault, '01JAB5N7P9S1D3F5G7H9J1K3M2')
    const ended = await vault.removeAll(ALEX)
    expect(ended.map(({ id }) => id).sort()).toEqual([one.id, two.id].sort())
    expect(ended.map(({ tokens }) => tokens?.refreshToken)).toEqual(['rt_1', 'rt_1'])
    expect(await vault.create(newSignIn(), begunAt)).toBeUndefined()
    expect(await vault.list(ALEX)).toEqual([])
    expect(await vault.read(mina.id)).toBeDefined()
    expect(await vault.create(newSignIn(), Date.now() + 1_000)).toBeDefined()
  })

  test('C29 isOf accepts only ids of this person with this client', async () => {
    const { vault } = box(await open(), [K1])
    const { id } = await created(vault)
    expect(vault.isOf(ALEX, id)).toBe(true)
    expect(vault.isOf('01JAB5N7P9S1D3F5G7H9J1K3M2', id)).toBe(false)
    for (const odd of [
      '',
      '.',
      id.slice(0, 23),
      `${id}x`,
      `${id}\n`,
      `${id}}:*`,
      id.replace('.', ':'),
      'x'.repeat(1e6),
    ])
      expect(vault.isOf(ALEX, odd)).toBe(false)
  })
}

describe('vault (memory)', () => vaultTests(async () => createMemoryStore({ now: Date.now })))

describeWithRedis('vault (redis)', () => {
  let redis: TestRedis
  const stores: Store[] = []
  beforeAll(async () => {
    redis = await redisForTests()
  })
  afterAll(async () => {
    for (const store of stores) await store.close()
  })
  vaultTests(async () => {
    const store = createRedisStore({ redis: redis.url, prefix: redis.prefix() })
    stores.push(store)
    await store.now().catch(() => store.now()) // a busy machine may take a second to connect
    return store
  })
})
