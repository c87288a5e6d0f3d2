import { afterEach, beforeAll, expect, test } from '@jest/globals'
import { Redis } from 'ioredis'
import { createRedisStore, type RedisStoreOptions } from '../../src/store/redis.js'
import type { Store } from '../../src/store/store.js'
import { describeStore, word } from '../contract/store.js'
import { twoOnRedis } from '../contract/under-test.js'
import { describeWithRedis, redisForTests, type TestRedis } from '../support/redis.js'

const HOUR_MS = 3_600_000

describeWithRedis('Redis store', () => {
  let redis: TestRedis
  const open = new Set<Store>()
  const createStore = (options: Partial<RedisStoreOptions> = {}): Store => {
    const store = createRedisStore({ redis: redis.url, prefix: redis.prefix(), ...options })
    open.add(store)
    return store
  }
  beforeAll(async () => {
    redis = await redisForTests()
  })
  afterEach(async () => {
    for (const store of open) await store.close()
    open.clear()
  })

  describeStore('redis', async () => {
    const prefix = redis.prefix()
    return twoOnRedis(() => createStore({ prefix }))
  })

  /** Does one of everything, so that every kind of key is there. */
  async function useEverything(store: Store): Promise<{ tag: string; id: string }> {
    const tag = word()
    const id = `${tag}.${word()}`
    const now = await store.now()
    await store.putTransaction('one', 'v', HOUR_MS)
    await store.takeTransaction('one', HOUR_MS)
    await store.setTransactionOutcome('one', 'done', HOUR_MS)
    await store.putTransaction('two', 'v', HOUR_MS)
    await store.deleteAllSignIns(tag, HOUR_MS)
    await store.createSignIn(id, 'v', now + HOUR_MS, now + HOUR_MS)
    await store.writeSignIn(id, 1, 'v', now + HOUR_MS)
    await store.acquireLease(id, 'h', HOUR_MS)
    await store.sessions.set('s', '{}', 60)
    await store.sessions.destroy('t')
    await store.shareSecret('k', 'v')
    await store.createLimiter('l', 1).consume('x')
    return { tag, id }
  }

  test('every key lies under the prefix and has an expiry', async () => {
    const prefix = redis.prefix()
    const { tag, id } = await useEverything(createStore({ prefix }))
    const member = id.slice(tag.length + 1)
    const keys = (await redis.client.keys(`${prefix}*`)).map((key) => key.slice(prefix.length)).sort()
    expect(keys).toEqual(
      [
        ...['tx:{one}:outcome', 'tx:{two}', `signin:{${tag}}:${member}`, `user:{${tag}}`, `notbefore:{${tag}}`],
        ...[`lock:{${tag}}:${member}`, 'sess:s', 'sess:t', 'secret:k', 'limit:l:x', 'now'],
      ].sort(),
    )
    for (const key of keys) expect(await redis.client.pttl(prefix + key)).toBeGreaterThan(0)
  })

  test('the index lives as long as its longest-lived record', async () => {
    const prefix = redis.prefix()
    const store = createStore({ prefix })
    const now = await store.now()
    const expiry = (): Promise<number> => redis.client.call('PEXPIRETIME', `${prefix}user:{t}`).then(Number)
    await store.createSignIn('t.a', 'v', now + HOUR_MS, now)
    await store.createSignIn('t.b', 'v', now + 1000, now)
    expect(await expiry()).toBe(now + HOUR_MS)
    await store.writeSignIn('t.b', 1, 'v', now + 2 * HOUR_MS)
    expect(await expiry()).toBe(now + 2 * HOUR_MS)
    await store.deleteSignIn('t.b')
    expect(await expiry()).toBe(now + HOUR_MS)
    await store.deleteSignIn('t.a')
    expect(await redis.client.exists(`${prefix}user:{t}`)).toBe(0)
  })

  test('an index entry whose record is gone is dropped when the user is listed', async () => {
    const prefix = redis.prefix()
    const store = createStore({ prefix })
    const now = await store.now()
    await store.createSignIn('t.a', 'v', now + HOUR_MS, now)
    await store.createSignIn('t.b', 'v', now + HOUR_MS, now)
    await redis.client.del(`${prefix}signin:{t}:a`)
    expect((await store.listSignIns('t')).map(({ id }) => id)).toEqual(['t.b'])
    expect(await redis.client.zrange(`${prefix}user:{t}`, 0, '-1')).toEqual(['b'])
  })

  test('C45 two prefixes never meet, also where one looks like a pattern', async () => {
    const base = redis.prefix()
    const [star, other] = [createStore({ prefix: `${base}*:` }), createStore({ prefix: `${base}x:` })]
    const now = await star.now()
    await star.createSignIn('t.1', 'v', now + HOUR_MS, now)
    await other.createSignIn('t.2', 'v', now + HOUR_MS, now)
    const found: string[] = []
    for await (const id of star.scanSignIns()) found.push(id)
    expect(found).toEqual(['t.1'])
    await star.deleteAllSignIns('t', HOUR_MS)
    expect(await other.readSignIn('t.2')).toBeDefined()
  })

  test('a client that is passed in is duplicated, whatever its settings, and stays as it was', async () => {
    const own = new Redis(redis.url, {
      keyPrefix: 'app:',
      lazyConnect: true,
      db: 3,
      stringNumbers: true,
      commandTimeout: 9000,
    })
    const prefix = redis.prefix()
    const store = createStore({ redis: own, prefix })
    expect(own.status).toBe('wait')
    const { tag, id } = await useEverything(store)
    expect(await store.takeTransaction('one', HOUR_MS)).toEqual({ outcome: 'done' })
    expect((await store.listSignIns(tag)).map((record) => record.id)).toEqual([id])
    expect(own.status).toBe('wait')
    await store.close()
    await own.connect()
    expect(await own.keys('*')).toContain(`${prefix}user:{${tag}}`) // database 3, without the client's own prefix
    await own.flushdb()
    own.disconnect()
  })

  test('a sign-in of 800 characters takes at most 1,400 bytes of Redis, index and session included', async () => {
    const prefix = redis.prefix()
    const store = createStore({ prefix })
    const now = await store.now()
    const tag = 'T'.repeat(22)
    const id = `${tag}.${'R'.repeat(22)}`
    await store.createSignIn(id, 'x'.repeat(800), now + HOUR_MS, now)
    await store.sessions.set('S'.repeat(32), 'x'.repeat(120), 3600)
    // The clock is one for all.
    const keys = (await redis.client.keys(`${prefix}*`)).filter((key) => key !== `${prefix}now`)
    let bytes = 0
    for (const key of keys) bytes += (await redis.client.memory('USAGE', key)) ?? 0
    expect(bytes).toBeLessThanOrEqual(1400)
  })

  test('scripts are loaded again by themselves after SCRIPT FLUSH', async () => {
    const store = createStore()
    await store.acquireLease('t.1', 'h', HOUR_MS)
    await redis.client.script('FLUSH')
    expect(await store.acquireLease('t.1', 'g', HOUR_MS)).toBe(false)
    await Promise.all(Array.from({ length: 10 }, (_, i) => store.acquireLease(`t.x${i}`, 'h', HOUR_MS)))
  })

  test('close() lets what was sent be answered', async () => {
    const prefix = redis.prefix()
    const store = createStore({ prefix })
    await store.now()
    const written = store.sessions.set('s', '{}', 60)
    await new Promise(setImmediate)
    await store.close()
    expect(await written).toBe(true)
  })
})
