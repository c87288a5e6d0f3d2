import { afterEach, expect, test } from '@jest/globals'
import { Redis } from 'ioredis'
import { describeWithOwnRedis, type RedisServer, startRedis } from '../../../support/redis.js'
import { elapse, until } from '../../../support/until.js'
import type { ConsumerProcess } from './support/consumer-process.js'
import { watchCheckpoint } from './support/watch-checkpoint.js'
import { type ConsumerWorld, startConsumerWorld } from './support/world.js'

/** Long enough for a process that gets no processor for a while. */
const LEASE_MS = 9_000
const NAME = 'redis-away'
const MAX_IN_FLIGHT = 16
/** CPU time of a process that waits for Redis, in milliseconds a second: it tries again twice a second. */
const MAX_IDLE_CPU = 150
const KEEPS_DATA = ['--appendonly', 'yes', '--appendfsync', 'always']

describeWithOwnRedis('consume() while Redis is away', () => {
  let server: RedisServer
  let world: ConsumerWorld
  let appending: NodeJS.Timeout | undefined
  afterEach(async () => {
    clearInterval(appending)
    await world.close()
    await server.stop()
  })

  async function begin(count: number, args: readonly string[] = []): Promise<ConsumerProcess> {
    server = await startRedis({ args })
    world = await startConsumerWorld({
      redis: server.url,
      keyPrefix: 'ppoppo:',
      sends: 30,
      consume: { name: NAME, leaseMs: LEASE_MS, maxInFlight: MAX_IN_FLIGHT },
      handling: { leastMs: 2, mostMs: 10 },
    })
    for (let i = 0; i < count; i++) world.start()
    appending = setInterval(() => world.pcs.append(1), 8)
    await Promise.all(world.processes.map((one) => one.untilTold('ready')))
    await world.active()
    await more(100)
    // On a busy machine that need not be the first one.
    return world.active()
  }
  /** Until so many more events are begun, by whomever. */
  async function more(count = 100): Promise<void> {
    const before = world.journal.begins.length
    await until(() => world.journal.begins.length >= before + count, 'more events are begun')
  }
  async function expectAllWell(lost: number): Promise<void> {
    clearInterval(appending)
    await world.untilAllHandled()
    expect(world.complaints({ maxInFlight: MAX_IN_FLIGHT })).toEqual([])
    expect(world.journal.repeats).toBeLessThanOrEqual(lost * MAX_IN_FLIGHT)
    for (const one of world.processes) {
      const { code } = await one.end()
      expect([code, one.errors()]).toEqual([0, ''])
    }
  }
  const losses = (): number =>
    world.processes.reduce((sum, { told }) => sum + told.filter(({ type }) => type === 'standby').length, 0)

  test('Redis hangs for less than the lease: the same consumer continues, and no event comes twice', async () => {
    const active = await begin(2)
    const client = new Redis(server.url)
    const watch = watchCheckpoint(client, world.storePrefix, NAME, world.journal)
    server.pause()
    // Less than a third of the lease: the renewal that is due meanwhile is answered in time.
    await elapse(LEASE_MS / 4)
    server.resume()
    await more()
    expect(active.told.filter(({ type }) => type === 'active' || type === 'standby')).toHaveLength(1)
    await watch.stop()
    client.disconnect()
    expect(watch.complaints).toEqual([])
    await expectAllWell(0)
  })

  test('Redis hangs for longer than the lease: all consumers stand by at almost no cost, then one resumes by itself', async () => {
    const active = await begin(2)
    server.pause()
    const told = await active.untilTold('standby')
    expect(told).toMatchObject({ reason: 'store_unavailable' })
    const begun = world.journal.begins.length
    const before = await Promise.all(world.processes.map((one) => one.report()))
    await elapse(2_000)
    const after = await Promise.all(world.processes.map((one) => one.report()))
    expect(world.journal.begins.length).toBe(begun)
    // Each heard of it, and once.
    expect(world.processes.map((one) => one.told.filter(({ type }) => type === 'standby').length)).toEqual([1, 1])
    expect(after.map(({ isActive }) => isActive)).toEqual([false, false])
    for (const [i, { cpuMs }] of after.entries()) expect(cpuMs - (before[i]?.cpuMs ?? 0)).toBeLessThan(2 * MAX_IDLE_CPU)
    server.resume()
    await more()
    await expectAllWell(1)
  })

  test('Redis restarts with its data: nothing is lost, and one consumer resumes by itself', async () => {
    const active = await begin(2, KEEPS_DATA)
    const fence = active.told.find(({ type }) => type === 'active')?.fence ?? 0
    await server.kill()
    const before = await Promise.all(world.processes.map((one) => one.report()))
    await active.untilTold('standby')
    await elapse(1_000)
    const after = await Promise.all(world.processes.map((one) => one.report()))
    for (const [i, { cpuMs }] of after.entries()) {
      expect(cpuMs - (before[i]?.cpuMs ?? 0)).toBeLessThan((MAX_IDLE_CPU * (LEASE_MS + 1_000)) / 1_000)
    }
    await server.restart()
    await more()
    const last = (await world.active()).told.findLast(({ type }) => type === 'active')
    expect(last?.fence).toBeGreaterThan(fence)
    expect(last?.after).toBeDefined()
    expect(losses()).toBe(2)
    await expectAllWell(1)
  })

  test('Redis restarts empty: the active consumer resumes where it was, with a larger fence', async () => {
    const active = await begin(1)
    for (let round = 1; round <= 2; round++) {
      await server.kill()
      if (round === 1) await active.untilTold('standby')
      await server.restart()
      await active.untilTold('active', round + 1)
      await more()
    }
    const [first, second, third] = active.told.filter(({ type }) => type === 'active').map(({ fence = 0 }) => fence)
    expect([first, second, third]).toEqual([first, second, third].sort((a = 0, b = 0) => a - b))
    await expectAllWell(2)
  })

  test('Redis is away at startup: a consumer waits for it, and reports that', async () => {
    server = await startRedis()
    await server.kill()
    world = await startConsumerWorld({
      redis: server.url,
      keyPrefix: 'ppoppo:',
      consume: { name: NAME, leaseMs: LEASE_MS },
    })
    world.pcs.append(10)
    const one = world.start()
    expect(await one.untilTold('standby')).toMatchObject({ reason: 'store_unavailable', code: 'store_unavailable' })
    expect(world.journal.lines).toEqual([])
    await server.restart()
    await one.untilTold('active')
    await expectAllWell(0)
  })
})
