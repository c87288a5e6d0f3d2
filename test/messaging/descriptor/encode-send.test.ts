import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Descriptor, loadDescriptor } from '../../../src/messaging/descriptor/descriptor.js'
import type { SendRequest, TemplateVars } from '../../../src/messaging/types/methods.js'
import { toSendRequest } from '../../../src/messaging/wire/convert.js'
import { ProtoReader, ProtoWriter, Unexpected } from '../../../src/messaging/wire/protobuf.js'
import { OWN_PROTO } from '../support/fake-pcs.js'

const folder = mkdtempSync(join(tmpdir(), 'ppoppo-encode-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Our transcription, changed as a vendor's may differ. */
function variant(name: string, ...changes: readonly (readonly [string, string])[]): Descriptor {
  const file = join(folder, `${name}.proto`)
  const proto = readFileSync(OWN_PROTO, 'utf8')
  for (const [from] of changes) expect(proto).toContain(from)
  writeFileSync(
    file,
    changes.reduce((text, [from, to]) => text.replace(from, to), proto),
  )
  return loadDescriptor(file, '')
}

const own = loadDescriptor(undefined, '')
const DESCRIPTORS: Readonly<Record<string, Descriptor>> = {
  own,
  'a file': loadDescriptor(OWN_PROTO, ''),
  'other numbers': variant(
    'numbers',
    ['string template_id = 1', 'string template_id = 300'],
    ['repeated RecipientInput recipients = 2', 'repeated RecipientInput recipients = 16'],
    ['string ppnum = 1', 'string ppnum = 9'],
    ['int32 expires_in_hours = 1', 'int64 expires_in_hours = 70000'],
  ),
  'signed hours': variant('signed', ['int32 expires_in_hours', 'sint32 expires_in_hours']),
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.constantFrom('', 'constructor', 'é'.repeat(42), 'a'.repeat(43), '한'.repeat(43), 'a'.repeat(300)),
)
const name = text.filter((value) => value !== '__proto__')
const { vars } = fc.letrec<{ value: never; vars: TemplateVars }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 5 }),
    tie('vars'),
  ) as never,
  vars: fc.dictionary(name, tie('value'), { maxKeys: 6 }) as never,
}))
const request: fc.Arbitrary<SendRequest> = fc.record(
  {
    templateId: fc.string({ unit: fc.constantFrom(...'tpl_01HQ'), minLength: 1, maxLength: 200 }),
    recipients: fc.array(
      fc.record(
        { ppnum: fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 11, maxLength: 40 }), vars },
        { requiredKeys: ['ppnum'] },
      ),
      { minLength: 1, maxLength: 12 },
    ),
    poll: fc.record(
      { expiresInHours: fc.integer({ min: 1, max: 2_147_483_647 }), allowMultiple: fc.boolean() },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['templateId', 'recipients'] },
)

describe('encoding a send', () => {
  test.each(Object.keys(DESCRIPTORS))('means what proto-loader writes, by %s', (key) => {
    const descriptor = DESCRIPTORS[key] ?? own
    const method = descriptor.method('createSendRequest')
    fc.assert(
      fc.property(request, (send) => {
        const expected = method.serialize(toSendRequest(send, descriptor.struct))
        const written = descriptor.encodeSend(send)
        expect(method.deserializeRequest(written)).toEqual(method.deserializeRequest(expected))
        expect(written).toHaveLength(expected.length)
        if (key === 'own') expect(written.equals(expected)).toBe(true)
      }),
      { numRuns: 40 },
    )
  })

  test('is left to proto-loader, with its errors, if the descriptor cannot hold the send', () => {
    const withoutPoll = variant('no-poll', ['  PollConfig poll_config = 3;\n', ''])
    const recipients = [{ ppnum: '12345678901', vars: { name: 'Alex' } }]
    expect(withoutPoll.encodeSend({ templateId: 't', recipients })).toEqual(
      own.encodeSend({ templateId: 't', recipients }),
    )
    expect(() => withoutPoll.encodeSend({ templateId: 't', recipients, poll: {} })).toThrow(
      'has no field poll_config in the message chat.external.CreateSendRequestReq',
    )
    const numeric = variant('numeric', ['string ppnum = 1;\n  // Values', 'int64 ppnum = 1;\n  // Values'])
    expect(() => numeric.encodeSend({ templateId: 't', recipients })).toThrow('ppnum as int64')
  })
})

describe('a ProtoReader', () => {
  const method = own.method('createSendRequest')
  test('reads what a ProtoWriter wrote, and skips the rest', () => {
    fc.assert(
      fc.property(
        fc.oneof(text, fc.constant('a'.repeat(20_000))),
        fc.nat(2_147_483_647),
        fc.double(),
        fc.nat(100_000),
        (word, number, double, field) => {
          const writer = new ProtoWriter(1)
          writer.double(field + 9, double)
          const inner = writer.begin(5)
          writer.string(1, word)
          writer.uint32(field + 9, number)
          writer.end(inner)
          writer.uint32(2, number)
          const reader = new ProtoReader(writer.finish())
          expect(reader.next()).toBe(field + 9)
          reader.skip()
          expect(reader.next()).toBe(5)
          const outer = reader.enter()
          expect([reader.next(), reader.string()]).toEqual([1, word])
          expect(reader.next()).toBe(field + 9)
          reader.skip()
          expect(reader.next()).toBe(0)
          reader.leave(outer)
          expect([reader.next(), reader.uint31(), reader.next()]).toEqual([2, number, 0])
        },
      ),
      { numRuns: 100 },
    )
  })

  test.each([
    ['a length beyond the end', [0x0a, 0x05, 0x61]],
    ['a number cut short', [0x10, 0x80]],
    ['a number of 64 bits', [0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ['a wire type that is not the expected one', [0x0d, 1, 2, 3, 4]],
    ['a group', [0x1b, 0x1c]],
    ['field 0', [0x02, 0x00]],
    ['a tag without end', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
  ])('refuses %s', (_, bytes) => {
    const reader = new ProtoReader(Buffer.from(bytes))
    expect(() => {
      for (let field = reader.next(); field !== 0; field = reader.next()) {
        if (field === 1) reader.string()
        else if (field === 2) reader.uint31()
        else reader.skip()
      }
    }).toThrow(Unexpected)
  })

  test('never reads beyond the bytes, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const reader = new ProtoReader(Buffer.from(bytes))
        try {
          for (let field = reader.next(); field !== 0; field = reader.next()) reader.skip()
        } catch (error) {
          expect(error).toBeInstanceOf(Unexpected)
          return
        }
        // What is well-formed here is so for proto-loader, too.
        expect(() => method.deserializeRequest(Buffer.from(bytes))).not.toThrow(TypeError)
      }),
      { numRuns: 150 },
    )
  })
})
