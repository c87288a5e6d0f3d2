import { expect, test } from '@jest/globals'
import { createMemoryStore } from '../../src/store/memory.js'
import { describeStore } from '../contract/store.js'

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
  for (let i = 0; i < 100; i++) await store.putTransaction(`k${i}`, 'v', 1000)
  for (let i = 0; i < 1000; i++) {
    await expect(store.putTransaction(`more${i}`, 'v', 1000)).rejects.toMatchObject({ code: 'store_full', status: 503 })
  }
  expect(await store.readSignIn('t.1')).toBeDefined()
  expect(await store.sessions.get('s')).toBe('{}')
  expect(await store.takeTransaction('k0', 1000)).toEqual({ value: 'v' })
  await store.putTransaction('now there is room', 'v', 1000)
  await store.close()
})

test('expired entries make room before anything is refused', async () => {
  let now = T0
  const store = createMemoryStore({ now: () => now, caps: { attempts: 3, signIns: 2 } })
  for (const key of ['a', 'b', 'c']) await store.putTransaction(key, 'v', 1000)
  await store.createSignIn('t.1', 'v', T0 + 1000, T0)
  await store.createSignIn('t.2', 'v', T0 + 5000, T0)
  await expect(store.createSignIn('t.3', 'v', T0 + 5000, T0)).rejects.toMatchObject({ code: 'store_full' })
  now += 1000
  await store.putTransaction('d', 'v', 1000)
  expect(await store.createSignIn('t.3', 'v', T0 + 5000, T0)).toBe(true)
  expect((await store.listSignIns('t')).map(({ id }) => id)).toEqual(['t.2', 't.3'])
  await store.close()
})

test('a record may be written over while the store is full', async () => {
  const store = createMemoryStore({ now: () => T0, caps: { signIns: 1 } })
  await store.createSignIn('t.1', 'v', T0 + 1000, T0)
  expect(await store.writeSignIn('t.1', 1, 'w', T0 + 2000)).toBe('written')
  await store.close()
})

test('of sessions and limiter keys the oldest goes when there are too many', async () => {
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

test('C43 the limit of a minute opens again by the injected clock', async () => {
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

test('C28 the tombstone of a session goes after ten minutes', async () => {
  let now = T0
  const store = createMemoryStore({ now: () => now })
  await store.sessions.destroy('s')
  now += 599_999
  expect(await store.sessions.set('s', '{}', 60)).toBe(false)
  now += 1
  expect(await store.sessions.set('s', '{}', 60)).toBe(true)
  await store.close()
})
