import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals'
import { type BuiltLibrary, buildLibrary } from '../../../support/built-library.js'
import { describeWithRedis, redisForTests, type TestRedis } from '../../../support/redis.js'
import { type Proxy, startProxy } from '../../../support/redis-proxy.js'
import { until } from '../support/log.js'
import { type ConsumerProcess, nowMs, type Told } from './support/consumer-process.js'
import { type CheckpointWatch, watchCheckpoint } from './support/watch-checkpoint.js'
import { type ConsumerWorld, startConsumerWorld } from './support/world.js'

jest.setTimeout(60_000)

const LEASE_MS = 1_500
const NAME = 'take-over'
const MAX_IN_FLIGHT = 16

describeWithRedis('consume() in two and three processes', () => {
  let library: BuiltLibrary
  let redis: TestRedis
  let world: ConsumerWorld
  let watch: CheckpointWatch
  let appending: NodeJS.Timeout
  beforeAll(async () => {
    library = await buildLibrary()
    redis = await redisForTests()
  }, 60_000)
  afterAll(() => library.remove())
  beforeEach(async () => {
    world = await startConsumerWorld({
      library: library.path,
      redis: redis.url,
      keyPrefix: redis.prefix(),
      sends: 40,
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
  async function begin(count: number): Promise<{ active: ConsumerProcess; others: readonly ConsumerProcess[] }> {
    for (let i = 0; i < count; i++) world.start()
    await Promise.all(world.processes.map((one) => one.untilTold('ready')))
    const active = await world.active()
    await begunBy(active)
    return { active, others: world.processes.filter((one) => one !== active) }
  }
  /** Until more events are begun by a process than it has now. */
  async function begunBy(one: ConsumerProcess, more = 20): Promise<void> {
    const count = (): number => world.journal.begins.filter(({ pid }) => pid === one.pid).length
    const before = count()
    await until(() => count() >= before + more, `${one.pid} begins events`)
  }
  async function heirOf(others: readonly ConsumerProcess[]): Promise<ConsumerProcess> {
    await until(() => others.some(({ isActive }) => isActive), 'another one is active')
    return others.find(({ isActive }) => isActive) as ConsumerProcess
  }
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

  test('one is active; when it is killed another one is within the lease and two seconds', async () => {
    const { active, others } = await begin(3)
    expect((await Promise.all(others.map((one) => one.report()))).map(({ isActive }) => isActive)).toEqual([
      false,
      false,
    ])
    const killedAt = nowMs()
    await active.kill()
    const heir = await heirOf(others)
    expect(toldActive(heir)?.at).toBeLessThan(killedAt + LEASE_MS + 2_000)
    await begunBy(heir)
    const rest = others.filter((one) => one !== heir)
    await heir.kill()
    await begunBy(await heirOf(rest))
    await expectAllWell()
  })

  test('after SIGTERM another one is active within a second and a half, and no event comes twice', async () => {
    const { active, others } = await begin(2)
    const [first] = [toldActive(active)?.fence]
    const stoppedAt = nowMs()
    const { code } = await active.end()
    expect(code).toBe(0)
    const heir = await heirOf(others)
    expect(toldActive(heir)?.at).toBeLessThan(stoppedAt + 1_500)
    await begunBy(heir)
    await expectAllWell([first])
    expect(world.journal.repeats).toBe(0)
  })

  test('one that was frozen for longer than its lease begins nothing when it wakes, saves nothing, and stands by', async () => {
    const { active, others } = await begin(2)
    active.signal('SIGSTOP')
    const heir = await heirOf(others)
    await begunBy(heir, 50)
    const before = world.journal.lines.length
    active.signal('SIGCONT')
    await active.untilTold('standby')
    await begunBy(heir, 50)
    const late = world.journal.lines.slice(before).filter(({ pid }) => pid === active.pid)
    expect(late.filter(({ what }) => what === 'begin')).toEqual([])
    expect((await active.report()).isActive).toBe(false)
    // It is in line again, not merely quiet.
    await heir.kill()
    await active.untilTold('active', 2)
    await begunBy(active)
    await expectAllWell()
  })

  test('what one sent to Redis before it lost its lease, and arrives after another one went on, changes nothing', async () => {
    const proxy: Proxy = await startProxy(Number(new URL(redis.url).port))
    try {
      const far = world.start({ client: { redis: `redis://127.0.0.1:${proxy.port}` } })
      await far.untilTold('active')
      await begunBy(far)
      const near = world.start()
      await near.untilTold('ready')
      proxy.hold()
      // It begins no more than it may before it saves: so it has sent that.
      const open = (): number => world.journal.lines.reduce((sum, { what }) => sum + (what === 'begin' ? 1 : -1), 0)
      await begunBy(far, 1)
      await until(() => open() === 0, 'all that was begun is done')
      await far.kill()
      await heirOf([near])
      const saved = watch.place
      await until(() => watch.place > saved + 100, 'the next one saves')
      proxy.letGo()
      await begunBy(near, 50)
      await expectAllWell()
    } finally {
      await proxy.close()
    }
  })
})
