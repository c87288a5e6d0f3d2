import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { Redis } from 'ioredis'
import { createMemoryStore } from '../../src/store/memory/memory-store.js'
import { createRedisStore } from '../../src/store/redis/redis-store.js'
import type { Store } from '../../src/store/store.js'
import { word } from '../contract/store.js'
import { putAttempt } from '../support/put-attempt.js'
import { describeWithOwnRedis, describeWithRedis, redisForTests, startRedis, type TestRedis } from '../support/redis.js'
import { startProxy } from '../support/redis-proxy.js'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** A sign-in whose attempt began at `begunAt`. @returns whether it was created */
async function signIn(store: Store, tag: string, begunAt: number): Promise<boolean> {
  return store.createSignIn(`${tag}.${word()}`, 'v', Date.now() + HOUR_MS, begunAt)
}

/** What holds on every store, whatever `setClock` does to its clock. */
function describeOrder(use: () => { readonly store: Store; setClock(byMs: number): Promise<void> }): void {
  test('now() never gives the same time twice, nor an earlier one', async () => {
    const { store, setClock } = use()
    const times = [await store.now(), await store.now()]
    await setClock(HOUR_MS)
    times.push(await store.now())
    await setClock(-2 * HOUR_MS)
    times.push(await store.now(), await store.now())
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b))
    expect((times[2] ?? 0) - (times[1] ?? 0)).toBeGreaterThan(HOUR_MS - MINUTE_MS)
  })

  test('C29 people can sign in at once when the clock was set back after a sign-out everywhere', async () => {
    const { store, setClock } = use()
    const tag = word()
    await setClock(HOUR_MS)
    const before = await store.now()
    await store.deleteAllSignIns(tag, HOUR_MS)
    await setClock(-HOUR_MS)
    const after = await store.now()
    expect(await signIn(store, tag, before)).toBe(false)
    expect(await signIn(store, tag, after)).toBe(true)
  })

  test('C29 the same for the attempts that the store itself dates', async () => {
    const { store, setClock } = use()
    const tag = word()
    const begin = (): Promise<number> => putAttempt(store, word(), 'v', MINUTE_MS)
    const first = await begin()
    await setClock(HOUR_MS)
    const before = [first, await store.now(), await begin(), await begin()]
    await setClock(-HOUR_MS)
    before.push(await begin())
    await store.deleteAllSignIns(tag, HOUR_MS)
    for (const begunAt of before) expect(await signIn(store, tag, begunAt)).toBe(false)
    for (const begunAt of [await begin(), await begin()]) expect(await signIn(store, tag, begunAt)).toBe(true)
  })

  test('C29 a sign-out everywhere ends an attempt that began before it, even if the clock was set back', async () => {
    const { store, setClock } = use()
    const tag = word()
    await setClock(5_000)
    const before = await store.now()
    await setClock(-5_000)
    await store.deleteAllSignIns(tag, HOUR_MS)
    expect(await signIn(store, tag, before)).toBe(false)
    expect(await signIn(store, tag, await store.now())).toBe(true)
  })
}

describe('A15 the clock of the memory store', () => {
  let offsetMs = 0
  let store: Store
  beforeEach(() => {
    offsetMs = 0
    store = createMemoryStore({ now: () => Date.now() + offsetMs })
  })
  afterEach(() => store.close())

  describeOrder(() => ({
    store,
    async setClock(byMs) {
      offsetMs += byMs
    },
  }))
})

describeWithRedis('A15 the clock of Redis', () => {
  let redis: TestRedis
  let proxy: Awaited<ReturnType<typeof startProxy>>
  let prefix: string
  let store: Store
  /** Another instance, whose view of Redis is never wrong. */
  let ends: Store
  beforeAll(async () => {
    redis = await redisForTests()
  })
  beforeEach(async () => {
    proxy = await startProxy(Number(new URL(redis.url).port))
    prefix = redis.prefix()
    store = createRedisStore({ redis: `redis://127.0.0.1:${proxy.port}`, prefix })
    ends = createRedisStore({ redis: redis.url, prefix })
  })
  afterEach(async () => {
    await ends.close()
    await store.close()
    await proxy.close()
  })

  describeOrder(() => ({
    store,
    // A clock that was ahead has left its time behind; the server's own cannot be set from here.
    async setClock(byMs) {
      if (byMs > 0) await redis.client.set(`${prefix}now`, Date.now() + byMs)
    },
  }))

  /** The next answers to TIME are this much off: as if Redis's clock were set once it has been read. */
  function timeIsOff(byMs: number, times: number): void {
    let left = times
    proxy.changeAnswers((answer) =>
      answer.replace(/(?<=^\*2\r\n\$10\r\n)\d{10}/, (seconds) => {
        left -= 1
        return left < 0 ? seconds : String(Number(seconds) + byMs / 1000)
      }),
    )
  }

  test.each([-HOUR_MS, -5_000, -500, 5_000, HOUR_MS])(
    'C29 an instance that is %i ms wrong about the time: its attempts begin after every sign-out everywhere before them',
    async (byMs) => {
      const tag = word()
      proxy.changeAnswers((answer) =>
        answer.replace(/(?<=\$4\r\nkept\r\n:)\d{13}/, (timeMs) => String(Number(timeMs) + byMs)),
      )
      await putAttempt(store, word(), 'v', MINUTE_MS)
      // Its answer was wrong.
      expect(Math.abs((await putAttempt(store, word(), 'v', MINUTE_MS)) - Date.now())).toBeLessThan(4_000)
      const before = await ends.now()
      await ends.deleteAllSignIns(tag, HOUR_MS)
      const key = word()
      const begunAt = await putAttempt(store, key, 'v', MINUTE_MS)
      expect(begunAt).toBeGreaterThan(before)
      expect(begunAt - before).toBeLessThan(MINUTE_MS)
      expect(await signIn(store, tag, begunAt)).toBe(true)
      expect(await ends.takeTransaction(key, MINUTE_MS)).toMatchObject({ value: 'v' })
      await ends.deleteAllSignIns(tag, HOUR_MS)
      expect(await signIn(store, tag, begunAt)).toBe(false)
    },
  )

  test('C29 an attempt from before the clock was set back is older than a sign-out everywhere after that', async () => {
    const tag = word()
    await putAttempt(store, word(), 'v', MINUTE_MS)
    const recorded = await putAttempt(store, word(), 'v', MINUTE_MS)
    // As if Redis's clock had been five seconds ahead then.
    const begunAt = recorded + 5_000
    const room = (await redis.client.get(`${prefix}room`)) ?? ''
    await redis.client.set(`${prefix}room`, room.replace(`${recorded} `, `${begunAt} `), 'PX', MINUTE_MS)
    await store.deleteAllSignIns(tag, HOUR_MS)
    expect(await signIn(store, tag, begunAt)).toBe(false)
    expect(await signIn(store, tag, await putAttempt(store, word(), 'v', MINUTE_MS))).toBe(true)
  })

  test('C29 where every time that is proposed is out of date when it arrives, now() dates the attempt', async () => {
    proxy.changeAnswers((answer) =>
      answer.replace(/(?<=misdated\r\n:\d{13}\r\n:)\d{13}/, (timeMs) => String(Number(timeMs) - MINUTE_MS)),
    )
    const before = await ends.now()
    let tries = 0
    const { attempt } = await store.putTransaction((begunAt) => {
      tries += 1
      return { key: 'k', value: String(tries), begunAt }
    }, MINUTE_MS)
    expect(tries).toBeGreaterThan(2)
    expect(attempt?.begunAt).toBeGreaterThan(before)
    expect(await ends.now()).toBeGreaterThan(attempt?.begunAt ?? Number.NaN)
    expect(await ends.takeTransaction('k', MINUTE_MS)).toMatchObject({ value: String(tries) })
  })

  test.each([5_000, -6_000, 9 * MINUTE_MS, -HOUR_MS])(
    'Redis set by %i ms between login and callback: the attempt is taken and the sign-in created at once',
    async (byMs) => {
      const [key, tag] = [word(), word()]
      const begunAt = await putAttempt(ends, key, 'v', 10 * MINUTE_MS) // `store` has not read the clock
      timeIsOff(-byMs, 1)
      expect(await store.takeTransaction(key, MINUTE_MS)).toMatchObject({ value: 'v' })
      expect(await signIn(store, tag, begunAt)).toBe(true)
    },
  )

  test('the same where Redis is far away', async () => {
    const key = word()
    await putAttempt(ends, key, 'v', 10 * MINUTE_MS) // `store` has not read the clock
    proxy.delay(() => 150)
    timeIsOff(-HOUR_MS, 1)
    expect(await store.takeTransaction(key, MINUTE_MS)).toMatchObject({ value: 'v' })
  })

  test('a clock that is wrong each time it is asked is an error after two tries, and nothing has happened', async () => {
    const key = word()
    await putAttempt(ends, key, 'v', 10 * MINUTE_MS) // `store` has not read the clock
    timeIsOff(-HOUR_MS, 2)
    await expect(store.takeTransaction(key, MINUTE_MS)).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(await store.takeTransaction(key, MINUTE_MS)).toMatchObject({ value: 'v' })
  })

  test('C08 a clock that was set back lets no command run late', async () => {
    const key = word()
    await putAttempt(ends, key, 'v', 10 * MINUTE_MS) // `store` has not read the clock
    timeIsOff(HOUR_MS, 2)
    await expect(store.takeTransaction(key, MINUTE_MS)).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(await store.takeTransaction(key, MINUTE_MS)).toMatchObject({ value: 'v' })
  })
})

describeWithOwnRedis('A15 a Redis that is full', () => {
  test('C29 takes a sign-out everywhere, and an attempt from before it creates nothing', async () => {
    const server = await startRedis()
    const prefix = `test:${word()}:`
    const store = createRedisStore({ redis: server.url, prefix })
    const admin = new Redis(server.url)
    try {
      const tag = word()
      const begunAt = await store.now()
      expect(await signIn(store, tag, begunAt)).toBe(true)
      await admin.config('SET', 'maxmemory', '1')
      const given = await store.now()
      expect(given).toBeGreaterThan(begunAt)
      expect(Number(await admin.get(`${prefix}now`))).toBe(given) // so that no attempt begins earlier from now on
      expect(await store.deleteAllSignIns(tag, HOUR_MS)).toHaveLength(1)
      expect(await store.deleteAllSignIns(word(), HOUR_MS)).toEqual([])
      await admin.config('SET', 'maxmemory', '0')
      expect(await signIn(store, tag, begunAt)).toBe(false)
    } finally {
      admin.disconnect()
      await store.close()
      await server.stop()
    }
  })
})
