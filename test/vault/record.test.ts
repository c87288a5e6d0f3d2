import { randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { systemRuntime } from '../../src/lib/runtime.js'
import { createKeyRing } from '../../src/vault/keyring.js'
import { packToken, splitLength, unpackToken, withLength } from '../../src/vault/pack-token.js'
import { openRecord, parseRecord, type SignIn, sealRecord } from '../../src/vault/record.js'
import { readTimes, writeTimes } from '../../src/vault/record-times.js'
import { readSecretPart, writeSecretPart } from '../../src/vault/secret-part.js'

const RUNS = { numRuns: 500 }
const base64url = fc.uint8Array({ maxLength: 90 }).map((bytes) => Buffer.from(bytes).toString('base64url'))
/** JWTs, opaque tokens, and texts that look like either but do not decode to themselves. */
const tokens = fc.oneof(
  fc.array(base64url, { minLength: 1, maxLength: 12 }).map((parts) => parts.join('.')),
  fc.string({ unit: fc.constantFrom(...'AQgw_-.=+/ \n'), maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 9 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom('', '.', '..', '...', 'A', 'AA', 'AB', 'AA==', 'eyJ.e30.', '\ud800', '\0', 'A'.repeat(70_000)),
)
const times = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })

describe('tokens as bytes', () => {
  test('any text comes back exactly', () => {
    fc.assert(
      fc.property(tokens, (token) => {
        expect(unpackToken(packToken(token))).toBe(token)
      }),
      RUNS,
    )
  })

  test('a JWT takes a quarter less', () => {
    const jwt = [90, 300, 64].map((length) => randomBytes(length).toString('base64url')).join('.')
    expect(packToken(jwt).length).toBeLessThan(jwt.length * 0.77)
  })

  test('bytes of somebody else give no token and never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const token = unpackToken(Buffer.from(bytes))
        expect(['undefined', 'string']).toContain(typeof token)
        splitLength(Buffer.from(bytes))
      }),
      RUNS,
    )
    for (const length of [0, 1, 127, 128, 16_383, 16_384, 100_000]) {
      const bytes = Buffer.concat([withLength(Buffer.alloc(length, 7)), Buffer.of(9)])
      expect(splitLength(bytes)?.bytes.length).toBe(length)
      expect(splitLength(bytes)?.rest).toEqual(Buffer.of(9))
      expect(splitLength(bytes.subarray(0, -2))).toBeUndefined()
    }
  })
})

describe('the sealed part of a record', () => {
  test('tokens, expiry and account come back as they were', () => {
    const parts = fc.record({
      accessToken: tokens,
      expiresAt: fc.oneof(times, fc.double({ noNaN: true })),
      refreshToken: fc.option(tokens, { nil: undefined }),
      account: fc.option(fc.jsonValue(), { nil: undefined }),
    })
    fc.assert(
      fc.property(parts, ({ account, refreshToken, ...others }) => {
        const secret = { tokens: { ...others, ...(refreshToken === undefined ? {} : { refreshToken }) } }
        const whole = account === undefined ? secret : { ...secret, account: JSON.parse(JSON.stringify(account)) }
        const read = readSecretPart(writeSecretPart(whole))
        expect(read).toStrictEqual(whole)
      }),
      RUNS,
    )
  })

  test('cut or of an unknown format, it is unreadable', () => {
    const bytes = writeSecretPart({ tokens: { accessToken: 'eyJhIjoxfQ.e30.AA', expiresAt: 5, refreshToken: 'rt_1' } })
    for (let length = 0; length < bytes.length; length += 1)
      expect(readSecretPart(bytes.subarray(0, length))).toBeUndefined()
    expect(readSecretPart(Buffer.concat([Buffer.of(2), bytes.subarray(1)]))).toBeUndefined()
    expect(readSecretPart(Buffer.from('{"a":1}'))).toBeUndefined()
  })
})

describe('the times of a record', () => {
  test('they come back as they were, and in no other spelling', () => {
    const six = fc.array(times, { minLength: 6, maxLength: 6 })
    fc.assert(
      fc.property(
        six,
        ([createdAt = 0, lastSeenAt = 0, touchedAt = 0, refreshedAt = 0, absoluteExpiresAt = 0, expiresAt = 0]) => {
          const all = { createdAt, lastSeenAt, touchedAt, refreshedAt, absoluteExpiresAt, expiresAt }
          const text = writeTimes(all)
          expect(readTimes({ d: text })).toEqual(all)
          for (const other of [
            `0${text}`,
            text.toUpperCase().replace(/^\d+\./, 'A.'),
            `${text}.0`,
            `${text}x!`,
            text.replace('.', '.+'),
          ])
            if (other !== text) expect(readTimes({ d: other })).toBeUndefined()
        },
      ),
      RUNS,
    )
    for (const odd of [
      '',
      '.',
      'NaN.0.0.0.0.0',
      '1.2.3.4.5',
      null,
      5,
      {},
      ['1.0.0.0.0.0'],
      `${'z'.repeat(11)}.0.0.0.0.0`,
    ])
      expect(readTimes({ d: odd })).toBeUndefined()
  })
})

const now = Date.UTC(2026, 10, 29)
const ring = createKeyRing({
  keys: [{ id: 'k1', secret: Buffer.alloc(32, 7) }],
  clientId: 'acme_login_client',
  runtime: systemRuntime,
})
const signIn: SignIn = {
  id: 'qjjnY0RKHMMclcko92NpzR.us8bI2Vmp8kPjFMyXrkcnQ',
  sub: '01J9Z3K8Q2W4E6R8T0Y2V4X6A1',
  ppnum: '77700000001',
  accountType: 'ai_agent',
  userAgent: 'Firefox',
  scopes: ['openid', 'profile'],
  createdAt: now,
  lastSeenAt: now + 1,
  touchedAt: now + 2,
  refreshedAt: now + 3,
  absoluteExpiresAt: now + 4,
  tokens: { accessToken: 'eyJhbGciOiJFZERTQSJ9.e30.AAAA', expiresAt: now + 6, refreshToken: 'rt_01' },
  account: { id: 7 },
}

test('a record of a version before 0.2 opens', () => {
  // Written by that version, with the key above.
  const value =
    '{"s":"01J9Z3K8Q2W4E6R8T0Y2V4X6A1","p":"77700000001","t":"ai_agent","u":"Firefox","g":"openid profile","c":1795910400000,"l":1795910400001,"i":1795910400002,"f":1795910400003,"x":1795910400004,"e":1795910400005,"z":"v1.k1.0O2VIaqNTHhCA2D9h5vqTgNH-3eheGlC4RUSHx3lfEF5EjFKQ0y2dJ93CcxpQjQc91W49BQUfxX3RJ-hRHMurKo4m68Pq09hY4QOoczGxnIe6uPVmn_-LwsMAeheayIxk3M-YPlVIbu2Qvgs"}'
  const clear = parseRecord(signIn.id, { version: 1, value })
  expect(clear && openRecord(ring, clear)).toEqual(signIn)
  const again = parseRecord(signIn.id, { version: 2, value: sealRecord(ring, signIn, now + 5).text })
  expect(again?.expiresAt).toBe(now + 5)
  expect(again && openRecord(ring, again)).toEqual(signIn)
})

test.each([{}, { accountType: '' }, { userAgent: '' }, { scopes: [] }])(
  'what is kept of a record that was written is what reading it gives (%j)',
  (changed) => {
    const { text, clear } = sealRecord(ring, { ...signIn, ...changed }, now + 5)
    expect(parseRecord(signIn.id, { version: 1, value: text })).toEqual(clear)
  },
)
