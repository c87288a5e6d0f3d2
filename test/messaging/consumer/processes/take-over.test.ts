import { isDeepStrictEqual } from 'node:util'
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { keysOfConsumer } from '../../../../src/store/redis/consumer/keys.js'
import { allowed } from '../../../support/allowed.js'
import { describeWithRedis, redisForTests, type TestRedis } from '../../../support/redis.js'
import { startProxy } from '../../../support/redis-proxy.js'
import { stays, until } from '../../../support/until.js'
import { type ConsumerProcess, nowMs, type Told } from './support/consumer-process.js'
import { type CheckpointWatch, watchCheckpoint } from './support/watch-checkpoint.js'
import { type ConsumerWorld, startConsumerWorld } from './support/world.js'

const LEASE_MS = 4_000
const NAME = 'take-over'
const MAX_IN_FLIGHT = 16
/** Fewer, so that a handler that ends lets the next event of its send begin, saved or not. */
const SENDS = 6

describeWithRedis('consume() in two and three processes', () => {
  let redis: TestRedis
  let world: ConsumerWorld
  let watch: CheckpointWatch
  let appending: NodeJS.Timeout
  beforeAll(async () => {
    redis = await redisForTests()
  })
  beforeEach(async () => {
    world = await startConsumerWorld({
      redis: redis.url,
      keyPrefix: redis.prefix(),
      sends: SENDS,
      consume: { name: NAME, leaseMs: LEASE_MS, maxInFlight: MAX_IN_FLIGHT, drainMs: 5_000 },
      handling: { leastMs: 5, mostMs: 25 },
    })
    watch = watchCheckpoint(redis.client, world.storePrefix, NAME, world.journal)
    appending = setInterval(() => world.pcs.append(1), 8)
  })
  afterEach(async () => {
    clearInterval(appending)
    await watch.stop()
    await world.close()
  })

  /** Starts processes, and waits until one of them handles events and the others stand by. */
  async function begin(
    count: number,
    leaseMs = LEASE_MS,
  ): Promise<{ active: ConsumerProcess; others: ConsumerProcess[] }> {
    for (let i = 0; i < count; i++) world.start({ consume: { leaseMs } })
    await Promise.all(world.processes.map((one) => one.untilTold('ready')))
    // On a busy machine the first one may lose its lease while the others start.
    const atWork = (): ConsumerProcess | undefined => world.processes.find((one) => one.isActive && countOf(one) >= 20)
    const active = await until(atWork, 'one is at work')
    return { active, others: world.processes.filter((one) => one !== active) }
  }
  const countOf = ({ pid }: ConsumerProcess): number => world.journal.begins.filter((line) => line.pid === pid).length
  /** Until more events are begun by a process than it has now. */
  async function begunBy(one: ConsumerProcess, more = 20): Promise<void> {
    const before = countOf(one)
    await until(() => countOf(one) >= before + more, `${one.pid} begins events`).catch((error: unknown) => {
      const told = world.processes.map(({ pid, told }) => ({ pid, told }))
      throw new Error(`${countOf(one)} instead of ${before + more}; ${JSON.stringify(told)}`, { cause: error })
    })
  }
  async function heirOf(others: readonly ConsumerProcess[]): Promise<ConsumerProcess> {
    await until(() => others.some(({ isActive }) => isActive), 'another one is active')
    return others.find(({ isActive }) => isActive) as ConsumerProcess
  }
  const place = () => redis.client.hgetall(keysOfConsumer(world.storePrefix, NAME).place)
  const toldActive = (one: ConsumerProcess): Told | undefined => one.told.findLast(({ type }) => type === 'active')
  async function expectAllWell(clean: readonly (number | undefined)[] = []): Promise<void> {
    clearInterval(appending)
    await world.untilAllHandled()
    await watch.stop()
    const given = clean.filter((fence) => fence !== undefined)
    expect(world.complaints({ maxInFlight: MAX_IN_FLIGHT, clean: new Set(given) })).toEqual([])
    expect(watch.complaints).toEqual([])
    expect(world.processes.map((one) => one.errors()).join('')).toBe('')
  }

  test('one is active; when it is killed, another one takes over within the lease and two seconds', async () => {
    const { active, others } = await begin(3)
    expect((await Promise.all(others.map((one) => one.report()))).map(({ isActive }) => isActive)).toEqual([
      false,
      false,
    ])
    const killedAt = nowMs()
    await active.kill()
    const heir = await heirOf(others)
    expect(toldActive(heir)?.at).toBeLessThan(killedAt + LEASE_MS + (await allowed(2_000)))
    await begunBy(heir)
    const rest = others.filter((one) => one !== heir)
    await heir.kill()
    await begunBy(await heirOf(rest))
    await expectAllWell()
  })

  test('after SIGTERM another one takes over within 1.5 seconds, and no event comes twice', async () => {
    const { active, others } = await begin(2, 30_000)
    const first = toldActive(active)?.fence
    const stoppedAt = nowMs()
    const { code } = await active.end()
    expect(code).toBe(0)
    const heir = await heirOf(others)
    expect(toldActive(heir)?.at).toBeLessThan(stoppedAt + (await allowed(1_500)))
    await begunBy(heir)
    await expectAllWell([first])
    expect(world.journal.repeats).toBe(0)
  })

  test('after SIGTERM no other process starts while a handler is running', async () => {
    const slow = world.start({ handling: { leastMs: 1_500, mostMs: 2_000 }, consume: { leaseMs: 30_000 } })
    const first = await slow.untilTold('active')
    await until(() => world.journal.begins.length >= SENDS, 'it has begun as much as it may')
    const next = world.start()
    await next.untilTold('ready')
    await slow.end()
    await begunBy(next)
    await expectAllWell([first.fence])
    expect(world.journal.repeats).toBe(0)
  })

  test('a process frozen for longer than its lease starts nothing when it wakes, saves nothing, and stands by', async () => {
    const { active, others } = await begin(2)
    // There is something to begin when it wakes.
    world.pcs.append(400)
    await begunBy(active, 40)
    active.signal('SIGSTOP')
    const old = toldActive(active)?.fence
    const heir = await heirOf(others)
    await begunBy(heir, 50)
    const before = world.journal.lines.length
    active.signal('SIGCONT')
    await active.untilTold('standby')
    await until(() => world.journal.lines.length > before + 100, 'the work goes on')
    const late = world.journal.lines.slice(before).filter(({ what, fence }) => what === 'begin' && fence === old)
    expect(late).toEqual([])
    // It is in line again, not merely quiet.
    await heir.kill()
    await active.untilTold('active', 2)
    await begunBy(active)
    await expectAllWell()
  })

  test('a process with nothing to save learns from its renewal that it has lost the lease', async () => {
    // Long enough for a busy machine: a renewal that takes too long says "store_unavailable".
    const leaseMs = 8_000
    const { active } = await begin(1, leaseMs)
    clearInterval(appending)
    await world.untilAllHandled()
    await until(() => watch.place === world.pcs.length - 1, 'all is saved')
    await redis.client.set(keysOfConsumer(world.storePrefix, NAME).lease, 'another', 'PX', leaseMs)
    expect(await active.untilTold('standby', 1, leaseMs)).toMatchObject({ reason: 'lease_lost' })
    await active.untilTold('active', 2)
    world.pcs.append(20)
    await expectAllWell()
    expect(world.journal.repeats).toBe(0)
  })

  test('a write from before the lease was lost that arrives after another process took over changes nothing', async () => {
    const proxy = await startProxy(Number(new URL(redis.url).port))
    try {
      const far = world.start({ client: { redis: `redis://127.0.0.1:${proxy.port}` } })
      await far.untilTold('active')
      await begunBy(far, 300)
      const near = world.start()
      await near.untilTold('ready')
      proxy.hold()
      // It begins no more than it may before it saves: so it has sent that, and was asked twice since.
      const open = (): number => world.journal.lines.reduce((sum, { what }) => sum + (what === 'begin' ? 1 : -1), 0)
      await begunBy(far, 1)
      await until(() => open() === 0, 'all that was begun is done')
      for (let i = 0; i < 2; i++) await far.report()
      await far.kill()
      const before = watch.place
      await heirOf([near])
      // It has saved less often than the other one, so that the number of the step does not tell which is older.
      await until(() => watch.place > before, 'the next one saves')
      near.signal('SIGSTOP')
      const saved = await place()
      proxy.release()
      await stays(async () => isDeepStrictEqual(await place(), saved), 'what the next one saved', 200)
      near.signal('SIGCONT')
      await begunBy(near, 50)
      await expectAllWell()
    } finally {
      await proxy.close()
    }
  })
})
