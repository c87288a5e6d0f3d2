import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { Redis } from 'ioredis'
import { isPpoppoError } from '../../../../src/errors.js'
import type { Acquired, ConsumerStore, TakeOptions } from '../../../../src/store/consumer-store.js'
import { createRedisConsumerStore } from '../../../../src/store/redis/consumer/consumer-store.js'
import { acquire } from '../../../contract/consumer-store.js'
import { ownTimeOf, startOwnTime } from '../../../support/own-time.js'
import { describeWithOwnRedis, type RedisServer, startRedis } from '../../../support/redis.js'
import { startProxy } from '../../../support/redis-proxy.js'
import { elapse, untilWorks } from '../../../support/until.js'

const TTL_MS = 60_000
/** A call, with the reading of Redis's clock before it. */
const CALL_LIMIT_MS = 2600
const RECOVERY_LIMIT_MS = 2500
const LETTER = { id: 'a', text: 't' }

describeWithOwnRedis('Redis at fault, and what consumers keep in it', () => {
  let server: RedisServer
  let store: ConsumerStore
  const unhandled: unknown[] = []
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason)
  const take = (own: Partial<TakeOptions> = {}): TakeOptions => ({ count: 10, claimAfterMs: TTL_MS, waitMs: 0, ...own })

  beforeAll(() => void process.on('unhandledRejection', onUnhandled))
  afterAll(() => void process.off('unhandledRejection', onUnhandled))
  beforeEach(async () => {
    server = await startRedis()
    store = createRedisConsumerStore({ redis: server.url, prefix: 'p:' })
  })
  afterEach(async () => {
    await store.close()
    await server.stop()
    expect(unhandled.splice(0)).toEqual([])
  })

  async function failure(call: () => Promise<unknown>): Promise<void> {
    let error: unknown
    const tookMs = await ownTimeOf(async () => {
      error = await call().then(
        (answer) => answer,
        (reason: unknown) => reason,
      )
    })
    expect(tookMs).toBeLessThan(CALL_LIMIT_MS)
    if (!isPpoppoError(error, 'store_unavailable')) throw new Error(`not refused, but ${JSON.stringify(error)}`)
  }

  async function recovery<T>(call: () => Promise<T>): Promise<T> {
    const time = startOwnTime()
    try {
      for (;;) {
        try {
          return await call()
        } catch (error) {
          if (!isPpoppoError(error, 'store_unavailable')) throw error
        }
        expect(time.passedMs()).toBeLessThan(RECOVERY_LIMIT_MS)
      }
    } finally {
      time.stop()
    }
  }

  /** Every call there is, each of which would do something. */
  const everything = (name: string, { fence }: Acquired, store: ConsumerStore): readonly (() => Promise<unknown>)[] => [
    () => store.acquire(name, 'h', TTL_MS),
    () => store.renew(name, 'h', TTL_MS),
    () => store.release(name, 'h'),
    () => store.commit(name, { fence, sequence: 1, checkpoint: 'c' }),
    () => store.letters.list(name, 10),
    () => store.letters.count(name),
    () => store.letters.add(name, LETTER),
    () => store.letters.remove(name, LETTER.id),
    () => store.queue.take(name, 'w', take()),
    () => store.queue.take(name, 'w', take({ waitMs: 300 })),
    () => store.queue.finish(name, '1-1'),
    () => store.queue.length(name),
  ]

  test('a killed Redis: every call of a consumer is refused in time, and works again after a restart', async () => {
    const acquired = await acquire(store, 'n')
    await store.queue.take('n', 'w', take({ waitMs: 5 }))
    await server.kill()
    await Promise.all(everything('n', acquired, store).map(failure))
    await server.restart()
    const again = await recovery(() => acquire(store, 'n'))
    expect(again.fence).toBeGreaterThan(acquired.fence)
    expect(await store.queue.take('n', 'w', take({ waitMs: 5 }))).toEqual([])
  })

  test('a Redis killed while workers wait for entries: they are refused at once', async () => {
    await store.queue.take('n', 'w', take({ waitMs: 5 }))
    const waiting = [failure(() => store.queue.take('n', 'w', take({ waitMs: 400 })))]
    await elapse(50) // it waits in Redis, or soon would: both must be refused
    const tookMs = await ownTimeOf(async () => {
      await server.kill()
      await Promise.all(waiting)
    })
    expect(tookMs).toBeLessThan(300)
  })

  test('a hung Redis (SIGSTOP): every call of a consumer is refused in time for as long as it hangs, and works at once afterwards', async () => {
    const acquired = await acquire(store, 'n')
    await store.queue.take('n', 'w', take({ waitMs: 5 }))
    server.pause()
    const endAt = performance.now() + 3000
    while (performance.now() < endAt) await Promise.all(everything('n', acquired, store).map(failure))
    server.resume()
    await recovery(() => acquire(store, 'm'))
    expect(await store.queue.take('m', 'w', take({ waitMs: 200 }))).toEqual([])
  })

  test('a Redis that hangs while workers wait for entries: they are refused in time, and a full wait is never mistaken for a hang', async () => {
    await store.queue.take('n', 'w', take({ waitMs: 5 }))
    const waiting = failure(() => store.queue.take('n', 'w', take({ waitMs: 400 })))
    await elapse(50) // it waits in Redis, or soon would: both must be refused
    server.pause()
    await waiting
    server.resume()
    for (let i = 0; i < 3; i++) expect(await store.queue.take('n', 'w', take({ waitMs: 60_000 }))).toEqual([])
  })

  test('acquiring a lease that is given up early, because the call before it was late, takes no lease', async () => {
    await acquire(store, 'other')
    server.pause()
    await failure(() => store.letters.count('n'))
    await failure(() => store.acquire('n', 'gone', TTL_MS))
    server.resume()
    await elapse(200) // for whatever Redis still has to run, should it run it
    await acquire(store, 'n', 'next')
  })

  describe('a command that runs late, from a connection that is dead', () => {
    let proxy: Awaited<ReturnType<typeof startProxy>>
    let far: ConsumerStore
    let look: Redis
    let acquired: Acquired

    beforeEach(async () => {
      proxy = await startProxy(server.port)
      far = createRedisConsumerStore({ redis: `redis://127.0.0.1:${proxy.port}`, prefix: 'p:' })
      look = new Redis(server.url)
      acquired = await acquire(far, 'n')
      // The clock has been read, and Redis knows all scripts: the next calls are sent at once.
      for (const call of everything('other', acquired, far)) await call()
    })
    afterEach(async () => {
      look.disconnect()
      await far.close()
      await proxy.close()
    })

    const scriptsRun = async (): Promise<number> =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await look.info('commandstats'))?.[1])

    /** Calls, which fails; then does `meanwhile`; then the call arrives at Redis. */
    async function late(call: () => Promise<unknown>, meanwhile: () => Promise<unknown>): Promise<void> {
      proxy.hold()
      await failure(call)
      await meanwhile()
      await elapse(100) // Redis's clock is known to some milliseconds
      const before = await scriptsRun()
      proxy.release()
      await untilWorks(async () => (await scriptsRun()) > before)
    }

    test('a commit moves no position back, and does nothing twice', async () => {
      const { fence } = acquired
      const one = { fence, sequence: 1, checkpoint: 'one', letters: [LETTER], queue: { entries: ['e'], maxLength: 9 } }
      await late(
        () => far.commit('n', one),
        async () => {
          expect(await store.commit('n', one)).toBe('committed')
          expect(await store.commit('n', { fence, sequence: 2, checkpoint: 'two' })).toBe('committed')
          await store.letters.remove('n', LETTER.id)
        },
      )
      expect(await store.letters.count('n')).toBe(0)
      expect(await store.queue.length('n')).toBe(1)
      expect((await acquire(store, 'n')).checkpoint).toBe('two')
    })

    test('a commit of a consumer that was replaced does nothing', async () => {
      const step = { sequence: 7, checkpoint: 'stale', letters: [LETTER], queue: { entries: ['e'], maxLength: 9 } }
      await late(
        () => far.commit('n', { ...step, fence: acquired.fence }),
        async () => {
          await store.release('n', 'h')
          const { fence } = await acquire(store, 'n', 'next')
          await store.commit('n', { fence, sequence: 1, checkpoint: 'new' })
        },
      )
      expect([await store.letters.count('n'), await store.queue.length('n')]).toEqual([0, 0])
      expect((await acquire(store, 'n', 'next')).checkpoint).toBe('new')
    })

    test('an acquire takes no lease for a consumer that has gone', async () => {
      await late(
        () => far.acquire('m', 'gone', TTL_MS),
        async () => undefined,
      )
      await acquire(store, 'm', 'next')
    })

    test('an acquire uses up no fencing number of a consumer that asked again', async () => {
      let fence = 0
      await late(
        () => far.acquire('n', 'h', TTL_MS),
        async () => {
          fence = (await acquire(store, 'n')).fence
        },
      )
      expect(await store.commit('n', { fence, sequence: 1, checkpoint: 'c' })).toBe('committed')
    })

    test('a release frees no lease that was taken again', async () => {
      await late(
        () => far.release('n', 'h'),
        () => acquire(store, 'n', 'h'),
      )
      expect(await store.acquire('n', 'next', TTL_MS)).toHaveProperty('heldForMs')
    })

    test('a renewal keeps no lease for a consumer that has gone', async () => {
      await acquire(store, 'n', 'h', 5000)
      await late(
        () => far.renew('n', 'h', TTL_MS),
        async () => undefined,
      )
      expect(await look.pttl('p:consumer:{n}:lease')).toBeLessThanOrEqual(5000)
    })

    test('a take assigns no entry to a worker that has gone', async () => {
      await late(
        () => far.queue.take('n', 'w', take()),
        () =>
          store.commit('n', {
            ...{ fence: acquired.fence, sequence: 1, checkpoint: 'c' },
            queue: { entries: ['e'], maxLength: 9 },
          }),
      )
      expect(await store.queue.take('n', 'w', take())).toMatchObject([{ text: 'e', deliveries: 1 }])
    })

    test('a dead letter that was removed does not come back', async () => {
      await late(
        () => far.letters.add('n', LETTER),
        async () => {
          await store.letters.add('n', LETTER)
          await store.letters.remove('n', LETTER.id)
        },
      )
      expect(await store.letters.count('n')).toBe(0)
    })

    test('a dead letter that was added again stays', async () => {
      await store.letters.add('n', LETTER)
      await late(
        () => far.letters.remove('n', LETTER.id),
        async () => {
          await store.letters.remove('n', LETTER.id)
          await store.letters.add('n', LETTER)
        },
      )
      expect(await store.letters.count('n')).toBe(1)
    })

    test('finishing with a dead letter leaves none for an entry that another worker finished', async () => {
      const step = { fence: acquired.fence, sequence: 1, checkpoint: 'c', queue: { entries: ['e'], maxLength: 9 } }
      await store.commit('n', step)
      const [entry] = await store.queue.take('n', 'w', take())
      await late(
        () => far.queue.finish('n', entry?.id ?? '', LETTER),
        () => store.queue.finish('n', entry?.id ?? ''),
      )
      expect([await store.letters.count('n'), await store.queue.length('n')]).toEqual([0, 0])
    })
  })

  test('a Redis too old for a script: the reason says so', async () => {
    await server.kill()
    await server.restart(['--rename-command', 'XPENDING', ''])
    await recovery(() => acquire(store, 'n'))
    await expect(store.queue.take('n', 'w', take())).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('6.2'),
    })
  })
})
