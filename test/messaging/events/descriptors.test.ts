import { afterEach, describe, expect, test } from '@jest/globals'
import { fromEvent } from '../../../src/messaging/wire/convert-event.js'
import { permuted, writeProto } from '../support/reflecting-pcs.js'
import { wireEvent } from './support/stream-pcs.js'
import { type EventsWorld, startEventsWorld } from './support/world.js'

const OF_EVENTS =
  /\n {2}(RECIPIENT_DELIVERED|RECIPIENT_FAILED|RECIPIENT_PENDING_CONSENT|CONSENT_GRANTED|CONSENT_DENIED|REQUEST_COMPLETED|POLL_RESPONSE_RECEIVED) =/g

let world: EventsWorld | undefined
let dispose = (): void => {}
afterEach(async () => {
  await world?.close()
  dispose()
})

describe("a vendor's own definition", () => {
  test.each<readonly [string, (text: string) => string, object]>([
    ['with other numbers, of the newer package', permuted, {}],
    [
      'with names that the enum is in front of',
      (text) => text.replace(OF_EVENTS, '\n  SEND_REQUEST_EVENT_TYPE_$1 ='),
      { event_type: 'SEND_REQUEST_EVENT_TYPE_RECIPIENT_DELIVERED' },
    ],
    [
      'with a Timestamp',
      (text) =>
        text
          .replace('import "google', 'import "google/protobuf/timestamp.proto";\nimport "google')
          .replace('string occurred_at = 6', 'google.protobuf.Timestamp occurred_at = 6'),
      { occurred_at: { seconds: '1767323045', nanos: 678_000_000 } },
    ],
    [
      'with numbers of 64 bits, and more than is documented',
      (text) =>
        text
          .replace('int32 delivered = 1', 'int64 delivered = 1')
          .replace('string occurred_at = 6;', 'string occurred_at = 6; string app_id = 60; bytes raw = 61;'),
      { app_id: 'app_1', raw: Buffer.from('raw') },
    ],
  ])('%s', async (_what, change, more) => {
    const proto = writeProto(change)
    dispose = proto.dispose
    world = await startEventsWorld({ proto: proto.file })
    const summary = { delivered: 3, failed: 1 }
    world.pcs.script = (stream) => stream.send(wireEvent('01HQ', { summary, ...more }))
    const events = world.connect({ descriptor: proto.file }).events({ after: '01HP', sendRequestId: 'snd_1' })
    expect((await events.next()).value).toEqual({
      eventId: '01HQ',
      sendRequestId: 'snd_1',
      type: 'recipient_delivered',
      recipient: { ppnum: '12345678901', messageId: 'msg_01HQ' },
      summary,
      occurredAt: new Date('2026-01-02T03:04:05.678Z'),
    })
    expect(world.pcs.opened[0]?.request).toMatchObject({ after_event_id: '01HP', send_request_id: 'snd_1' })
    await events.return(undefined)
  })

  test('that lacks what is needed ends the stream with config_invalid', async () => {
    const proto = writeProto((text) => text.replaceAll('after_event_id', 'cursor'))
    dispose = proto.dispose
    world = await startEventsWorld()
    const events = world.connect({ descriptor: proto.file }).events()
    await expect(events.next()).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('after_event_id'),
    })
    expect(world.pcs.opened.length).toBe(0)
  })
})

describe('an event on the wire', () => {
  test('that is almost empty is read', () => {
    const { occurredAt, ...rest } = fromEvent({}, () => 1_700_000_000_000)
    expect(rest).toEqual({ eventId: '', sendRequestId: '', type: 'unknown' })
    expect(occurredAt).toEqual(new Date(1_700_000_000_000))
    expect(fromEvent({ recipient: {}, summary: {} })).toMatchObject({
      recipient: { ppnum: '' },
      summary: { delivered: 0, failed: 0 },
    })
  })

  test.each([
    'soon',
    '',
    null,
    undefined,
    {},
    12,
    '2026-13-45T25:61:61Z',
    '2026-01-02',
    '2026-02-30T00:00:00Z',
    '2026-04-31T00:00:00+09:00',
    { seconds: '1e306' },
    { seconds: 'x' },
    { seconds: 8.7e12 },
  ])('that says it occurred at %j has a valid date: that of its id, or the time of arrival', (said) => {
    const dateOf = (event_id: string): Date => fromEvent({ event_id, occurred_at: said }, () => 5).occurredAt
    for (const id of ['01ARZ3NDEKTSV4RRFFQ69G5FAV', '01arz3ndektsv4rrffq69g5fav'])
      expect(dateOf(id)).toEqual(new Date(1_469_922_850_259))
    for (const id of ['evt_1', '', '81ARZ3NDEKTSV4RRFFQ69G5FAV']) expect(dateOf(id)).toEqual(new Date(5))
  })

  test.each([
    ['2026-01-02T05:04:05.678+02:00', '2026-01-02T03:04:05.678Z'],
    ['2024-02-29T23:59:59Z', '2024-02-29T23:59:59.000Z'],
    ['2026-01-31T00:00:00+09:00', '2026-01-30T15:00:00.000Z'],
    ['2026-01-02t03:04:05z', '2026-01-02T03:04:05.000Z'],
    ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59.000Z'],
    ['2016-12-31T23:59:60.5Z', '2016-12-31T23:59:59.500Z'],
  ])('that occurred at %s has that time', (said, date) => {
    expect(fromEvent({ occurred_at: said }).occurredAt.toISOString()).toBe(date)
  })

  test.each(['NaN', 'Infinity', 'many', '-Infinity', Number.NaN, {}])('whose count is %j has 0 there', (delivered) => {
    expect(fromEvent({ summary: { delivered, failed: '18446744073709551615' } }).summary).toEqual({
      delivered: 0,
      failed: 2 ** 64,
    })
  })

  test.each([7, 77, 'SOMETHING_NEW', 'NOT_RECIPIENT_DELIVERED', 'constructor', '', null, undefined, {}])(
    'of type %j is unknown',
    (type) => {
      for (const _ of [1, 2]) expect(fromEvent({ event_type: type }).type).toBe('unknown')
    },
  )

  test('with an error code has it, and no message', () => {
    const recipient = { ppnum: '12345678901', message_id: '', error_code: 'BLOCKED' }
    expect(fromEvent({ recipient }).recipient).toEqual({ ppnum: '12345678901', errorCode: 'BLOCKED' })
  })
})
