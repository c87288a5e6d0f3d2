import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { personIn } from '../../../src/session/pointer.js'
import { ExpiringMap } from '../../../src/store/memory/expiring-map.js'
import { createMemoryStore } from '../../../src/store/memory/memory-store.js'
import type { Store } from '../../../src/store/store.js'
import { describeStore, word } from '../../contract/store.js'
import { putAttempt } from '../../support/put-attempt.js'

const T0 = 1_800_000_000_000

describeStore('memory', async () => {
  let now = T0
  const store = createMemoryStore({ now: () => now })
  return {
    store,
    other: store,
    shortMs: 150,
    async pass(ms) {
      now += ms
    },
    close: () => store.close(),
  }
})

test('a flood of logins is refused at the bound, and evicts no sign-in and no session', async () => {
  const store = createMemoryStore({ now: () => T0, caps: { attempts: 100 } })
  await store.createSignIn('t.1', 'v', T0 + 1000, T0)
  await store.sessions.set('s', '{}', 60)
  for (let i = 0; i < 100; i++) await putAttempt(store, `k${i}`, 'v', 1000)
  for (let i = 0; i < 1000; i++) {
    await expect(putAttempt(store, `more${i}`, 'v', 1000)).rejects.toMatchObject({ code: 'store_full', status: 503 })
  }
  expect(await store.readSignIn('t.1')).toBeDefined()
  expect(await store.sessions.get('s')).toBe('{}')
  expect(await store.takeTransaction('k0', 1000)).toMatchObject({ value: 'v' })
  await putAttempt(store, 'now there is room', 'v', 1000)
  await store.close()
})

test('A10 under a flood new login attempts expire sooner, but not before two minutes, to make room', async () => {
  let now = T0
  const store = createMemoryStore({ now: () => now, caps: { attempts: 100 } })
  const minutes = 60_000
  for (let i = 0; i < 100; i++) await putAttempt(store, `k${i}`, 'v', 10 * minutes)
  const isThere = async (key: string): Promise<boolean> => (await store.takeTransaction(key, 1000)) !== undefined
  now += 2 * minutes + 1
  expect([await isThere('k0'), await isThere('k60'), await isThere('k95')]).toEqual([true, true, false])
  now += 6 * minutes
  expect([await isThere('k1'), await isThere('k61')]).toEqual([true, false])
  now += 2 * minutes
  expect(await isThere('k2')).toBe(false)
  await store.close()
})

test('C28 a flood of visitors does not bring back a session that has ended', async () => {
  const store = createMemoryStore({ now: () => T0, caps: { sessions: 10 } })
  await store.sessions.set('ended', '{}', 60)
  await store.sessions.destroy('ended')
  for (let i = 0; i < 100; i++) await store.sessions.set(`visitor${i}`, '{}', 60)
  expect(await store.sessions.set('ended', '{"late":true}', 60)).toBe(false)
  expect(await store.sessions.get('ended')).toBeNull()
  await store.close()
})

test('a flood of logins leaves nothing behind that grows', () => {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  let now = T0
  const map = new ExpiringMap<string>({ holds: 'entries', cap: 5_000, whenFull: 'evict-oldest', now: () => now })
  const fill = (round: number): void => {
    for (let i = 0; i < 4_000; i++) map.set(`${round}.${i}`, `${round}.${i}`.padEnd(1_000, 'x'), now + 500)
    now += 1_000
    map.sweep()
  }
  for (let i = 0; i < 5_010; i++) map.set(`flood${i}`, 'v', now + 1)
  fill(0)
  if (typeof collect === 'function') collect()
  const before = process.memoryUsage().heapUsed
  for (let round = 1; round <= 20; round++) fill(round)
  if (typeof collect === 'function') collect()
  expect(map.size).toBe(0)
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000)
})

test('expired login attempts make room before a new one is refused', async () => {
  let now = T0
  const store = createMemoryStore({ now: () => now, caps: { attempts: 3, signIns: 2 } })
  for (const key of ['a', 'b', 'c']) await putAttempt(store, key, 'v', 1000)
  await store.createSignIn('t.1', 'v', T0 + 1000, T0)
  await store.createSignIn('t.2', 'v', T0 + 5000, T0)
  await expect(store.createSignIn('t.3', 'v', T0 + 5000, T0)).rejects.toMatchObject({ code: 'store_full' })
  now += 1000
  await putAttempt(store, 'd', 'v', 1000)
  expect(await store.createSignIn('t.3', 'v', T0 + 5000, T0)).toBe(true)
  expect((await store.listSignIns('t')).map(({ id }) => id)).toEqual(['t.2', 't.3'])
  await store.close()
})

test('a sign-in may be overwritten while the memory store is full', async () => {
  const store = createMemoryStore({ now: () => T0, caps: { signIns: 1 } })
  await store.createSignIn('t.1', 'v', T0 + 1000, T0)
  expect(await store.writeSignIn('t.1', 1, 'w', T0 + 2000)).toBe('written')
  await store.close()
})

/** As the library stores a session in which `person` is signed in. */
const signedInAs = (person: string): string =>
  JSON.stringify({ cookie: {}, 'ppoppo:1234abcd': { signInId: `${person}.${word()}`, returnTo: 'https://a.example/' } })

describe('A21 a memory store that is full of sessions', () => {
  let now = T0
  let store: Store
  beforeEach(() => {
    now = T0
    store = createMemoryStore({ now: () => now, caps: { sessions: 300 }, personIn })
  })
  afterEach(() => store.close())
  const isThere = async (sid: string): Promise<boolean> => (await store.sessions.get(sid)) !== null
  async function flood(count: number, blob = (): string => '{"cookie":{}}'): Promise<void> {
    for (let i = 0; i < count; i += 1) await store.sessions.set(word(), blob(), 60)
  }

  test('evicts no session of a signed-in person for visitors who are not', async () => {
    await store.sessions.set('first visitor', '{}', 60)
    for (let i = 0; i < 200; i += 1) await store.sessions.set(`person ${i}`, signedInAs(`p${i}`), 60)
    await flood(10_000)
    for (let i = 0; i < 200; i += 1) expect(await isThere(`person ${i}`)).toBe(true)
    expect(await isThere('first visitor')).toBe(false)
  })

  test('does not count a visitor as signed in for what was written into the session', async () => {
    await store.sessions.set('person', signedInAs('p'), 60)
    await flood(10_000, () =>
      JSON.stringify({ cookie: {}, note: signedInAs('p'), list: [JSON.parse(signedInAs('p'))] }),
    )
    expect(await isThere('person')).toBe(true)
  })

  test('evicts nobody else for one account that signs in again and again', async () => {
    for (let i = 0; i < 150; i += 1) await store.sessions.set(`person ${i}`, signedInAs(`p${i}`), 60)
    await flood(10_000, () => signedInAs('mallory'))
    for (let i = 0; i < 150; i += 1) expect(await isThere(`person ${i}`)).toBe(true)
  })

  test('evicts nobody for thousands of sign-outs, and an ended session stays ended', async () => {
    await store.sessions.set('person', signedInAs('p'), 60)
    await store.sessions.set('ended', signedInAs('q'), 60)
    await store.sessions.destroy('ended')
    for (let i = 0; i < 200; i += 1) await store.sessions.destroy(word())
    expect(await store.sessions.set('ended', signedInAs('q'), 60)).toBe(false)
    for (let i = 0; i < 10_000; i += 1) await store.sessions.destroy(word())
    expect(await isThere('person')).toBe(true)
  })

  test('evicts the signed-in session written longest ago, and only if there are no others', async () => {
    for (let i = 0; i < 300; i += 1) await store.sessions.set(`person ${i}`, signedInAs(`p${i}`), 60)
    await store.sessions.set('person 0', signedInAs('p0'), 60)
    await store.sessions.set('a visitor', '{}', 60)
    expect([await isThere('person 0'), await isThere('person 1'), await isThere('a visitor')]).toEqual([
      true,
      false,
      true,
    ])
    await store.sessions.set('person 300', signedInAs('p300'), 60)
    expect([await isThere('a visitor'), await isThere('person 2'), await isThere('person 300')]).toEqual([
      false,
      true,
      true,
    ])
  })

  test('evicts expired sessions before live ones', async () => {
    await store.sessions.set('person', signedInAs('p'), 3_600)
    await flood(200)
    await store.sessions.set('visitor', '{}', 3_600)
    await flood(98)
    now += 61_000
    await flood(298)
    expect([await isThere('person'), await isThere('visitor')]).toEqual([true, true])
  })

  test('counts a session as signed in or not by what it holds now', async () => {
    await store.sessions.set('s', '{}', 60)
    await store.sessions.set('s', signedInAs('p'), 60)
    await flood(1_000)
    expect(await isThere('s')).toBe(true)
    await store.sessions.set('s', '{}', 60)
    await flood(1_000)
    expect(await isThere('s')).toBe(false)
  })
})

test('A21 in a full memory store writing a session takes no walk through all others', async () => {
  let now = T0
  const store = createMemoryStore({ now: () => now, caps: { sessions: 50_000 } })
  async function floodMs(ttlSeconds: number, count = 20_000): Promise<number> {
    const beganAt = performance.now()
    for (let i = 0; i < count; i += 1) {
      now += 1
      await store.sessions.set(word(), '{}', ttlSeconds)
    }
    return performance.now() - beganAt
  }
  const roomy = (await floodMs(3_600)) + (await floodMs(3_600))
  await floodMs(3_600)
  // Each expires before the next one comes. With a walk for each it takes a thousand times as long.
  expect(await floodMs(0.001, 2_000)).toBeLessThan(10 * roomy + 500)
  await store.close()
})

test('the oldest session or limiter key is evicted when there are too many', async () => {
  const store = createMemoryStore({ now: () => T0, caps: { sessions: 2, limiterKeys: 2 } })
  for (const sid of ['a', 'b', 'c']) await store.sessions.set(sid, '{}', 60)
  expect(await store.sessions.get('a')).toBeNull()
  expect(await store.sessions.get('c')).toBe('{}')
  const limiter = store.createLimiter('l', 1)
  await limiter.consume('x')
  expect(await limiter.consume('x')).toBe(60_000)
  await limiter.consume('y')
  await limiter.consume('z')
  expect(await limiter.consume('x')).toBe(0)
  await store.close()
})

test('C43 the limit per minute of the memory store is lifted by the injected clock', async () => {
  let now = T0
  const store = createMemoryStore({ now: () => now })
  const limiter = store.createLimiter('l', 1)
  await limiter.consume('x')
  now += 59_999
  expect(await limiter.consume('x')).toBe(1)
  now += 1
  expect(await limiter.consume('x')).toBe(0)
  await store.close()
})

test('C28 the tombstone of a session expires after ten minutes', async () => {
  let now = T0
  const store = createMemoryStore({ now: () => now })
  await store.sessions.destroy('s')
  now += 599_999
  expect(await store.sessions.set('s', '{}', 60)).toBe(false)
  now += 1
  expect(await store.sessions.set('s', '{}', 60)).toBe(true)
  await store.close()
})
