/* A consumer whose Redis refuses, evicts, or was edited by hand: real Redis, of the test's own. */
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Redis } from 'ioredis'
import type { ConsumeOptions, Consumer } from '../../../src/messaging/types/consumer.js'
import type { ConsumerStore } from '../../../src/store/consumer-store.js'
import { createRedisConsumerStore } from '../../../src/store/redis/consumer/consumer-store.js'
import { describeWithOwnRedis, type RedisServer, startRedis } from '../../support/redis.js'
import { until, untilWorks } from '../../support/until.js'
import { eventAt } from './support/events.js'
import { createConsumers, EventLog } from './support/log.js'

const LEASE_MS = 1_500
const PREFIX = 'p:'

describeWithOwnRedis('a consumer whose Redis', () => {
  let server: RedisServer
  let look: Redis
  let log: EventLog
  const stores: ConsumerStore[] = []
  const running: ReturnType<typeof createConsumers>[] = []
  let name: string

  beforeEach(async () => {
    server = await startRedis()
    look = new Redis(server.url)
    log = new EventLog()
    name = `test-${randomUUID()}`
  })
  afterEach(async () => {
    for (const consumers of running.splice(0)) await consumers.stopAll()
    for (const store of stores.splice(0)) await store.close()
    look.disconnect()
    await server.stop()
  })

  /** What one consumer did and was told. */
  interface Seen {
    readonly consumer: Consumer
    readonly handled: string[]
    readonly told: string[]
    readonly faults: Error[]
    readonly warnings: string[]
  }
  function start(options: Partial<ConsumeOptions> = {}, url = server.url): Seen {
    const store = createRedisConsumerStore({ redis: url, prefix: PREFIX })
    stores.push(store)
    const warnings: string[] = []
    const consumers = createConsumers(log, store, { name, warn: (text) => warnings.push(text) })
    running.push(consumers)
    const [handled, told, faults]: [string[], string[], Error[]] = [[], [], []]
    const consumer = consumers.start({
      leaseMs: LEASE_MS,
      handler: ({ eventId }) => handled.push(eventId),
      onActive: () => told.push('active'),
      onStandby: ({ reason }) => told.push(reason),
      onStoreFault: (error) => faults.push(error),
      ...options,
    })
    return { consumer, handled, told, faults, warnings }
  }
  const key = (part: string): string => `${PREFIX}consumer:{${name}}:${part}`
  const ids = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, at) => eventAt(from + at).eventId)
  const append = (from: number, to: number): void => {
    for (let place = from; place < to; place++) log.append(eventAt(place, 5))
  }
  const placeOf = async (): Promise<string> => (await look.hget(key('place'), 'checkpoint')) ?? ''
  const isSaved = async (place: number): Promise<boolean> =>
    (JSON.parse((await placeOf()) || '{}') as { cursor?: string }).cursor === eventAt(place).eventId
  const toldOf = (seen: Seen, what: string): Promise<boolean> =>
    until(
      () => seen.told.includes(what),
      () => `it tells ${what}; it told ${seen.told}`,
    )

  test('is full reports it, gives up the lease, starts nothing meanwhile, and resumes by itself once there is room', async () => {
    const seen = start()
    append(0, 10)
    await untilWorks(() => isSaved(9), 'ten are saved')
    await look.config('SET', 'maxmemory', '1')
    append(10, 30)
    await toldOf(seen, 'store_unavailable')
    expect(seen.faults).toHaveLength(1)
    expect(seen.faults[0]).toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('maxmemory') })
    await untilWorks(async () => (await look.exists(key('lease'))) === 0, 'the lease is given up')
    await until(() => seen.warnings.length > 0, 'an operator is told')
    expect(seen.warnings).toEqual([expect.stringMatching(/cannot save anything.*maxmemory/)])
    expect(seen.consumer.isActive).toBe(false)
    const begun = seen.handled.length
    await look.config('SET', 'maxmemory', '0')
    await untilWorks(() => isSaved(29), 'all are saved')
    expect([...new Set(seen.handled)].sort()).toEqual(ids(0, 30))
    // What could not be saved comes again, once.
    expect(seen.handled.length).toBeLessThanOrEqual(30 + 20)
    expect(begun).toBeLessThanOrEqual(30)
    expect([seen.faults.length, seen.warnings.length]).toEqual([1, 1])
  })

  describe('forbids a command', () => {
    /** A user who may do all but that. */
    async function forbid(...commands: readonly string[]): Promise<string> {
      const rights = ['+@all', ...commands.map((command) => `-${command}`)]
      await look.call('ACL', 'SETUSER', 'worker', 'reset', 'on', '>pw', '~*', '&*', ...rights)
      return server.url.replace('//', '//worker:pw@')
    }

    test.each(['get', 'set', 'hset', 'hmget', 'pexpire', 'evalsha|eval', 'time'])(
      '%s: it says so, and goes on by itself once that is allowed',
      async (command) => {
        const seen = start({}, await forbid(...command.split('|')))
        append(0, 3)
        await until(() => seen.faults.length > 0, 'it says so')
        expect(seen.faults[0]).toMatchObject({ code: 'store_unavailable' })
        expect(String(seen.faults[0]?.cause)).toMatch(/NOPERM|ACL failure|can't run this command/)
        await toldOf(seen, 'store_unavailable')
        await forbid()
        await untilWorks(() => isSaved(2), 'all are saved')
        expect([...new Set(seen.handled)].sort()).toEqual(ids(0, 3))
        expect(seen.faults).toHaveLength(1)
      },
    )

    test('rpush, so that no dead letter can be written: what else was handled is saved, and does not come again', async () => {
      const handled: string[] = []
      const seen = start(
        {
          maxAttempts: 1,
          handler: ({ eventId }) => {
            if (eventId === eventAt(2).eventId) throw new Error('never')
            handled.push(eventId)
          },
        },
        await forbid('rpush'),
      )
      append(0, 8)
      await until(() => seen.told.filter((what) => what === 'active').length >= 3, 'it has tried thrice')
      expect(handled.toSorted()).toEqual(ids(0, 8).filter((id) => id !== eventAt(2).eventId))
      await forbid()
      await untilWorks(async () => (await look.llen(key('letters'))) === 1, 'the letter is written')
      expect(seen.faults).toHaveLength(1)
    })

    test('hset for one process: another one, which may use it, takes over', async () => {
      const one = start({}, await forbid())
      append(0, 3)
      await untilWorks(() => isSaved(2), 'three are saved')
      const other = start()
      await forbid('hset')
      append(3, 6)
      await toldOf(one, 'store_unavailable')
      await untilWorks(() => isSaved(5), 'the other one goes on')
      expect(other.told).toContain('active')
    })

    test('xadd or xreadgroup, which workers need: the consumer reports it, and resumes by itself once it is allowed', async () => {
      for (const command of ['xadd', 'xreadgroup']) {
        name = `test-${randomUUID()}`
        log = new EventLog()
        const seen = start({ fanOut: true }, await forbid(command))
        append(0, 3)
        await until(() => seen.faults.length > 0, 'it says so')
        await forbid()
        await until(() => new Set(seen.handled).size === 3, 'all are handled')
        expect(seen.faults).toHaveLength(1)
      }
    })
  })

  test('has a lease without an expiry waits without a busy loop, and takes over when its own lease would have expired', async () => {
    await look.set(key('lease'), 'somebody who is gone')
    const seen = start()
    append(0, 1)
    await until(() => seen.handled.length === 1, 'it takes over')
    const calls = await look.info('commandstats')
    // By the script of one look each, in a lease's time of 1.5 s and a start.
    expect(Number(/cmdstat_evalsha:calls=(\d+)/.exec(calls)?.[1])).toBeLessThan(60)
  })

  describe('evicts', () => {
    test('under volatile-lru keeps positions and dead letters: no event is lost', async () => {
      const first = start({
        maxAttempts: 1,
        handler: ({ eventId }) => {
          if (eventId === eventAt(0).eventId) throw new Error('never')
        },
      })
      append(0, 10)
      await untilWorks(() => isSaved(9), 'ten are saved')
      await first.consumer.stop()
      const used = Number(/used_memory:(\d+)/.exec(await look.info('memory'))?.[1])
      await look.config('SET', 'maxmemory-policy', 'volatile-lru')
      await look.config('SET', 'maxmemory', String(used + 1_000_000))
      const evicted = async (): Promise<number> => Number(/evicted_keys:(\d+)/.exec(await look.info('stats'))?.[1])
      for (let at = 0; (await evicted()) < 50; at++) await look.set(`cache:${at}`, 'x'.repeat(20_000), 'EX', 3_600)
      append(10, 12)
      const next = start()
      await until(() => next.handled.length === 2, 'the next one goes on')
      expect(next.handled.toSorted()).toEqual(ids(10, 12))
      expect(await look.llen(key('letters'))).toBe(1)
    })

    /** Ten events are saved by a consumer that has gone, and then its place is. */
    async function loseThePlace(options: Partial<ConsumeOptions> = {}): Promise<void> {
      const first = start(options)
      append(0, 10)
      await until(() => first.handled.length === 10, 'ten are handled')
      await first.consumer.stop()
      await look.del(key('place'))
      append(10, 12)
    }

    test('the position of a consumer that is not running: it stops with cursor_lost at every start', async () => {
      await loseThePlace()
      for (let i = 0; i < 2; i++) {
        const next = start()
        await expect(next.consumer.closed).rejects.toMatchObject({
          code: 'cursor_lost',
          message: expect.stringContaining('noeviction'),
        })
        expect(next.handled).toEqual([])
        expect(await look.exists(key('lease'))).toBe(0)
      }
    })

    test('the position, with onCursorLost "earliest": all events that the server still has come again', async () => {
      await loseThePlace()
      const next = start({ onCursorLost: 'earliest' })
      await until(() => next.handled.length === 12, 'all are handled')
      expect(next.handled.toSorted()).toEqual(ids(0, 12))
      await next.consumer.stop()
      const after = start()
      append(12, 13)
      await until(() => after.handled.length > 0, 'it goes on')
      expect(after.handled).toEqual(ids(12, 13))
    })

    test('the position, with onCursorLost "latest": only what happens from now on comes', async () => {
      await loseThePlace()
      const next = start({ onCursorLost: 'latest' })
      log.append({ ...eventAt(12), occurredAt: new Date(Date.now() + 60_000) })
      await until(() => next.handled.length > 0, 'the newest is handled')
      expect(next.handled).toEqual(ids(12, 13))
    })

    test('the position of a running consumer, which remembers it: it continues, and nothing is lost', async () => {
      const seen = start()
      append(0, 10)
      await untilWorks(() => isSaved(9), 'ten are saved')
      await look.del(key('place'))
      append(10, 12)
      await untilWorks(() => isSaved(11), 'the next are saved')
      expect(new Set(seen.handled)).toEqual(new Set(ids(0, 12)))
      expect(log.opened).toEqual([undefined, eventAt(9).eventId])
    })

    test('events queued for workers: the consumer stops with cursor_lost instead of skipping them', async () => {
      const isIdle = new Promise<void>(() => {})
      const seen = start({ fanOut: true, maxInFlight: 1, drainMs: 0, handler: () => isIdle })
      append(0, 10)
      await untilWorks(async () => (await look.xlen(key('queue'))) === 10, 'all wait')
      await look.del(key('queue'))
      append(10, 11)
      await expect(seen.consumer.closed).rejects.toMatchObject({ code: 'cursor_lost' })
    })
  })
})
