import { afterEach, describe, expect, test } from '@jest/globals'
import { type PcsFault, type PcsSwitches, type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { createMessaging, type Messaging, type MessagingEvent } from '../../../src/messaging/index.js'
import { untilTurned } from './support/clock.js'

const FOUR = [1, 2, 3, 4].map((last) => ({ ppnum: `1230000000${last}`, vars: { name: 'Alex' } }))
const open: { messaging: Messaging; sandbox: Sandbox }[] = []
afterEach(async () => {
  for (const { messaging, sandbox } of open.splice(0)) {
    await messaging.close()
    await sandbox.close()
  }
})

/** A sandbox whose log begins with the events of one send to the four test numbers. */
async function start(switches: Partial<PcsSwitches> = {}) {
  const sandbox = await startSandbox({ pasPort: 0, pcsPort: 0, pcsConsentMs: 10, pcsStepMs: 10, ...switches })
  const address = sandbox.pcs
  if (!address) throw new Error('no messaging service')
  const { prefixUrl: apiUrl, tokenUrl, clientId, clientSecret } = address
  const messaging = createMessaging({ apiUrl, tokenUrl, clientId, clientSecret })
  open.push({ messaging, sandbox })
  const { id } = await messaging.send({ templateId: 'tpl_sandbox_welcome', recipients: FOUR })
  await messaging.waitFor(id)
  const ids = sandbox.control.pcs.events.map(({ event_id: eventId }) => eventId)
  return { sandbox, control: sandbox.control.pcs, messaging, sendRequestId: id, ids }
}

async function read(events: AsyncIterator<MessagingEvent>, count: number): Promise<MessagingEvent[]> {
  const all: MessagingEvent[] = []
  while (all.length < count) {
    const { value, done } = await events.next()
    if (done) break
    all.push(value)
  }
  return all
}

const METHOD = 'StreamSendRequestEvents'
const idsOf = (events: readonly MessagingEvent[]): string[] => events.map(({ eventId }) => eventId)

test('events report the outcome of a send', async () => {
  const { messaging, sendRequestId, ids } = await start({ pcsStreamStart: 'all' })
  const events = await read(messaging.events({ sendRequestId }), ids.length)
  expect(idsOf(events)).toEqual(ids)
  expect(events.every(({ occurredAt }) => Math.abs(Number(occurredAt) - Date.now()) < 60_000)).toBe(true)
  const of = (type: string): readonly MessagingEvent[] => events.filter((event) => event.type === type)
  expect(of('recipient_delivered')[0]).toEqual({
    eventId: expect.any(String),
    sendRequestId,
    type: 'recipient_delivered',
    recipient: { ppnum: '12300000001', messageId: expect.any(String) },
    occurredAt: expect.any(Date),
  })
  expect(of('recipient_failed')[0]?.recipient).toEqual({ ppnum: '12300000004', errorCode: expect.any(String) })
  expect(of('recipient_pending_consent').length).toBe(2)
  expect([of('consent_granted').length, of('consent_denied').length]).toEqual([1, 1])
  expect(of('request_completed')).toEqual([
    {
      eventId: expect.any(String),
      sendRequestId,
      type: 'request_completed',
      summary: { delivered: expect.any(Number), failed: expect.any(Number) },
      occurredAt: expect.any(Date),
    },
  ])
})

describe('faults', () => {
  test.each<readonly [string, PcsFault]>([
    ['ends after each event', { kind: 'end-after', events: 1 }],
    ['ends with a status', { kind: 'status', code: 'UNAVAILABLE', events: 3 }],
    ['drops the connection', { kind: 'drop', events: 3 }],
    ['resets the stream', { kind: 'rst', events: 3 }],
    ['sends everything twice', { kind: 'duplicate' }],
  ])('a stream that %s: every event once, in order', async (_what, fault) => {
    const { control, messaging, ids } = await start({ pcsStreamStart: 'all' })
    control.inject({ method: METHOD, fault, times: 3 })
    const events = messaging.events()
    expect(idsOf(await read(events, ids.length))).toEqual(ids)
    await events.return?.()
    await untilTurned(() => control.activeStreams.length === 0)
  })

  test('a stream out of order: every event once', async () => {
    const { control, messaging, ids } = await start({ pcsStreamStart: 'all' })
    control.inject({ method: METHOD, fault: { kind: 'out-of-order' }, times: 'until-cleared' })
    const events = messaging.events()
    const got = idsOf(await read(events, ids.length))
    expect(got).not.toEqual(ids)
    expect([...got].sort()).toEqual(ids)
    // Goes on after what came last, and what is sent once more is not handed out again.
    control.clearFaults()
    control.endStreams()
    const next = events.next()
    await untilTurned(() => control.activeStreams[0]?.afterEventId !== undefined)
    expect(control.activeStreams[0]?.afterEventId).toBe(got.at(-1))
    const { id } = await messaging.send({ templateId: 'tpl_sandbox_welcome', recipients: FOUR.slice(0, 1) })
    expect((await next).value).toMatchObject({ sendRequestId: id })
    await events.return?.()
  })

  test('an event of an unknown type has the type unknown', async () => {
    const { control, messaging, ids } = await start({ pcsStreamStart: 'all' })
    control.inject({ method: METHOD, fault: { kind: 'unknown-enum' } })
    const events = messaging.events()
    const got = await read(events, ids.length)
    expect(idsOf(got)).toEqual(ids)
    expect(new Set(got.map(({ type }) => type))).toEqual(new Set(['unknown']))
    await events.return?.()
  })
})

test('a service that restarts: the stream resumes where it was', async () => {
  const { sandbox, control, messaging, ids } = await start({ pcsStreamStart: 'all' })
  const told: string[] = []
  const events = messaging.events({
    onDisconnected: ({ reason }) => told.push(reason),
    onResumed: ({ after }) => told.push(`after ${after}`),
  })
  await read(events, ids.length)
  const next = events.next()
  await sandbox.restartPcs({ downMs: 300 })
  await untilTurned(() => control.activeStreams.length === 1)
  const { id } = await messaging.send({ templateId: 'tpl_sandbox_welcome', recipients: FOUR.slice(0, 1) })
  expect((await next).value).toMatchObject({ sendRequestId: id })
  expect(told).toEqual(['failed', `after ${ids.at(-1)}`])
  await events.return?.()
})

test.each([
  ['not-found', 5],
  ['out-of-range', 11],
] as const)('a cursor that PCS has forgotten (%s): cursor_lost', async (pcsUnknownCursor, grpcCode) => {
  const { control, messaging, ids } = await start({ pcsUnknownCursor })
  control.forgetOldestEvents(5)
  const events = messaging.events({ after: ids[1] ?? '' })
  await expect(events.next()).rejects.toMatchObject({ code: 'cursor_lost', grpcCode })
})

test('tokens that expire are replaced', async () => {
  const { control, messaging, ids } = await start({ pcsStreamStart: 'all' })
  const events = messaging.events()
  await read(events, 2)
  control.expireTokens()
  control.endStreams({ code: 'UNAUTHENTICATED' })
  expect(idsOf(await read(events, ids.length - 2))).toEqual(ids.slice(2))
  await events.return?.()
})
