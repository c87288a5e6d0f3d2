import { beforeAll, expect, jest, test } from '@jest/globals'
import fc from 'fast-check'
import { describeWithRedis, redisForTests, type TestRedis } from '../../../support/redis.js'
import { elapse, until } from '../../../support/until.js'
import type { ConsumerProcess } from './support/consumer-process.js'
import { watchCheckpoint } from './support/watch-checkpoint.js'
import { type ConsumerWorld, startConsumerWorld } from './support/world.js'

/** Schedules to try; `TEST_KILL_RUNS=50` for a night. On failure fast-check prints seed and schedule. */
const RUNS = Number(process.env['TEST_KILL_RUNS'] ?? 4)
const LEASE_MS = 2_000
const NAME = 'random-kills'

jest.setTimeout(240_000 + RUNS * 60_000)

/** What happens to a process once so many more events have been begun and some time has passed. */
interface Blow {
  readonly kind: 'kill' | 'terminate' | 'freeze'
  readonly isForActive: boolean
  readonly afterBegins: number
  readonly afterMs: number
}

const schedules = fc.record({
  sends: fc.integer({ min: 1, max: 12 }),
  maxInFlight: fc.constantFrom(1, 4, 16, 64),
  mostMs: fc.integer({ min: 0, max: 10 }),
  blows: fc.array(
    fc.record<Blow>({
      kind: fc.constantFrom('kill', 'kill', 'kill', 'terminate', 'freeze'),
      isForActive: fc.constantFrom(true, true, false),
      afterBegins: fc.integer({ min: 1, max: 120 }),
      afterMs: fc.integer({ min: 0, max: 60 }),
    }),
    { minLength: 3, maxLength: 6 },
  ),
})

/** Appends events until told to end, unless the consumers are far behind. */
function appendAllTheWhile({ pcs, journal }: ConsumerWorld): { end(): void } {
  const timer = setInterval(() => {
    if (pcs.length - journal.ended.size < 200) pcs.append(1 + Math.floor(Math.random() * 12))
  }, 15)
  return { end: () => clearInterval(timer) }
}

/** Deals one blow. @returns the fence that was given back in good order */
async function strike(world: ConsumerWorld, { kind, isForActive, afterBegins, afterMs }: Blow): Promise<number[]> {
  const begun = world.journal.begins.length
  await until(() => world.journal.begins.length >= begun + afterBegins, 'more events are begun')
  await elapse(afterMs)
  const alive = world.processes.filter(({ isAlive }) => isAlive)
  const active = alive.find(({ isActive }) => isActive)
  const victim = isForActive ? (active ?? alive[0]) : alive.find((one) => one !== active)
  if (victim === undefined) return []
  if (kind === 'freeze') await freeze(victim)
  else if (kind === 'kill') await victim.kill()
  else return terminate(victim)
  return []
}

async function freeze(victim: ConsumerProcess): Promise<void> {
  victim.signal('SIGSTOP')
  await elapse(1.3 * LEASE_MS)
  victim.signal('SIGCONT')
}

async function terminate(victim: ConsumerProcess): Promise<number[]> {
  // One that has just been started does not listen to the signal yet.
  await until(() => victim.told.some(({ type }) => type === 'ready'), `${victim.pid} is ready`)
  const wasActive = victim.isActive
  const { code } = await victim.end()
  expect([code, victim.errors()]).toEqual([0, ''])
  const last = victim.told.findLast(({ type }) => type === 'active' || type === 'standby')
  return wasActive && last?.type === 'active' && last.fence !== undefined ? [last.fence] : []
}

describeWithRedis('consume() under random kills', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await redisForTests()
  })

  test('every event is handled, in order for each send; redeliveries are bounded, and the checkpoint never moves back', async () => {
    const schedule = fc.asyncProperty(schedules, async ({ sends, maxInFlight, mostMs, blows }) => {
      const world = await startConsumerWorld({
        redis: redis.url,
        keyPrefix: redis.prefix(),
        sends,
        consume: { name: NAME, maxInFlight, leaseMs: LEASE_MS, drainMs: 5_000 },
        handling: { mostMs },
      })
      const watch = watchCheckpoint(redis.client, world.storePrefix, NAME, world.journal)
      const appending = appendAllTheWhile(world)
      try {
        for (let i = 0; i < 3; i++) world.start()
        const clean = new Set<number>()
        for (const blow of blows) {
          for (const fence of await strike(world, blow)) clean.add(fence)
          while (world.processes.filter(({ isAlive }) => isAlive).length < 3) world.start()
        }
        appending.end()
        await world.untilAllHandled()
        await watch.stop()
        expect(world.complaints({ maxInFlight, clean })).toEqual([])
        expect(watch.complaints).toEqual([])
        expect(world.processes.map((one) => one.errors()).join('')).toBe('')
      } finally {
        appending.end()
        await watch.stop()
        await world.close()
      }
    })
    // A smaller schedule that fails would take minutes to find, and need not fail twice.
    await fc.assert(schedule, { numRuns: RUNS, endOnFailure: true })
  })
})
