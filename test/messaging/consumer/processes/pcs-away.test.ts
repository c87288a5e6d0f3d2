import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type PcsFault, type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { createMessaging, type Messaging } from '../../../../src/messaging/index.js'
import { describeWithRedis, redisForTests, type TestRedis } from '../../../support/redis.js'
import { until } from '../../../support/until.js'
import { startTcpProxy } from '../../hostile/tcp-proxy.js'
import type { ConsumerProcess, ProcessOptions } from './support/consumer-process.js'
import { judgeJournal } from './support/judge-journal.js'
import { type ConsumerWorld, startConsumerWorld } from './support/world.js'

const MAX_IN_FLIGHT = 16
/** Not what these tests are about: long enough for a process that gets no processor for a while. */
const LEASE_MS = 30_000
/** Of a connection that is found dead: nor may one be that is only slow, as its process has no processor for a while. */
const KEEPALIVE = { timeMs: 1_000, timeoutMs: 8_000 }
const RECIPIENTS = Array.from({ length: 60 }, (_, i) => ({ ppnum: `123000000${10 + i}`, vars: { name: 'Alex' } }))

describeWithRedis('consume() while PCS is in trouble', () => {
  let redis: TestRedis
  let sandbox: Sandbox
  let world: ConsumerWorld
  let sender: Messaging
  beforeAll(async () => {
    redis = await redisForTests()
  })
  beforeEach(async () => {
    sandbox = await startSandbox({ pasPort: 0, pcsPort: 0, pcsStepMs: 250 })
    world = await startConsumerWorld({
      redis: redis.url,
      keyPrefix: redis.prefix(),
      consume: { name: 'pcs-away', maxInFlight: MAX_IN_FLIGHT, leaseMs: LEASE_MS },
      handling: { mostMs: 5 },
    })
    sender = createMessaging(address())
  })
  afterEach(async () => {
    await sender.close()
    await world.close()
    await sandbox.close()
  })

  const address = (): { apiUrl: string; tokenUrl: string; clientId: string; clientSecret: string } => {
    if (!sandbox.pcs) throw new Error('no messaging service')
    const { url: apiUrl, tokenUrl, clientId, clientSecret } = sandbox.pcs
    return { apiUrl, tokenUrl, clientId, clientSecret }
  }
  const { pcs } = { pcs: () => sandbox.control.pcs }
  const logged = (): string[] => pcs().events.map(({ event_id: id }) => id)
  const start = ({ client, consume }: Partial<ProcessOptions> = {}): ConsumerProcess =>
    world.start({ client: { ...address(), ...client }, consume: { ...consume } })
  const send = (): Promise<unknown> => sender.send({ templateId: 'tpl_sandbox_welcome', recipients: RECIPIENTS })
  /** Until the sends are over and all their events are handled. */
  async function untilAllHandled(): Promise<void> {
    await until(() => pcs().sends.every(({ status }) => status === 'COMPLETED'), 'all sends are over')
    await until(() => logged().every((id) => world.journal.ended.has(id)), 'all events are handled')
  }
  const faults = (fault: PcsFault, times: number | 'until-cleared' = 'until-cleared'): void =>
    pcs().inject({ method: 'StreamSendRequestEvents', fault, times })
  function expectOnceEach(): void {
    expect(judgeJournal(world.journal.lines, { ids: logged(), maxInFlight: MAX_IN_FLIGHT })).toEqual([])
    expect(world.journal.repeats).toBe(0)
  }
  /** Once the one consumer was active, it stayed so; on a busy machine it may find Redis at its second try. */
  const expectStayed = ({ told, errors }: ConsumerProcess): void => {
    const turns = told.map(({ type }) => type).filter((type) => ['active', 'standby', 'closed'].includes(type))
    expect(turns.slice(turns.indexOf('active'))).toEqual(['active'])
    expect(errors()).toBe('')
  }

  test('PCS restarts in the middle of sends, and is away for a while', async () => {
    const consumer = start()
    await consumer.untilTold('connected')
    for (const downMs of [0, 1_500]) {
      await send()
      await send()
      await until(() => pcs().events.length > 0, 'something happens')
      await sandbox.restartPcs({ downMs })
      await consumer.untilTold('resumed', downMs === 0 ? 1 : 2)
    }
    await untilAllHandled()
    expectOnceEach()
    expectStayed(consumer)
  })

  test('a connection that is silently dead', async () => {
    const proxy = await startTcpProxy(() => sandbox.pcs?.port ?? 0)
    try {
      const consumer = start({ client: { apiUrl: proxy.url, keepalive: KEEPALIVE } })
      await consumer.untilTold('connected')
      await send()
      await until(() => world.journal.ended.size > 0, 'some are handled')
      proxy.set('blackhole')
      await consumer.untilTold('disconnected')
      await send()
      proxy.set('pass')
      await untilAllHandled()
      expectOnceEach()
      expectStayed(consumer)
    } finally {
      await proxy.close()
    }
  })

  test('PCS ends twenty streams after a second each: no warning, no busy loop, and nothing is lost', async () => {
    faults({ kind: 'end-every', everyMs: 1_000 })
    const consumer = start()
    const { at: connectedAt } = await consumer.untilTold('connected')
    const before = await consumer.report()
    for (let ending = 1; ending <= 20; ending++) {
      await send()
      await consumer.untilTold('resumed', ending)
    }
    const resumed = consumer.told.filter(({ type }) => type === 'resumed')
    expect(resumed.length).toBeLessThan(((resumed.at(-1)?.at ?? 0) - connectedAt) / 1_000 + 10)
    await untilAllHandled()
    expectOnceEach()
    expectStayed(consumer)
    expect((await consumer.report()).rss - before.rss).toBeLessThan(60e6)
  })

  test.each<PcsFault>([
    { kind: 'end-after', events: 17 },
    { kind: 'duplicate' },
    { kind: 'out-of-order' },
    { kind: 'status', code: 'UNAVAILABLE', events: 31 },
    { kind: 'rst', events: 13 },
  ])('streams that go wrong: %j', async (fault) => {
    // What is cut off like this may bring no event at all, and each time the pause is longer.
    faults(fault, fault.kind === 'rst' ? 3 : 'until-cleared')
    await send()
    const consumer = start()
    await send()
    await untilAllHandled()
    expect([...world.journal.begunIds].sort()).toEqual(logged())
    if (fault.kind !== 'out-of-order') expectOnceEach()
    expectStayed(consumer)
  })

  describe('PCS no longer knows the position', () => {
    /** A consumer has handled all there was, and PCS has forgotten most of it, the place among it. */
    async function loseCursor(consumer: ConsumerProcess): Promise<readonly string[]> {
      await send()
      await untilAllHandled()
      await consumer.end()
      const handled = logged()
      await send()
      await until(() => pcs().sends.every(({ status }) => status === 'COMPLETED'), 'the send is over')
      pcs().forgetOldestEvents(handled.length + 20)
      return handled
    }

    test('with "fail", the consumer stops with an error, and leaves its turn to another one', async () => {
      await loseCursor(start())
      const failing = start()
      const told = await failing.untilTold('closed')
      expect(told).toMatchObject({ code: 'cursor_lost' })
      // The warning comes by another pipe.
      await until(() => failing.errors().includes('\n'), 'it warns')
      expect(failing.errors()).toMatch(/PpoppoWarning: The consumer pcs-away has stopped: .*does not know/)
      const next = start({ consume: { onCursorLost: 'earliest' } })
      // It did not have to wait until a lease ran out.
      expect((await next.untilTold('active')).at).toBeLessThan((await next.untilTold('ready')).at + LEASE_MS / 2)
    })

    test('with "earliest", the consumer handles what is left and what follows, each once', async () => {
      await loseCursor(start())
      const consumer = start({ consume: { onCursorLost: 'earliest' } })
      await untilAllHandled()
      await send()
      await untilAllHandled()
      // And once more, while it is at work.
      pcs().forgetOldestEvents(logged().length)
      pcs().endStreams()
      await send()
      await untilAllHandled()
      expectOnceEach()
      expectStayed(consumer)
    })

    test.each(['not-found', 'out-of-range'] as const)(
      'latest, told by %s: what was before is passed over',
      async (way) => {
        const handled = await loseCursor(start())
        sandbox.control.set({ pcsUnknownCursor: way })
        const missed = logged()
        // A while ago: the server tells its time in whole seconds, and what may have happened since is handled.
        for (const event of pcs().events) {
          Object.assign(event, { occurred_at: new Date(Date.parse(event.occurred_at) - 60_000).toISOString() })
        }
        const consumer = start({ consume: { onCursorLost: 'latest' } })
        await until(
          () => pcs().activeStreams.some(({ sent }) => sent === missed.length),
          'the stream has been reopened',
        )
        await send()
        await until(() => pcs().sends.every(({ status }) => status === 'COMPLETED'), 'the send is over')
        const fresh = logged().slice(missed.length)
        await until(() => fresh.every((id) => world.journal.ended.has(id)), 'what is new is handled')
        expect(world.journal.begunIds).toHaveLength(handled.length + fresh.length)
        expectStayed(consumer)
      },
    )
  })
})
