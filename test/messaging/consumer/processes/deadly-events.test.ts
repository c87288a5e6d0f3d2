import { afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { createRedisConsumerStore } from '../../../../src/store/redis/consumer/consumer-store.js'
import { describeWithRedis, redisForTests, type TestRedis } from '../../../support/redis.js'
import { until } from '../../../support/until.js'
import type { ConsumerProcess, DeadlyEvent, ProcessOptions } from './support/consumer-process.js'
import { idAt } from './support/log-pcs.js'
import { type ConsumerWorld, startConsumerWorld } from './support/world.js'

const NAME = 'deadly-events'
const LEASE_MS = 2_000
const MAX_ATTEMPTS = 4
const MAX_IN_FLIGHT = 8
/** Others of its send come before and after it, and others of other sends lie all around it. */
const CULPRIT = idAt(20)
const EVENTS = 60

describeWithRedis('an event that kills or blocks its process', () => {
  let redis: TestRedis
  let world: ConsumerWorld
  beforeAll(async () => {
    redis = await redisForTests()
  })
  let restarting: NodeJS.Timeout | undefined
  afterEach(async () => {
    clearInterval(restarting)
    await world.close()
  })

  /** So many processes, each replaced when it has ended, as a supervisor does. */
  async function begin(
    count: number,
    deadly: Omit<DeadlyEvent, 'eventId'>,
    consume: ProcessOptions['consume'] = {},
  ): Promise<void> {
    world = await startConsumerWorld({
      redis: redis.url,
      keyPrefix: redis.prefix(),
      sends: 7,
      consume: { name: NAME, leaseMs: LEASE_MS, maxInFlight: MAX_IN_FLIGHT, maxAttempts: MAX_ATTEMPTS, ...consume },
      handling: { leastMs: 5, mostMs: 25, deadly: { eventId: CULPRIT, ...deadly } },
    })
    world.pcs.append(EVENTS)
    const fill = (): void => {
      while (world.processes.filter(({ isAlive }) => isAlive).length < count) world.start()
    }
    fill()
    restarting = setInterval(fill, 50)
  }

  const timesBegun = (id: string): number => world.journal.begunIds.filter((begun) => begun === id).length
  const neighbours = (): string[] => Array.from({ length: EVENTS }, (_, at) => idAt(at)).filter((id) => id !== CULPRIT)
  async function letters(): Promise<readonly string[]> {
    const store = createRedisConsumerStore({ redis: redis.url, prefix: world.storePrefix })
    try {
      return (await store.letters.list(NAME, 100)).map(({ id }) => id)
    } finally {
      await store.close()
    }
  }
  const told = (): readonly ConsumerProcess['told'][number][] => world.processes.flatMap(({ told }) => told)

  /** Until all others are handled, and those that come later, too. */
  async function untilAllOthersAreHandled(): Promise<void> {
    const areDone = (): boolean => neighbours().every((id) => world.journal.ended.has(id))
    await until(areDone, 'all others are handled')
    world.pcs.append(20)
    const last = idAt(world.pcs.length - 1)
    await until(() => world.journal.ended.has(last), 'those that come later are handled')
  }

  function expectNeighboursWell(): void {
    const tooOften = neighbours().filter((id) => timesBegun(id) > 2)
    expect(tooOften.map((id) => [id, timesBegun(id)])).toEqual([])
  }

  describe.each([1, 2])('with %i processes', (count) => {
    test('an event that kills its process becomes a dead letter after maxAttempts deliveries; its neighbours are handled once or twice', async () => {
      await begin(count, { how: 'kill' })
      await untilAllOthersAreHandled()
      expectNeighboursWell()
      expect(timesBegun(CULPRIT)).toBe(MAX_ATTEMPTS)
      expect(await letters()).toEqual([CULPRIT])
      expect(told().find(({ type }) => type === 'dead-letter')).toMatchObject({ attempts: MAX_ATTEMPTS })
    })

    test('a process that dies shortly after an event, of a rejected promise: all events are handled, none more than twice', async () => {
      await begin(count, { how: 'reject', ms: 20 })
      await untilAllOthersAreHandled()
      expectNeighboursWell()
      expect(timesBegun(CULPRIT)).toBeLessThanOrEqual(2)
      expect(await letters()).toEqual([])
    })
  })

  test('with fanOut, an event that kills its process becomes a dead letter, and its neighbours do not', async () => {
    await begin(2, { how: 'kill' }, { handlerTimeoutMs: 3_000, fanOut: { claimAfterMs: 4_000 }, maxInFlight: 30 })
    await untilAllOthersAreHandled()
    await until(() => told().some(({ type }) => type === 'dead-letter'), 'it is given up')
    expect(await letters()).toEqual([CULPRIT])
    expectNeighboursWell()
  })

  test('an event that blocks one process after another for longer than the lease becomes a dead letter, and the others are handled', async () => {
    await begin(2, { how: 'block', ms: 2.5 * LEASE_MS })
    await untilAllOthersAreHandled()
    expectNeighboursWell()
    expect(timesBegun(CULPRIT)).toBeLessThanOrEqual(MAX_ATTEMPTS)
  })

  test('an event that blocks the only process for longer than the lease, and succeeds, is handled once', async () => {
    await begin(1, { how: 'block', ms: 2.5 * LEASE_MS })
    await untilAllOthersAreHandled()
    expectNeighboursWell()
    expect(timesBegun(CULPRIT)).toBe(1)
    expect(await letters()).toEqual([])
    expect(world.processes).toHaveLength(1)
  })

  test('an event that blocks the only process for longer than the lease, and fails, becomes a dead letter after maxAttempts', async () => {
    await begin(1, { how: 'block-and-throw', ms: 1.5 * LEASE_MS })
    await untilAllOthersAreHandled()
    expectNeighboursWell()
    expect(timesBegun(CULPRIT)).toBe(MAX_ATTEMPTS)
    expect(await letters()).toEqual([CULPRIT])
  })

  test('with maxAttempts 1, events in flight at a crash are tried once more, alone, so that none is blamed for another', async () => {
    await begin(1, { how: 'kill' }, { maxAttempts: 1 })
    await untilAllOthersAreHandled()
    expectNeighboursWell()
    expect(timesBegun(CULPRIT)).toBe(2)
    expect(await letters()).toEqual([CULPRIT])
  })
})
