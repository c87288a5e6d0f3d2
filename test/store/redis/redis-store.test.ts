import { afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { Redis } from 'ioredis'
import { isPpoppoError } from '../../../src/errors.js'
import { createRedisStore, type RedisStoreParts } from '../../../src/store/redis/redis-store.js'
import type { Store } from '../../../src/store/store.js'
import { describeStore, word } from '../../contract/store.js'
import { twoOnRedis } from '../../contract/under-test.js'
import { putAttempt } from '../../support/put-attempt.js'
import {
  describeWithOwnRedis,
  describeWithRedis,
  redisForTests,
  startRedis,
  type TestRedis,
} from '../../support/redis.js'
import { until } from '../../support/until.js'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

describeWithRedis('Redis store', () => {
  let redis: TestRedis
  const open = new Set<Store>()
  const createStore = (options: Partial<RedisStoreParts> = {}): Store => {
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
    await putAttempt(store, 'one', 'v', HOUR_MS)
    await store.takeTransaction('one', HOUR_MS)
    await store.setTransactionOutcome('one', 'done', HOUR_MS)
    await putAttempt(store, 'two', 'v', HOUR_MS)
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
        ...[`lock:{${tag}}:${member}`, 'sess:s', 'sess:t', 'secret:k', 'limit:l:x', 'now', 'room'],
      ].sort(),
    )
    for (const key of keys) expect(await redis.client.pttl(prefix + key)).toBeGreaterThan(0)
  })

  /** What is in Redis under a key, made by hand. */
  const putRecord = (prefix: string, member: string, text: string): Promise<unknown> =>
    redis.client.set(`${prefix}signin:{t}:${member}`, text, 'PX', HOUR_MS)

  test.each([
    '01|v',
    '+1|v',
    '1.0|v',
    ' 1|v',
    '1e0|v',
    '0x1|v',
    '-1|v',
    '0|v',
    '1 |v',
    '|v',
    'v',
    '',
    `${'9'.repeat(16)}|v`,
  ])(
    'A16 a record whose version is written %j is a damaged one: it is read as no version that a write could name',
    async (text) => {
      const prefix = redis.prefix()
      const store = createStore({ prefix })
      const now = await store.now()
      await putRecord(prefix, 'a', text)
      const record = { version: 0, value: text }
      expect(await store.readSignIn('t.a')).toEqual(record)
      for (const version of [0, 1, -1]) {
        expect(await store.writeSignIn('t.a', version, 'w', now + HOUR_MS)).toBe('conflict')
        expect(await store.deleteSignIn('t.a', version)).toBeUndefined()
      }
      expect(await store.deleteSignIn('t.a')).toEqual(record)
    },
  )

  test('A16 a lease and a limit whose expiry somebody took away get one again', async () => {
    const prefix = redis.prefix()
    const store = createStore({ prefix })
    await store.acquireLease('t.a', 'gone', HOUR_MS)
    const limiter = store.createLimiter('l', 1)
    await limiter.consume('x')
    const keys = [`${prefix}lock:{t}:a`, `${prefix}limit:l:x`]
    for (const key of keys) expect(await redis.client.persist(key)).toBe(1)
    expect(await store.acquireLease('t.a', 'next', HOUR_MS)).toMatchObject({ isHolder: false })
    expect(await limiter.consume('x')).toBe(60_000)
    for (const key of keys) expect(await redis.client.pttl(key)).toBeGreaterThan(0)
  })

  test('A16 a scan skips keys that are not records of the library', async () => {
    const prefix = redis.prefix()
    const store = createStore({ prefix })
    await putRecord(prefix, 'a', '1|v')
    for (const key of ['signin:{}:x', 'signin:{a.b}:c', 'signin:{a}b}:c', 'signin:{a}:']) {
      await redis.client.set(prefix + key, '1|v', 'PX', HOUR_MS)
    }
    const found: string[] = []
    for await (const id of store.scanSignIns()) found.push(id)
    for (const id of found) expect(await store.readSignIn(id)).toBeDefined()
    expect(found).toContain('t.a')
  })

  describe('A10 login attempts', () => {
    const put = async (store: Store, times: number, value: string): Promise<number> => {
      let put = 0
      for (let i = 0; i < times; i += 1) {
        try {
          await putAttempt(store, word(), value, 10 * MINUTE_MS)
          put += 1
        } catch (error) {
          if (!isPpoppoError(error, 'store_full')) throw error
        }
      }
      return put
    }

    test.each([500, 3700])(
      'of %i bytes take no more memory in Redis than they may, and then new ones are refused',
      async (size) => {
        const [prefix, maxAttemptBytes] = [redis.prefix(), 1_000_000]
        const store = createStore({ prefix, maxAttemptBytes })
        expect(await put(store, Math.ceil(maxAttemptBytes / size) + 50, 'v'.repeat(size))).toBeGreaterThan(
          maxAttemptBytes / (size + 500),
        )
        await expect(putAttempt(store, 'one more', 'v'.repeat(size), 10 * MINUTE_MS)).rejects.toMatchObject({
          status: 503,
          retryAfterMs: 60_000,
        })
        const keys = await redis.client.keys(`${prefix}*`)
        let bytes = 0
        for (const key of keys) bytes += (await redis.client.memory('USAGE', key)) ?? 0
        expect(bytes).toBeLessThan(1.3 * maxAttemptBytes)
        // What is no attempt has its own room.
        const now = await store.now()
        expect(await store.createSignIn('t.a', 'v', now + HOUR_MS, now)).toBe(true)
      },
    )

    test('live ten minutes while there is room, less and less under a flood, and never below two minutes', async () => {
      const prefix = redis.prefix()
      const store = createStore({ prefix, maxAttemptBytes: 100_000 })
      const lives: number[] = []
      for (let i = 0; i < 1000; i += 1) {
        if ((await put(store, 1, 'v'.repeat(680))) === 0) break
        const ttls = await Promise.all((await redis.client.keys(`${prefix}tx:*`)).map((key) => redis.client.pttl(key)))
        lives.push(Math.min(...ttls))
      }
      expect(lives.length).toBe(100)
      expect(Math.min(...lives.slice(0, 50))).toBeGreaterThan(9.5 * MINUTE_MS)
      expect(lives[74]).toBeLessThan(6 * MINUTE_MS)
      expect(lives.at(-1)).toBeGreaterThan(1.5 * MINUTE_MS)
      expect(lives.at(-1)).toBeLessThanOrEqual(2 * MINUTE_MS)
    })

    test('that have ended make room, and what was counted before the clock was set back no longer counts', async () => {
      const prefix = redis.prefix()
      const store = createStore({ prefix, maxAttemptBytes: 2_000 })
      expect(await put(store, 3, 'v'.repeat(500))).toBe(2)
      const end = Math.floor(Date.now() / 10_000)
      await redis.client.set(`${prefix}room`, `${end - 1}:2000 ${end + 360}:2000`)
      expect(await put(store, 3, 'v'.repeat(500))).toBe(2)
      await redis.client.set(`${prefix}room`, 'nonsense, by hand')
      expect(await put(store, 3, 'v'.repeat(500))).toBe(2)
    })
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

  test('C37 a Redis that takes no writes still lists sign-ins, also where one has expired', async () => {
    const prefix = redis.prefix()
    const store = createStore({ prefix })
    const now = await store.now()
    await store.createSignIn('t.a', 'v', now + HOUR_MS, now)
    await store.createSignIn('t.b', 'v', now + HOUR_MS, now)
    await redis.client.del(`${prefix}signin:{t}:a`)
    const user = `reader-${process.pid}`
    await redis.client.call('ACL', 'SETUSER', user, 'on', '>pw', '~*', '+@read', '+@connection', '+info')
    const reader = createStore({ prefix, redis: redis.url.replace('//', `//${user}:pw@`) })
    expect((await reader.listSignIns('t')).map(({ id }) => id)).toEqual(['t.b'])
    await redis.client.call('ACL', 'DELUSER', user)
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

  test('scripts are loaded again automatically after SCRIPT FLUSH', async () => {
    const store = createStore()
    await store.acquireLease('t.1', 'h', HOUR_MS)
    await redis.client.script('FLUSH')
    expect(await store.acquireLease('t.1', 'g', HOUR_MS)).toMatchObject({ isHolder: false })
    await Promise.all(Array.from({ length: 10 }, (_, i) => store.acquireLease(`t.x${i}`, 'h', HOUR_MS)))
  })

  test('close() waits for the answers to what was sent', async () => {
    const prefix = redis.prefix()
    const store = createStore({ prefix })
    await store.now()
    const written = store.sessions.set('s', '{}', 60)
    await new Promise(setImmediate)
    await store.close()
    expect(await written).toBe(true)
  })
})

// A server of its own: where others write, ioredis may take their first MONITOR line for a reply.
describeWithOwnRedis('Redis store, what it sends', () => {
  test('X13 a generated secret is sent once, by SET, and never if one is stored already', async () => {
    const server = await startRedis()
    const client = new Redis(server.url)
    const monitor = await client.monitor()
    const seen: (readonly string[])[] = []
    monitor.on('monitor', (_time: string, args: readonly string[]) => seen.push(args))
    const [store, other] = [0, 1].map(() => createRedisStore({ redis: client, prefix: 'x13:' })) as [Store, Store]
    await store.shareSecret('vault', 'first-secret')
    expect(await other.shareSecret('vault', 'second-secret')).toBe('first-secret')
    await client.echo('all seen')
    await until(() => seen.some((args) => args.includes('all seen')))
    for (const one of [store, other]) await one.close()
    monitor.disconnect()
    client.disconnect()
    await server.stop()
    const names = seen.filter((args) => args.some((arg) => arg.includes('-secret'))).map(([name]) => name)
    expect(names).toEqual(['set'])
  })
})
