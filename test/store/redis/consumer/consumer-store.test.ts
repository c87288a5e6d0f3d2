import { afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { Redis } from 'ioredis'
import type { ConsumerStore, TakeOptions } from '../../../../src/store/consumer-store.js'
import type { RedisConsumerStoreParts } from '../../../../src/store/redis/consumer/connection.js'
import { createRedisConsumerStore } from '../../../../src/store/redis/consumer/consumer-store.js'
import { acquire, describeConsumerStore } from '../../../contract/consumer-store.js'
import { twoOnRedis } from '../../../contract/under-test.js'
import { describeWithRedis, redisForTests, type TestRedis } from '../../../support/redis.js'
import { elapse, untilWorks } from '../../../support/until.js'

const TTL_MS = 60_000
const DAY_MS = 86_400_000

describeWithRedis('Redis consumer store', () => {
  let redis: TestRedis
  const open = new Set<ConsumerStore>()
  const createStore = (options: Partial<RedisConsumerStoreParts> = {}): ConsumerStore => {
    const store = createRedisConsumerStore({ redis: redis.url, prefix: redis.prefix(), ...options })
    open.add(store)
    return store
  }
  const options = (own: Partial<TakeOptions> = {}): TakeOptions => ({
    count: 10,
    claimAfterMs: TTL_MS,
    waitMs: 0,
    ...own,
  })
  beforeAll(async () => {
    redis = await redisForTests()
  })
  afterEach(async () => {
    for (const store of open) await store.close()
    open.clear()
  })

  describeConsumerStore('redis', async () => {
    const prefix = redis.prefix()
    return twoOnRedis(() => createStore({ prefix }))
  })

  /** Puts entries into the queue of `n`. */
  async function put(store: ConsumerStore, ...entries: string[]): Promise<void> {
    const { fence } = await acquire(store, 'n')
    const queue = { entries, maxLength: 1000 }
    expect(await store.commit('n', { fence, sequence: 1, checkpoint: 'c', queue })).toBe('committed')
  }

  /** Does one of everything, so that every kind of key is there. */
  async function useEverything(store: ConsumerStore): Promise<void> {
    const { fence } = await acquire(store, 'n')
    await store.commit('n', { fence, sequence: 1, checkpoint: 'c', letters: [{ id: 'a', text: 't' }] })
    await put(store, 'x', 'y')
    const [entry] = await store.queue.take('n', 'w', options())
    await store.queue.finish('n', entry?.id ?? '', { id: 'b', text: 't' })
    await store.letters.add('n', { id: 'c', text: 't' })
    await store.letters.remove('n', 'a')
  }

  /** The name of each key, with how long it lives. */
  async function lives(prefix: string): Promise<Record<string, number>> {
    const keys = await redis.client.keys(`${prefix}*`)
    const entries = keys.sort().map(async (key) => [key.slice(prefix.length), await redis.client.pttl(key)] as const)
    return Object.fromEntries(await Promise.all(entries))
  }

  test('every key of a consumer lies under the prefix and its name, and only the lease expires', async () => {
    const prefix = redis.prefix()
    await useEverything(createStore({ prefix }))
    const { 'consumer:{n}:lease': lease, ...others } = await lives(prefix)
    expect(Object.keys(others)).toEqual(
      ['letter-texts', 'letters', 'mark', 'place', 'queue'].map((part) => `consumer:{n}:${part}`),
    )
    expect(lease).toBeGreaterThan(TTL_MS - 5000)
    expect(lease).toBeLessThanOrEqual(TTL_MS)
    expect(Object.values(others)).toEqual([-1, -1, -1, -1, -1])
  })

  test.each<[string, (store: ConsumerStore) => Promise<unknown>]>([
    ['letters.add', (store) => store.letters.add('n', { id: 'a', text: 't' })],
    ['take', (store) => store.queue.take('n', 'w', options())],
    ['acquire', (store) => store.acquire('n', 'h', TTL_MS)],
    [
      'commit',
      async (store) => {
        const { fence } = await acquire(store, 'n')
        const queue = { entries: ['e'], maxLength: 9 }
        await store.commit('n', { fence, sequence: 1, checkpoint: 'c', letters: [{ id: 'a', text: 't' }], queue })
      },
    ],
    [
      'finish',
      async (store) => {
        await put(store, 'e')
        const [entry] = await store.queue.take('n', 'w', options())
        await store.queue.finish('n', entry?.id ?? '', { id: 'a', text: 't' })
      },
    ],
  ])('what %s makes is nothing that a volatile-* policy evicts', async (_call, call) => {
    const prefix = redis.prefix()
    await call(createStore({ prefix }))
    const { 'consumer:{n}:lease': _lease, ...found } = await lives(prefix)
    expect(Object.keys(found).length).toBeGreaterThan(0)
    for (const life of Object.values(found)) expect(life).toBe(-1)
  })

  test('the expiry that an earlier version gave its keys is removed', async () => {
    const prefix = redis.prefix()
    const store = createStore({ prefix })
    await useEverything(store)
    for (const again of [() => store.renew('n', 'h', TTL_MS), () => store.acquire('n', 'h', TTL_MS)]) {
      for (const key of Object.keys(await lives(prefix))) await redis.client.pexpire(prefix + key, 300 * DAY_MS)
      await again()
      const { 'consumer:{n}:lease': _lease, ...others } = await lives(prefix)
      expect(Object.values(others)).toEqual([-1, -1, -1, -1, -1])
    }
  })

  test('a lease whose expiry was removed by hand gets one from the consumer that waits for it', async () => {
    const prefix = redis.prefix()
    const store = createStore({ prefix })
    await acquire(store, 'n', 'gone')
    const lease = `${prefix}consumer:{n}:lease`
    await redis.client.persist(lease)
    expect(await store.acquire('n', 'next', 300)).toEqual({ heldForMs: 300 })
    expect(await redis.client.pttl(lease)).toBeGreaterThan(0)
    await untilWorks(async () => 'fence' in (await store.acquire('n', 'next', TTL_MS)))
  })

  test.each(['abc', '1e300', 'nan', '-5', '', '0x10'])(
    'A16 a place whose fence and sequence somebody wrote as %j does not stop the consumer',
    async (text) => {
      const prefix = redis.prefix()
      const store = createStore({ prefix })
      await acquire(store, 'n')
      await redis.client.hset(`${prefix}consumer:{n}:place`, { fence: text, sequence: text })
      await redis.client.set(`${prefix}consumer:{n}:mark`, text)
      const [first, second] = [await acquire(store, 'n'), await acquire(store, 'n')]
      expect(second.fence).toBeGreaterThan(first.fence)
      await redis.client.hset(`${prefix}consumer:{n}:place`, { sequence: text })
      const step = { fence: second.fence, sequence: 100, checkpoint: 'c' }
      expect(await store.commit('n', step)).toBe('committed')
      expect(await acquire(store, 'n')).toMatchObject({ checkpoint: 'c' })
    },
  )

  describe('what Redis has lost is noticed', () => {
    const part = (name: string): string => `consumer:{n}:${name}`

    test('a lost position, until a consumer accepts the loss', async () => {
      const prefix = redis.prefix()
      const store = createStore({ prefix })
      const { fence } = await acquire(store, 'n')
      await store.commit('n', { fence, sequence: 1, checkpoint: 'c' })
      await redis.client.del(prefix + part('place'))
      expect(await store.commit('n', { fence, sequence: 2, checkpoint: 'd' })).toBe('lost')
      const first = await acquire(store, 'n')
      expect(first).toEqual({ fence: expect.any(Number), isLost: true })
      expect(first.fence).toBeGreaterThan(fence)
      expect(await store.commit('n', { fence: first.fence, sequence: 1, checkpoint: 'e' })).toBe('lost')
      const second = await acquire(store, 'n')
      expect(second).toMatchObject({ lastFence: first.fence, isLost: true })
      const step = { fence: second.fence, sequence: 1, checkpoint: 'f', acceptsLoss: true } as const
      expect(await store.commit('n', step)).toBe('committed')
      expect(await acquire(store, 'n')).toEqual({
        fence: expect.any(Number),
        checkpoint: 'f',
        lastFence: second.fence,
      })
    })

    test('a lost queue with waiting entries, whoever looks first', async () => {
      for (const looks of ['commit', 'take', 'acquire'] as const) {
        const prefix = redis.prefix()
        const store = createStore({ prefix })
        await put(store, 'a', 'b')
        const { fence } = await acquire(store, 'n')
        await redis.client.del(prefix + part('queue'))
        if (looks === 'take') expect(await store.queue.take('n', 'w', options())).toEqual([])
        const step = { fence, sequence: 1, checkpoint: 'd', queue: { entries: ['c'], maxLength: 9 } }
        if (looks !== 'acquire') expect(await store.commit('n', step)).toBe('lost')
        const next = await acquire(store, 'n')
        expect(next).toMatchObject({ checkpoint: 'c', isLost: true })
        const again = { ...step, fence: next.fence, acceptsLoss: true } as const
        expect(await store.commit('n', again)).toBe('committed')
        expect((await store.queue.take('n', 'w', options())).map(({ text }) => text)).toEqual(['c'])
        expect(await acquire(store, 'n')).not.toHaveProperty('isLost')
      }
    })

    test('but a queue that is gone after all its entries were finished is no loss', async () => {
      const prefix = redis.prefix()
      const store = createStore({ prefix })
      await put(store, 'a')
      const [entry] = await store.queue.take('n', 'w', options())
      await store.queue.finish('n', entry?.id ?? '')
      await store.renew('n', 'h', TTL_MS)
      await redis.client.del(prefix + part('queue'))
      expect(await acquire(store, 'n')).not.toHaveProperty('isLost')
    })

    test('but a consumer whose keys were all deleted begins as a new one', async () => {
      const prefix = redis.prefix()
      const store = createStore({ prefix })
      await useEverything(store)
      for (const key of Object.keys(await lives(prefix))) await redis.client.del(prefix + key)
      const acquired = await acquire(store, 'n')
      expect(acquired).toEqual({ fence: acquired.fence })
    })
  })

  test('the fencing number is a time by Redis, and grows past one that is ahead of it', async () => {
    const prefix = redis.prefix()
    const store = createStore({ prefix })
    const [seconds] = await redis.client.time()
    const { fence } = await acquire(store, 'n')
    expect(Math.abs(fence - Number(seconds) * 1000)).toBeLessThan(5000)
    const ahead = 9_000_000_000_000_000
    await redis.client.hset(`${prefix}consumer:{n}:place`, 'fence', String(ahead))
    expect((await acquire(store, 'n')).fence).toBe(ahead + 1)
    expect(await store.commit('n', { fence: ahead + 1, sequence: 1, checkpoint: 'c' })).toBe('committed')
  })

  test('a flushed Redis: the old consumer commits and renews nothing, the next fencing number is larger, and workers go on', async () => {
    const prefix = redis.prefix()
    const store = createStore({ prefix })
    await put(store, 'before')
    const { fence } = await acquire(store, 'n')
    const [entry] = await store.queue.take('n', 'w', options())
    const waiting = store.queue.take('n', 'w', options({ waitMs: 300 }))
    await elapse(50) // it waits in Redis, or soon would: both must do no harm
    for (const key of Object.keys(await lives(prefix))) await redis.client.del(prefix + key)
    expect(await store.renew('n', 'h', TTL_MS)).toBe(false)
    expect(await store.commit('n', { fence, sequence: 2, checkpoint: 'c' })).toBe('lost')
    expect(await store.queue.finish('n', entry?.id ?? '', { id: 'a', text: 't' })).toBe('finished')
    expect(await store.queue.length('n')).toBe(0)
    const again = await acquire(store, 'n')
    expect(again).toEqual({ fence: expect.any(Number) })
    expect(again.fence).toBeGreaterThan(fence)
    await put(store, 'after')
    expect((await waiting).map(({ text }) => text)).toEqual(['after'])
  })

  test('a consumer group that was destroyed is created again, and every unfinished entry is handed out', async () => {
    const prefix = redis.prefix()
    const store = createStore({ prefix })
    await put(store, 'a', 'b', 'c')
    const [a] = await store.queue.take('n', 'w', options({ count: 2 }))
    await store.queue.finish('n', a?.id ?? '')
    await redis.client.xgroup('DESTROY', `${prefix}consumer:{n}:queue`, 'workers')
    const given = await store.queue.take('n', 'w', options())
    expect(given.map(({ text, deliveries }) => [text, deliveries])).toEqual([
      ['b', 1],
      ['c', 1],
    ])
    await redis.client.xgroup('DESTROY', `${prefix}consumer:{n}:queue`, 'workers')
    expect(await store.queue.finish('n', given[0]?.id ?? '')).toBe('finished')
    expect(await store.queue.length('n')).toBe(1)
  })

  test('entries that were deleted by hand are not handed out, and leave nothing behind', async () => {
    const prefix = redis.prefix()
    const store = createStore({ prefix })
    const key = `${prefix}consumer:{n}:queue`
    await put(store, ...Array.from({ length: 30 }, (_, i) => String(i)))
    const taken = await store.queue.take('n', 'v', options({ count: 20 }))
    await redis.client.xdel(key, ...taken.filter((_, i) => i % 2 === 0).map(({ id }) => id))
    await elapse(150) // by the clock of Redis: idle for longer than claimAfterMs
    const claimed = await store.queue.take('n', 'w', options({ count: 15, claimAfterMs: 100 }))
    expect(claimed.map(({ text, deliveries }) => [text, deliveries])).toEqual([
      ...[1, 3, 5, 7, 9, 11, 13, 15, 17, 19].map((i) => [String(i), 2]),
      ...[20, 21, 22, 23, 24].map((i) => [String(i), 1]),
    ])
    expect(await redis.client.xpending(key, 'workers')).toEqual([
      15,
      ...[claimed[0]?.id, claimed[14]?.id],
      [['w', '15']],
    ])
  })

  test('names of workers that are gone are removed when another one comes, unless they have unfinished entries', async () => {
    const prefix = redis.prefix()
    const store = createStore({ prefix })
    const key = `${prefix}consumer:{n}:queue`
    const names = async (): Promise<readonly unknown[]> => {
      const consumers = await redis.client.xinfo('CONSUMERS', key, 'workers')
      return (consumers as unknown[][]).map((consumer) => consumer[1]).sort()
    }
    for (const worker of ['busy', 'gone', 'gone too', 'alive']) {
      await put(store, worker, 'and another')
      const [entry, other] = await store.queue.take('n', worker, options())
      if (worker === 'busy') continue
      for (const done of [entry, other]) await store.queue.finish('n', done?.id ?? '')
    }
    expect(await names()).toEqual(['alive', 'busy', 'gone', 'gone too'])
    expect(await redis.client.xpending(key, 'workers')).toEqual([
      2,
      expect.any(String),
      expect.any(String),
      [['busy', '2']],
    ])
    await elapse(300) // by the clock of Redis: a worker unseen for longer than claimAfterMs
    await put(store, 'more')
    await store.queue.take('n', 'alive', options())
    await createStore({ prefix }).queue.take('n', 'new', options({ count: 1, claimAfterMs: 200 }))
    expect(await names()).toEqual(['alive', 'busy', 'new'])
  })

  test('takes that wait one after the other share one connection', async () => {
    const name = `test-${redis.prefix()}`
    const own = new Redis(redis.url, { connectionName: name })
    const store = createStore({ redis: own })
    for (let i = 0; i < 5; i++) await store.queue.take('n', 'w', options({ waitMs: 5 }))
    const clients = String(await redis.client.client('LIST')).split('\n')
    own.disconnect()
    expect(clients.filter((line) => line.includes(`name=${name}`))).toHaveLength(3) // the app's, ours, the waiting one
  })

  test('a dead-letter list that was edited by hand takes dead letters as before', async () => {
    const prefix = redis.prefix()
    const store = createStore({ prefix })
    const [list, texts] = ['letters', 'letter-texts'].map((part) => `${prefix}consumer:{n}:${part}`) as [string, string]
    const letters = ['a', 'b', 'ü:c'].map((id) => ({ id, text: 't' }))
    for (const letter of letters) await store.letters.add('n', letter)
    await redis.client.lpop(list)
    await redis.client.rpush(list, 'by hand')
    await store.letters.add('n', { id: 'd', text: 't' })
    await redis.client.del(texts)
    for (const letter of letters) await store.letters.add('n', letter)
    expect((await store.letters.list('n', 10)).map(({ id }) => id)).toEqual(['b', 'ü:c', 'd', 'a'])
    await redis.client.del(list)
    await store.letters.add('n', { id: 'b', text: 't' })
    expect(await store.letters.list('n', 10)).toEqual([{ id: 'b', text: 't' }])
  })

  test('the Redis rights that the error message names are enough for a consumer', async () => {
    const rights = ['+@read', '+@write', '+@scripting', '+@connection', '+time', '+info']
    await redis.client.call('ACL', 'SETUSER', 'worker', 'on', '>pw', '~test:*', 'resetchannels', ...rights)
    const store = createStore({ redis: redis.url.replace('//', '//worker:pw@') })
    await useEverything(store)
    await store.queue.take('n', 'x', options({ claimAfterMs: 0 }))
    await store.queue.take('m', 'x', options({ waitMs: 10 }))
    await store.release('n', 'h')
    await redis.client.call('ACL', 'DELUSER', 'worker')
  })

  test('a worker that waits for entries leaves none assigned to itself when its process is gone', async () => {
    const prefix = redis.prefix()
    const [gone, store] = [createStore({ prefix }), createStore({ prefix })]
    await gone.queue.take('n', 'v', options({ waitMs: 1 }))
    const waiting = gone.queue.take('n', 'v', options({ waitMs: 400 })).catch(() => [])
    await untilWorks(async () => String(await redis.client.client('LIST')).includes('cmd=xread'))
    await gone.close()
    await put(store, 'a')
    expect(await waiting).toEqual([])
    expect((await store.queue.take('n', 'w', options())).map(({ text }) => text)).toEqual(['a'])
  })
})
