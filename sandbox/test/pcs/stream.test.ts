import { connect as connectHttp2 } from 'node:http2'
import { status } from '@grpc/grpc-js'
import { describe, expect, test } from '@jest/globals'
import { elapse } from '../../../test/support/until.js'
import type { PcsFault, Sandbox } from '../../src/index.js'
import { isUlid } from '../../src/lib/ulid.js'
import {
  connect,
  fetchToken,
  isComplete,
  type Message,
  numbers,
  pcsSandbox,
  readUntil,
  SEND,
  sendTo,
} from './client.js'

const METHOD = 'StreamSendRequestEvents'
const idsOf = (events: readonly Message[]): string[] => events.map((event) => String(event['event_id']))
const knownIds = (sandbox: Sandbox): string[] => sandbox.control.pcs.events.map(({ event_id: id }) => id)
const turn = (): Promise<void> => new Promise(setImmediate)

/** A sandbox whose log holds a finished send to ten numbers: eleven events. */
async function withEvents(options: Parameters<typeof pcsSandbox>[0] = {}, fault?: PcsFault) {
  const { sandbox, pcs } = await pcsSandbox(options)
  const client = await connect(pcs)
  await client.call(SEND, { template_id: 'tpl_sandbox_welcome', recipients: numbers(10) })
  while (sandbox.control.pcs.events.length < 11) await turn()
  if (fault !== undefined) sandbox.control.pcs.inject({ method: METHOD, fault })
  return { sandbox, pcs, client, ids: knownIds(sandbox) }
}

describe('the event stream', () => {
  test('ids are ULIDs that only go up; times are RFC 3339', async () => {
    const { client, ids } = await withEvents()
    const { events } = await readUntil(client.stream({}), isComplete)
    expect(idsOf(events)).toEqual(ids)
    expect([...ids].sort()).toEqual(ids)
    expect(new Set(ids).size).toBe(11)
    expect(ids.every(isUlid)).toBe(true)
    expect(events.at(-1)).toMatchObject({
      event_type: 'REQUEST_COMPLETED',
      recipient: null,
      summary: { delivered: 10, failed: 0 },
      occurred_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    })
    expect(events[0]).toMatchObject({ recipient: { ppnum: '77700000000', message_id: expect.stringMatching(/^msg_/) } })
  })

  test('after_event_id is exclusive; send_request_id filters; the stream stays open and pushes', async () => {
    const { sandbox, client, ids } = await withEvents()
    const rest = await readUntil(client.stream({ after_event_id: ids[7] }), (events) => events.length === 3)
    expect(idsOf(rest.events)).toEqual(ids.slice(8))
    while (sandbox.control.pcs.activeStreams.length > 0) await turn()
    const live = readUntil(client.stream({ after_event_id: ids[10] }), isComplete)
    while (sandbox.control.pcs.activeStreams.length === 0) await turn()
    expect(sandbox.control.pcs.activeStreams).toEqual([
      { openedAt: expect.any(String), afterEventId: ids[10], sent: 0 },
    ])
    const own = await sendTo(client, '12300000004')
    expect(idsOf(own)).toEqual(knownIds(sandbox).slice(11))
    expect(idsOf((await live).events)).toEqual(idsOf(own))
    while (sandbox.control.pcs.activeStreams.length > 0) await turn()
  })

  test('without a cursor it begins with the oldest event, or with the next', async () => {
    const { sandbox, client } = await withEvents({ pcsStreamStart: 'new' })
    const live = readUntil(client.stream({}), isComplete)
    while (sandbox.control.pcs.activeStreams.length === 0) await turn()
    await client.call(SEND, { template_id: 'tpl_sandbox_welcome', recipients: numbers(1) })
    expect((await live).events).toHaveLength(2)
  })

  test.each([
    ['not-found', status.NOT_FOUND],
    ['out-of-range', status.OUT_OF_RANGE],
  ] as const)('a cursor that is not known: %s', async (pcsUnknownCursor, code) => {
    const { sandbox, client, ids } = await withEvents({ pcsUnknownCursor })
    const unknown = await readUntil(client.stream({ after_event_id: '01HQ0000000000000000000000' }))
    expect(unknown).toMatchObject({ events: [], status: { code } })
    sandbox.control.pcs.forgetOldestEvents(5)
    expect((await readUntil(client.stream({ after_event_id: ids[4] }))).status.code).toBe(code)
    const rest = await readUntil(client.stream({ after_event_id: ids[5] }), isComplete)
    expect(idsOf(rest.events)).toEqual(ids.slice(6))
  })

  test('or it starts over: from-start', async () => {
    const { client, ids } = await withEvents({ pcsUnknownCursor: 'from-start' })
    expect(idsOf((await readUntil(client.stream({ after_event_id: 'x' }), isComplete)).events)).toEqual(ids)
  })

  test('an unknown send request is NOT_FOUND, a missing token UNAUTHENTICATED', async () => {
    const { pcs, client } = await withEvents()
    expect((await readUntil(client.stream({ send_request_id: 'snd_x' }))).status.code).toBe(status.NOT_FOUND)
    const refused = await readUntil((await connect(pcs, null)).stream({}))
    expect(refused.status.code).toBe(status.UNAUTHENTICATED)
  })

  test('a reader that does not read holds the server back: little is buffered, and nothing is lost', async () => {
    const { sandbox, pcs, client } = await withEvents()
    const send = { template_id: 'tpl_sandbox_welcome', recipients: numbers(1000) }
    for (let i = 0; i < 5; i++) await client.call(SEND, send)
    while (sandbox.control.pcs.events.length < 11 + 5 * 1001) await turn()
    // By hand: a paused stream of grpc-js goes on reading, into its own memory.
    const session = connectHttp2(pcs.url)
    const authorization = `Bearer ${await fetchToken(pcs)}`
    const path = '/chat.external.ExternalMessageService/StreamSendRequestEvents'
    const headers = {
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization,
    }
    const stream = session.request(headers)
    stream.end(Buffer.alloc(5))
    const sentSoFar = (): number => sandbox.control.pcs.activeStreams[0]?.sent ?? 0
    for (let before = -1; before !== sentSoFar() || before === 0; ) {
      before = sentSoFar()
      await elapse(200) // it has stopped when nothing was sent for so long
    }
    expect(sentSoFar()).toBeLessThan(3000)
    stream.resume()
    while (sentSoFar() < 11 + 5 * 1001) await turn()
    session.destroy()
  })

  test('close() ends open streams, and so does the control', async () => {
    const { sandbox, client } = await withEvents()
    const streams = [readUntil(client.stream({})), readUntil(client.stream({}))]
    while (sandbox.control.pcs.activeStreams.length < 2) await turn()
    sandbox.control.pcs.endStreams()
    for (const { status: end } of await Promise.all(streams)) expect(end.code).toBe(status.OK)
    const refused = readUntil(client.stream({}))
    while (sandbox.control.pcs.activeStreams.length === 0) await turn()
    sandbox.control.pcs.endStreams({ code: 'UNAVAILABLE', details: 'going away' })
    expect((await refused).status).toMatchObject({ code: status.UNAVAILABLE, details: 'going away' })
    const cut = readUntil(client.stream({}))
    while (sandbox.control.pcs.activeStreams.length === 0) await turn()
    await sandbox.close()
    expect((await cut).status.code).toBe(status.UNAVAILABLE)
    expect(sandbox.control.pcs.activeStreams).toEqual([])
  })
})

describe('faults of a stream', () => {
  test('end-after: a clean end, from which the cursor goes on', async () => {
    const { client, ids } = await withEvents({}, { kind: 'end-after', events: 4 })
    const first = await readUntil(client.stream({}))
    expect([idsOf(first.events), first.status.code]).toEqual([ids.slice(0, 4), status.OK])
    const { events } = await readUntil(client.stream({ after_event_id: ids[3] }), isComplete)
    expect(idsOf(events)).toEqual(ids.slice(4))
  })

  test('end-every: a clean end after a while', async () => {
    const { client, ids } = await withEvents({}, { kind: 'end-every', everyMs: 50 })
    const { events, status: end } = await readUntil(client.stream({}))
    expect([events.length, end.code]).toEqual([ids.length, status.OK])
  })

  test('duplicate and out-of-order: nothing is lost', async () => {
    const { sandbox, client, ids } = await withEvents({}, { kind: 'duplicate' })
    const twice = await readUntil(client.stream({}), (events) => events.length === 22)
    expect(idsOf(twice.events)).toEqual(ids.flatMap((id) => [id, id]))
    sandbox.control.pcs.inject({ method: METHOD, fault: { kind: 'out-of-order' } })
    const mixed = idsOf((await readUntil(client.stream({}), (events) => events.length === 11)).events)
    expect(mixed.slice(0, 4)).toEqual([ids[1], ids[0], ids[3], ids[2]])
    expect([...mixed].sort()).toEqual(ids)
  })

  test.each([
    [{ kind: 'status', code: 'INTERNAL', events: 3 }, status.INTERNAL],
    [{ kind: 'drop', events: 3 }, status.UNAVAILABLE],
    [{ kind: 'rst', events: 3 }, status.INTERNAL],
    [{ kind: 'status', code: 'UNAVAILABLE' }, status.UNAVAILABLE],
  ] as const)('%j: status %s, after what was let through', async (fault, code) => {
    const { client } = await withEvents({}, fault)
    const { events, status: end } = await readUntil(client.stream({}))
    expect(end.code).toBe(code)
    // grpc-js drops what it has received and not handed over when a call fails.
    expect(events.length).toBeLessThanOrEqual('events' in fault ? fault.events : 0)
  })

  test('unknown-enum: an event type that no documentation has', async () => {
    const { client } = await withEvents({}, { kind: 'unknown-enum' })
    const { events } = await readUntil(client.stream({}), (read) => read.length === 11)
    expect(new Set(events.map((event) => event['event_type']))).toEqual(new Set([99]))
  })
})
