import { hkdfSync, randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { VaultKey } from '../../src/config/options.js'
import { systemRuntime } from '../../src/lib/runtime.js'
import { createKeyRing, type KeyRing, type SealContext } from '../../src/vault/keyring.js'

const CLIENT = 'acme_login_client'
const CONTEXT: SealContext = {
  purpose: 'sign-in',
  salt: 'dGFn.cmFuZG9t',
  binding: ['01J9Z3K8Q2W4E6R8T0Y2V4X6A1', '77700000001', '1763683200000'],
}
const PLAIN = '{"a":"at_뽀뽀"}'
const SAMPLE_KEY: VaultKey = { id: 'k1', secret: Buffer.from([...Array(32).keys()]) }
/** Made by another program (Python `cryptography`, HKDF written out by hand after RFC 5869). */
const SAMPLE = 'v1.k1.oKGio6Slpqeoqaqr7Yxl6YLPd2AwL90dkF3waUPAWG6pzcWEIudfYtk1PXXt'

const key = (id: string): VaultKey => ({ id, secret: randomBytes(32) })
const ring = (...keys: VaultKey[]) => createKeyRing({ keys, clientId: CLIENT, runtime: systemRuntime })

describe('key ring: known answers', () => {
  test('C25 HKDF-SHA-256 matches test case 1 of RFC 5869', () => {
    const okm = hkdfSync(
      'sha256',
      Buffer.alloc(22, 0x0b),
      Buffer.from('000102030405060708090a0b0c', 'hex'),
      Buffer.from('f0f1f2f3f4f5f6f7f8f9', 'hex'),
      42,
    )
    expect(Buffer.from(okm).toString('hex')).toBe(
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    )
  })

  test('C25 a text that another program sealed opens, and sealing it again gives the same text', () => {
    expect(ring(SAMPLE_KEY).open(CONTEXT, SAMPLE)).toBe(PLAIN)
    const nonce = Buffer.from([...Array(12).keys()].map((byte) => 0xa0 + byte))
    const fixed = createKeyRing({ keys: [SAMPLE_KEY], clientId: CLIENT, runtime: { randomBytes: () => nonce } })
    expect(fixed.seal(CONTEXT, PLAIN)).toBe(SAMPLE)
  })

  test('C25 every sealed text has its own nonce', () => {
    const one = ring(SAMPLE_KEY)
    expect(new Set(Array.from({ length: 100 }, () => one.seal(CONTEXT, PLAIN))).size).toBe(100)
  })
})

describe('key ring: tampering', () => {
  const [first, second] = [key('k1'), key('k2')]
  const both = ring(first, second)

  test('C25 any text that was sealed opens', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.string({ unit: 'grapheme' })), (plain, binding) => {
        const context = { ...CONTEXT, binding }
        expect(both.open(context, both.seal(context, plain))).toBe(plain)
      }),
      { numRuns: 50 },
    )
  })

  test('C25 a sealed text with any bit changed does not open', () => {
    const body = Buffer.from(SAMPLE.split('.')[2] ?? '', 'base64url')
    for (let bit = 0; bit < body.length * 8; bit += 1) {
      const bent = Buffer.from(body)
      bent.writeUInt8(bent.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      expect(ring(SAMPLE_KEY).open(CONTEXT, `v1.k1.${bent.toString('base64url')}`)).toBeUndefined()
    }
  })

  test('C25 a sealed text that is cut at either end or extended does not open', () => {
    for (let length = 0; length < SAMPLE.length; length += 1) {
      expect(ring(SAMPLE_KEY).open(CONTEXT, SAMPLE.slice(0, length))).toBeUndefined()
      if (length > 0) expect(ring(SAMPLE_KEY).open(CONTEXT, SAMPLE.slice(length))).toBeUndefined()
    }
    const body = Buffer.from(SAMPLE.split('.')[2] ?? '', 'base64url')
    for (const longer of [Buffer.concat([body, Buffer.alloc(1)]), Buffer.concat([Buffer.alloc(1), body])])
      expect(ring(SAMPLE_KEY).open(CONTEXT, `v1.k1.${longer.toString('base64url')}`)).toBeUndefined()
  })

  test('C25 another spelling of the same sealed bytes does not open', () => {
    const sealed = both.seal(CONTEXT, 'x'.repeat(6)) // 34 bytes: the last character has spare bits
    const body = sealed.split('.')[2] ?? ''
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const sameBytes = [...alphabet]
      .map((last) => body.slice(0, -1) + last)
      .filter((text) => text !== body && Buffer.from(text, 'base64url').equals(Buffer.from(body, 'base64url')))
    expect(sameBytes.length).toBeGreaterThan(0)
    const base64 = Buffer.from(body, 'base64url').toString('base64')
    const spellings = [...sameBytes, `${body}=`, `${body}==`, base64, ` ${body}`, `${body}\n`, `${body}.`, `${body}.x`]
    for (const text of spellings) expect([text, both.open(CONTEXT, `v1.k1.${text}`)]).toEqual([text, undefined])
    for (const text of [`V1.k1.${body}`, `v2.k1.${body}`, `v1.K1.${body}`, `v1..${body}`, `k1.${body}`, body, ''])
      expect([text, both.open(CONTEXT, text)]).toEqual([text, undefined])
    expect(both.open(CONTEXT, sealed)).toBe('x'.repeat(6))
  })

  test('C25 a text sealed under another key id or for another client does not open', () => {
    const sealed = both.seal(CONTEXT, PLAIN)
    expect(both.open(CONTEXT, sealed.replace('.k1.', '.k2.'))).toBeUndefined()
    // Even where the other id names the same secret.
    expect(
      ring(first, { id: 'k9', secret: first.secret }).open(CONTEXT, sealed.replace('.k1.', '.k9.')),
    ).toBeUndefined()
    expect(
      createKeyRing({ keys: [first], clientId: 'other_login_client', runtime: systemRuntime }).open(CONTEXT, sealed),
    ).toBeUndefined()
    expect(ring(second).open(CONTEXT, sealed)).toBeUndefined()
    expect(ring({ id: 'k1', secret: second.secret }).open(CONTEXT, sealed)).toBeUndefined()
    for (const odd of ['__proto__', 'constructor', 'toString'])
      expect(both.open(CONTEXT, sealed.replace('.k1.', `.${odd}.`))).toBeUndefined()
  })

  test('C25 a sealed text does not open in another context, even one whose parts join to the same text', () => {
    const sealed = both.seal(CONTEXT, PLAIN)
    const [sub = '', ppnum = '', created = ''] = CONTEXT.binding
    const others: SealContext[] = [
      { ...CONTEXT, purpose: 'transaction' },
      { ...CONTEXT, salt: 'dGFn.b3RoZXI' },
      { ...CONTEXT, binding: [] },
      { ...CONTEXT, binding: [...CONTEXT.binding, ''] },
      { ...CONTEXT, binding: [sub, created, ppnum] },
      { ...CONTEXT, binding: [sub + ppnum, '', created] },
      { ...CONTEXT, binding: [`${sub}7`, ppnum.slice(1), created] },
      { ...CONTEXT, salt: CONTEXT.salt + sub, binding: [ppnum, created] },
    ]
    for (const other of others) expect(both.open(other, sealed)).toBeUndefined()
  })

  test('C25 garbage of any kind does not open, and does not throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), fc.string()), (text) => {
        expect(both.open(CONTEXT, text)).toBeUndefined()
        expect(both.open(CONTEXT, `v1.k1.${text}`)).toBeUndefined()
      }),
      { numRuns: 150 },
    )
    expect(both.open(CONTEXT, `v1.k1.${'A'.repeat(1_000_000)}`)).toBeUndefined()
  })
})

describe('key ring: rotation', () => {
  test('C26 the first key seals, all keys open, and a text sealed under another key is old', () => {
    const [former, latter] = [key('former'), key('latter')]
    const sealed = ring(former).seal(CONTEXT, PLAIN)
    const [deployOne, deployTwo] = [ring(former, latter), ring(latter, former)]
    expect(deployOne.isOld(sealed)).toBe(false)
    expect(deployTwo.isOld(sealed)).toBe(true)
    const resealed = deployTwo.seal(CONTEXT, PLAIN)
    expect(resealed).toMatch(/^v1\.latter\./)
    // While the second deploy rolls out, boxes of the first one still serve.
    for (const text of [sealed, resealed])
      for (const one of [deployOne, deployTwo]) expect(one.open(CONTEXT, text)).toBe(PLAIN)
    expect(ring(latter).open(CONTEXT, sealed)).toBeUndefined()
    expect(ring(latter).open(CONTEXT, resealed)).toBe(PLAIN)
  })
})

describe('key ring: derived keys that are kept', () => {
  const [first, second] = [key('k1'), key('k2')]

  test.each<[string, VaultKey, SealContext]>([
    ['two purposes', first, { ...CONTEXT, purpose: 'transaction' }],
    ['two vault keys', second, CONTEXT],
    ['two records', first, { ...CONTEXT, salt: 'dGFn.b3RoZXI' }],
  ])(
    'C25 the key derived for one of %s is not used for the other, whichever came first',
    (_two, otherKey, otherContext) => {
      const places: [VaultKey, SealContext][] = [
        [first, CONTEXT],
        [otherKey, otherContext],
      ]
      const uses = places.flatMap(([own, context]) => [
        (used: KeyRing) => used.open(context, ring(own).seal(context, PLAIN)),
        (used: KeyRing) => ring(first, second).open(context, used.seal(context, PLAIN)),
      ])
      for (const keys of [
        [first, second],
        [second, first],
      ]) {
        for (const former of uses) {
          for (const latter of uses) {
            const used = ring(...keys)
            expect([former(used), latter(used)]).toEqual([PLAIN, PLAIN])
          }
        }
      }
    },
  )

  test('records of more salts than keys are kept all open', () => {
    const used = ring(first)
    const contexts = Array.from({ length: 3_000 }, (_, number) => ({ ...CONTEXT, salt: `record ${number}` }))
    const texts = contexts.map((context) => used.seal(context, PLAIN))
    const opened = contexts.map((context, number) => used.open(context, texts[number] ?? ''))
    expect(opened).toEqual(contexts.map(() => PLAIN))
  })
})
