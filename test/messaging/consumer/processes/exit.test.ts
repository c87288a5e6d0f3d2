import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { allowed } from '../../../support/allowed.js'
import { describeWithOwnRedis, type RedisServer, startRedis } from '../../../support/redis.js'
import { until } from '../../../support/until.js'
import type { ConsumerProcess, ProcessOptions } from './support/consumer-process.js'
import { type ConsumerWorld, startConsumerWorld } from './support/world.js'

const DRAIN_MS = 1_500
/** Without load it is below two; what counts is that it does end. */
const EXIT_LIMIT_MS = 5_000
const CALM = { mostMs: 0 }

describeWithOwnRedis('after stop() and close(), a consumer process exits by itself', () => {
  let server: RedisServer
  let world: ConsumerWorld
  beforeEach(async () => {
    server = await startRedis()
    world = await startConsumerWorld({
      redis: server.url,
      keyPrefix: 'ppoppo:',
      sends: 10,
      consume: { name: 'exit', drainMs: DRAIN_MS, leaseMs: 3_000 },
      handling: CALM,
    })
    world.pcs.append(200)
  })
  afterEach(async () => {
    await world.close()
    await server.stop()
  })

  /** One that has handled events. */
  async function startActive(more: Partial<ProcessOptions> = {}): Promise<ConsumerProcess> {
    const one = world.start(more)
    await until(() => world.journal.ended.size > 0, 'events are handled')
    return one
  }
  async function expectExit(one: ConsumerProcess, limitMs = EXIT_LIMIT_MS): Promise<void> {
    const { code, tookMs } = await one.end()
    expect([code, one.errors()]).toEqual([0, ''])
    expect(tookMs).toBeLessThan(await allowed(limitMs))
  }

  test('active, and on standby', async () => {
    const active = await startActive()
    const standby = world.start()
    await standby.untilTold('ready')
    await standby.report()
    await expectExit(standby)
    await expectExit(active)
  })

  test('with running handlers, after drainMs', async () => {
    const active = world.start({ handling: { leastMs: 30_000, mostMs: 40_000 } })
    await until(() => world.journal.begins.length >= 10, 'events are begun')
    // The script's own handlers still wait: the library does not, and what keeps the process is not the library's.
    active.signal('SIGTERM')
    const [ending, ended] = [await active.untilTold('ending'), await active.untilTold('ended')]
    expect(ended.at - ending.at).toBeGreaterThan(DRAIN_MS - 50)
    expect(ended.at - ending.at).toBeLessThan(await allowed(DRAIN_MS + EXIT_LIMIT_MS))
  })

  test('while Redis hangs, and while it is gone', async () => {
    const hung = await startActive()
    server.pause()
    await expectExit(hung, DRAIN_MS + EXIT_LIMIT_MS)
    server.resume()

    const gone = world.start()
    await gone.untilTold('active')
    await server.kill()
    await expectExit(gone, DRAIN_MS + EXIT_LIMIT_MS)

    const late = world.start()
    await late.untilTold('standby')
    await expectExit(late, DRAIN_MS + EXIT_LIMIT_MS)
  })

  test('while PCS is gone, with a position still to save', async () => {
    const one = await startActive()
    world.pcs.close()
    await one.untilTold('disconnected')
    await expectExit(one)
    const next = world.start()
    await next.untilTold('active')
    await expectExit(next)
  })

  test('as one of several workers', async () => {
    const consume = { fanOut: true }
    const active = await startActive({ consume })
    const other = world.start({ consume })
    await other.untilTold('ready')
    await other.report()
    await expectExit(other)
    server.pause()
    await expectExit(active, DRAIN_MS + EXIT_LIMIT_MS)
    server.resume()
  })
})
