import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Descriptor, loadDescriptor } from '../../../src/messaging/descriptor/descriptor.js'
import { parseRfc3339 } from '../../../src/messaging/lib/rfc3339.js'
import { fromEvent } from '../../../src/messaging/wire/convert-event.js'
import { loader, OWN_PROTO } from '../support/fake-pcs.js'
import { writeProto } from '../support/reflecting-pcs.js'

const NOW = (): number => 1_700_000_000_000

/** Decodes as a server's bytes are decoded, and by proto-loader alone. */
function both(descriptor: Descriptor, bytes: Buffer): readonly [unknown, unknown] {
  const method = descriptor.method('streamSendRequestEvents')
  const outcomeOf = (decode: () => unknown): unknown => {
    try {
      return decode()
    } catch {
      return 'fails'
    }
  }
  return [
    outcomeOf(() => descriptor.eventDecoder()(bytes, NOW)),
    outcomeOf(() => fromEvent(method.deserialize(bytes) as Readonly<Record<string, unknown>>, NOW)),
  ]
}

function encoderOf(file: string): (event: object) => Buffer {
  const definition = loader.loadSync(file, { keepCase: true, longs: String, enums: String })
  const service = definition['chat.external.ExternalMessageService'] as unknown as {
    readonly StreamSendRequestEvents: { readonly responseSerialize: (event: object) => Buffer }
  }
  return (event) => service.StreamSendRequestEvents.responseSerialize(event)
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom('', '01ARZ3NDEKTSV4RRFFQ69G5FAV', 'a'.repeat(600), '한'.repeat(50)),
)
const time = fc.oneof(
  fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map((date) => date.toISOString()),
  fc.constantFrom('2026-01-02T03:04:05+00:00', '2026-02-30T00:00:00Z', 'soon', '2026-01-02T03:04:05.123456789Z'),
)
const optional = { requiredKeys: [] }
const event = fc.record(
  {
    event_id: text,
    send_request_id: text,
    event_type: fc.oneof(
      fc.constantFrom('RECIPIENT_FAILED', 'POLL_RESPONSE_RECEIVED'),
      fc.integer({ min: -5, max: 99 }),
    ),
    recipient: fc.record({ ppnum: text, message_id: text, error_code: text }, optional),
    summary: fc.record({ delivered: fc.integer({ min: -9, max: 2 ** 31 - 1 }), failed: fc.nat(300) }, optional),
    occurred_at: time,
  },
  optional,
)

describe('an event decoded from its bytes', () => {
  test('is the same as by proto-loader, whatever it holds', () => {
    const [encode, own] = [encoderOf(OWN_PROTO), loadDescriptor(undefined, '')]
    fc.assert(
      fc.property(event, (wire) => {
        const [direct, loaded] = both(own, encode(wire))
        expect(direct).toEqual(loaded)
        expect(Object.keys(direct as object)).toEqual(Object.keys(loaded as object))
      }),
      { numRuns: 500 },
    )
  })

  test('is the same, or fails the same, for any bytes and for messages cut short', () => {
    const [encode, own] = [encoderOf(OWN_PROTO), loadDescriptor(undefined, '')]
    fc.assert(
      fc.property(event, fc.nat(80), fc.uint8Array({ maxLength: 30 }), (wire, length, noise) => {
        const bytes = encode(wire)
        for (const odd of [bytes.subarray(0, length), Buffer.from(noise), Buffer.concat([bytes, noise])]) {
          const [direct, loaded] = both(own, odd)
          expect(direct).toEqual(loaded)
        }
      }),
      { numRuns: 500 },
    )
  })

  test.each<readonly [string, readonly (readonly [string, string])[]]>([
    [
      'other numbers',
      [
        ['string event_id = 1', 'string event_id = 3000'],
        ['string occurred_at = 6', 'string occurred_at = 1'],
      ],
    ],
    ['an id that is a number', [['string event_id = 1', 'int64 event_id = 1']]],
    [
      'bytes for a ppnum',
      [['string ppnum = 1;\n  optional string message_id', 'bytes ppnum = 1;\n  optional string message_id']],
    ],
    ['signed counts', [['int32 delivered = 1', 'sint32 delivered = 1']]],
    [
      'no time and no summary',
      [
        ['string occurred_at = 6', 'string happened_at = 6'],
        ['SendRequestEventSummary summary', 'SendRequestEventSummary result'],
      ],
    ],
    [
      'a first value that is no placeholder',
      [
        ['SEND_REQUEST_EVENT_TYPE_UNSPECIFIED = 0', 'NOTHING = 9'],
        ['RECIPIENT_DELIVERED = 1', 'RECIPIENT_DELIVERED = 0'],
      ],
    ],
  ])('is the same with a descriptor that has %s', (_, changes) => {
    const own = readFileSync(OWN_PROTO, 'utf8')
    for (const [from] of changes) expect(own).toContain(from)
    const proto = writeProto((given) => changes.reduce((changed, [from, to]) => changed.replace(from, to), given))
    try {
      const [encode, descriptor] = [encoderOf(proto.file), loadDescriptor(proto.file, '')]
      const wire = {
        event_id: '12345',
        send_request_id: 'snd_1',
        event_type: 'RECIPIENT_DELIVERED',
        recipient: { ppnum: Buffer.from('12345678901').toString(), message_id: 'msg_1' },
        summary: { delivered: 3, failed: 1 },
        occurred_at: '2026-01-02T03:04:05Z',
      }
      for (const one of [wire, {}]) {
        const [direct, loaded] = both(descriptor, encode(one))
        expect(direct).toEqual(loaded)
        expect(direct).not.toBe('fails')
      }
    } finally {
      proto.dispose()
    }
  })
})

describe('a time', () => {
  const parsed = (given: string): string | undefined => {
    const ms = parseRfc3339(given)
    return Number.isNaN(ms) ? undefined : new Date(ms).toISOString()
  }

  test('is read as it was written', () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }), (date) => {
        const iso = date.toISOString()
        for (const same of [iso, iso.replace('Z', '+00:00'), iso.replace('Z', '456789Z')])
          expect(parsed(same)).toBe(iso)
      }),
    )
  })

  test.each([
    ['2026-01-02T03:04:05.1Z', '2026-01-02T03:04:05.100Z'],
    ['0099-12-28T00:00:00Z', '0099-12-28T00:00:00.000Z'],
    ['2026-01-02T03:04:05.Z', undefined],
    ['2026-01-02T03:04:05.12x4Z', undefined],
    ['2026-01-02T03:04:05.1234xZ', undefined],
    ['2024-02-29T23:59:59Z', '2024-02-29T23:59:59.000Z'],
    ['2026-01-31T03:04:05Z', '2026-01-31T03:04:05.000Z'],
    ['2026-02-29T03:04:05Z', undefined],
    ['2026-11-31T03:04:05Z', undefined],
    ['2026-01-32T03:04:05Z', undefined],
    ['2026-01-02T03:04Z', undefined],
    ['2026-00-02T03:04:05Z', undefined],
    ['2026-01-00T03:04:05Z', undefined],
    ['2026-01-02T24:04:05Z', undefined],
    ['2026-01-02T03:60:05Z', undefined],
    ['2026-01-02T03:04:61Z', undefined],
    ['2026/01/02T03:04:05Z', undefined],
    ['Z', undefined],
    ['', undefined],
  ])('%j is %j', (given, iso) => {
    expect(parsed(given)).toBe(iso)
  })

  test('is read the same whatever was read before it', () => {
    const given = ['2026-01-31T03:04:05Z', '2026-01-31T03:60:05Z', '2026-01-31T04:00:00Z', '2026-01-31T03:59:59.9Z']
    const found = ['2026-01-31T03:04:05.000Z', undefined, '2026-01-31T04:00:00.000Z', '2026-01-31T03:59:59.900Z']
    expect(given.map(parsed)).toEqual(found)
    expect(given.reverse().map(parsed)).toEqual(found.reverse())
  })
})
