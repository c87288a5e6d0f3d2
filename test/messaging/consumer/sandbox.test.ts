import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import {
  type ConsumeOptions,
  createMessaging,
  type Messaging,
  type MessagingEvent,
} from '../../../src/messaging/index.js'
import { allowed } from '../../support/allowed.js'
import { describeWithRedis, redisForTests, type TestRedis } from '../../support/redis.js'
import { until } from '../../support/until.js'

const RECIPIENTS = [1, 2, 3, 4].map((last) => ({ ppnum: `1230000000${last}`, vars: { name: 'Alex' } }))

describeWithRedis('consume() against the sandbox, with Redis', () => {
  let sandbox: Sandbox
  let redis: TestRedis
  let keyPrefix: string
  const clients: Messaging[] = []

  beforeAll(async () => {
    redis = await redisForTests()
    keyPrefix = redis.prefix()
    sandbox = await startSandbox({ pasPort: 0, pcsPort: 0, pcsStepMs: 5, pcsConsentMs: 20 })
  })
  afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())))
  afterAll(() => sandbox.close())

  const connect = (): Messaging => {
    if (!sandbox.pcs) throw new Error('no messaging service')
    const { url: apiUrl, tokenUrl, clientId, clientSecret } = sandbox.pcs
    const client = createMessaging({ apiUrl, tokenUrl, clientId, clientSecret, redis: redis.url, keyPrefix })
    clients.push(client)
    return client
  }
  /** Sends, and waits until all that happens has happened. */
  const send = async (client: Messaging): Promise<void> => {
    const { id } = await client.send({ templateId: 'tpl_sandbox_welcome', recipients: RECIPIENTS })
    await client.waitFor(id)
  }
  const logged = (): string[] => (sandbox.control.pcs?.events ?? []).map(({ event_id: id }) => id)
  const idsOf = (events: readonly MessagingEvent[]): string[] => events.map(({ eventId }) => eventId)

  test('one of two clients is active; when it is closed the other one continues at once, and no event is lost or repeated', async () => {
    const handled: MessagingEvent[] = []
    const options: ConsumeOptions = { name: randomUUID(), handler: (event) => handled.push(event), leaseMs: 60_000 }
    const [one, two] = [connect(), connect()]
    const [first, second] = [one.consume(options), two.consume(options)]
    await until(() => first.isActive || second.isActive, 'one is active')
    expect([first.storage, first.isActive, second.isActive]).toEqual(['redis', first.isActive, !first.isActive])
    await send(one)
    await until(() => handled.length === logged().length, 'all are handled')

    const [leaving, staying] = first.isActive ? [one, two] : [two, one]
    await leaving.close()
    await send(staying)
    await until(() => handled.length === logged().length, 'all are handled by the other', await allowed(2_500))
    expect(idsOf(handled)).toEqual(logged())
    expect(handled.map(({ type }) => type)).toEqual(expect.arrayContaining(['consent_granted', 'consent_denied']))
    expect(handled.at(-1)).toMatchObject({ type: 'request_completed', summary: { delivered: 2, failed: 2 } })
  })

  test('the workers of a fan-out share the events', async () => {
    const byWorker: MessagingEvent[][] = [[], []]
    const name = randomUUID()
    const [client] = byWorker.map((handled) => {
      const worker = connect()
      worker.consume({ name, fanOut: true, maxInFlight: 1, handler: (event) => handled.push(event) })
      return worker
    })
    for (let i = 0; i < 5; i++) await send(client as Messaging)
    await until(() => byWorker.flat().length === logged().length, 'all are handled')
    expect(idsOf(byWorker.flat()).sort()).toEqual(logged())
    for (const handled of byWorker) expect(handled.length).toBeGreaterThan(0)
  })

  test('dead letters can be read, replayed and removed by any client', async () => {
    const name = randomUUID()
    const client = connect()
    let failures = 0
    client.consume({
      name,
      maxAttempts: 1,
      handler: ({ type }) => {
        if (type !== 'request_completed') return
        failures++
        throw new Error('the ledger is closed')
      },
    })
    const before = logged().length
    await send(client)
    await until(() => failures > 0, 'it failed')
    await client.close()

    const letters = connect().deadLetters(name)
    const all = await letters.list()
    expect(await letters.count()).toBe(failures)
    expect(all.at(-1)).toEqual({
      event: expect.objectContaining({
        eventId: logged().at(-1),
        type: 'request_completed',
        occurredAt: expect.any(Date),
      }),
      error: 'Error: the ledger is closed',
      attempts: 1,
      failedAt: expect.any(Date),
    })
    expect(await letters.replay(() => Promise.reject(new Error('still')))).toEqual({ replayed: 0, failed: failures })
    const taken: MessagingEvent[] = []
    expect(await letters.replay((event) => taken.push(event))).toEqual({ replayed: failures, failed: 0 })
    expect(taken).toEqual(all.map(({ event }) => event))
    expect(await letters.list()).toEqual([])
    expect(await letters.remove(taken[0]?.eventId ?? '')).toBe(false)
    expect(before).toBeLessThan(logged().length)
  })
})
