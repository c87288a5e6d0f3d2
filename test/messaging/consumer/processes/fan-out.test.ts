import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { Redis } from 'ioredis'
import { keysOfConsumer } from '../../../../src/store/redis/consumer/keys.js'
import { allowed } from '../../../support/allowed.js'
import { describeWithOwnRedis, type RedisServer, startRedis } from '../../../support/redis.js'
import { elapse, until } from '../../../support/until.js'
import { type ConsumerProcess, nowMs } from './support/consumer-process.js'
import { idAt } from './support/log-pcs.js'
import { type ConsumerWorld, startConsumerWorld } from './support/world.js'

const NAME = 'fan-out'
const MAX_IN_FLIGHT = 8
const MAX_LENGTH = 60
const CLAIM_AFTER_MS = 6_000

describeWithOwnRedis('a fan-out over three processes', () => {
  let server: RedisServer
  let redis: Redis
  let world: ConsumerWorld
  let watching: NodeJS.Timeout
  let longest: number
  beforeEach(async () => {
    server = await startRedis()
    redis = new Redis(server.url)
    world = await startConsumerWorld({
      redis: server.url,
      keyPrefix: 'ppoppo:',
      sends: 10,
      consume: {
        name: NAME,
        leaseMs: 5_000,
        maxInFlight: MAX_IN_FLIGHT,
        handlerTimeoutMs: 5_000,
        fanOut: { maxLength: MAX_LENGTH, claimAfterMs: CLAIM_AFTER_MS },
      },
      handling: { leastMs: 5, mostMs: 40 },
    })
    longest = 0
    watching = setInterval(() => {
      redis.xlen(keysOfConsumer(world.storePrefix, NAME).queue).then(
        (length) => {
          longest = Math.max(longest, length)
        },
        () => {}, // Redis is paused by a test
      )
    }, 10)
  })
  afterEach(async () => {
    clearInterval(watching)
    redis.disconnect()
    await world.close()
    await server.stop()
  })

  async function begin(): Promise<void> {
    for (let i = 0; i < 3; i++) world.start()
    await Promise.all(world.processes.map((one) => one.untilTold('ready')))
    await until(() => new Set(world.journal.begins.map(({ pid }) => pid)).size === 3, 'all three work')
  }
  /** Events that a process has begun and not ended. */
  function takenBy({ pid }: ConsumerProcess): readonly string[] {
    const open = new Set<string>()
    for (const line of world.journal.lines) {
      if (line.pid !== pid) continue
      if (line.what === 'begin') open.add(line.eventId)
      else open.delete(line.eventId)
    }
    return [...open]
  }
  async function expectAllWell(kills: number): Promise<void> {
    await world.untilAllHandled()
    const { begunIds, repeats } = world.journal
    expect(new Set(begunIds)).toEqual(new Set(Array.from({ length: world.pcs.length }, (_, at) => idAt(at))))
    expect(repeats).toBeLessThanOrEqual(kills * MAX_IN_FLIGHT)
    expect(longest).toBeGreaterThan(MAX_LENGTH / 2)
    expect(longest).toBeLessThanOrEqual(MAX_LENGTH)
    await until(() => takenBy(world.processes.at(-1) as ConsumerProcess).length === 0, 'nothing is at work')
    expect(world.processes.map((one) => one.errors()).join('')).toBe('')
  }

  test('what a killed worker had taken is finished by the others once they may claim it', async () => {
    world.pcs.append(600)
    await begin()
    const victim = world.processes.find(({ isActive }) => !isActive) as ConsumerProcess
    await until(() => takenBy(victim).length > MAX_IN_FLIGHT / 2, 'it has taken some')
    await victim.kill()
    const killedAt = nowMs()
    const left = takenBy(victim)
    await expectAllWell(1)
    const finished = world.journal.lines.filter(
      ({ what, pid, eventId }) => what === 'end' && pid !== victim.pid && left.includes(eventId),
    )
    expect(finished.map(({ eventId }) => eventId).sort()).toEqual([...left].sort())
    const [first = 0, last = 0] = [finished[0]?.at, finished.at(-1)?.at]
    expect(first).toBeGreaterThan(killedAt + CLAIM_AFTER_MS - 200)
    expect(last).toBeLessThan(killedAt + CLAIM_AFTER_MS + (await allowed(3_000)))
  })

  test('killing the reader while it queues events, twice, loses nothing and queues nothing twice', async () => {
    const appending = setInterval(() => world.pcs.append(4), 10)
    try {
      await begin()
      for (let kill = 0; kill < 3; kill++) {
        const active = await world.active()
        const handedOut = world.journal.begins.length
        await until(() => world.journal.begins.length > handedOut + 60, 'events are handed out')
        await active.kill()
        world.start()
      }
    } finally {
      clearInterval(appending)
    }
    await expectAllWell(3)
  })

  test('if Redis hangs while events are queued, each is queued once', async () => {
    world.pcs.append(500)
    await begin()
    for (let pause = 0; pause < 2; pause++) {
      server.pause()
      await elapse(600 + 900 * pause)
      server.resume()
      const handedOut = world.journal.begins.length
      await until(() => world.journal.begins.length > handedOut + 60, 'events are handed out')
    }
    // What a worker finishes while Redis hangs may be given out again, to anybody.
    await expectAllWell(2 * 3)
  })
})
