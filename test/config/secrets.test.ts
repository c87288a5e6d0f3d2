import { randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { DEV, faultsOf, KEY, PRODUCTION, resolve, SECRET } from '../support/config.js'

describe('C27 weak, short, default or wrongly encoded secrets are rejected', () => {
  const base64 = (bytes: Iterable<number>): string => Buffer.from([...bytes]).toString('base64')
  const good = randomBytes(32)

  test.each([
    '',
    'short',
    'x'.repeat(31),
    'changeme'.repeat(8),
    'keyboard cat keyboard cat keyboard',
    'my-super-secret-session-password-!!',
  ])('sessionSecret %j', (secret) => {
    for (const options of [
      { ...PRODUCTION, sessionSecret: secret },
      { ...DEV, sessionSecret: [SECRET, secret] },
    ]) {
      const faults = faultsOf(options)
      expect(faults).toEqual([expect.stringMatching(/^"sessionSecret" \(PPOPPO_SESSION_SECRET\) /)])
      if (secret !== '') expect(faults[0]).not.toContain(secret)
    }
  })

  test.each([
    ['sessionSecret', 'x'.repeat(64)],
    ['sessionSecret', 'ab'.repeat(20)],
    ['sessionSecret', '0123456789abcdef'.repeat(3)],
    ['sessionSecret', 'a1b1a1b1a1b1a1b1a1b1a1b1a1b1a1b1a1b1'],
    ['vaultKeys', `k1:${base64(new Uint8Array(32).fill(7))}`],
    ['vaultKeys', `k1:${Buffer.from('correct horse battery staple 123').toString('base64')}`],
  ])('a guessable %s is a fault in production and a warning in development: %j', (option, secret) => {
    expect(faultsOf({ ...PRODUCTION, [option]: secret })).toEqual([expect.stringContaining(`"${option}"`)])
    const warnings = resolve({ ...DEV, [option]: secret }).warnings.map(({ detail }) => detail)
    expect(warnings).toEqual([expect.stringContaining(`"${option}"`)])
    expect(warnings.join()).not.toContain(secret)
  })

  test.each([
    ['a key without an id', good.toString('base64')],
    ['an invalid id', `a.b:${good.toString('base64')}`],
    ['a key in hex', `k1:${good.toString('hex')}`],
    ['31 bytes', `k1:${base64(good.subarray(1))}`],
    ['33 bytes', `k1:${base64([...good, 1])}`],
    ['a stray character', `k1:${good.toString('base64').replace(/^./, '*')}`],
    ['a space inside', `k1:${good.toString('base64').replace(/^..../, '$& ')}`],
    ['non-zero padding bits', `k1:${good.toString('base64').replace(/.=$/, 'B=')}`],
    ['a passphrase', `k1:${Buffer.from('correct horse battery staple 123').toString('base64')}`],
    ['only zeros', `k1:${base64(new Uint8Array(32))}`],
    ['one repeated byte', `k1:${base64(new Uint8Array(32).fill(0xaa))}`],
    ['counting bytes', `k1:${base64(Array.from({ length: 32 }, (_, i) => i))}`],
    ['half a key repeated', `k1:${base64([...good.subarray(0, 16), ...good.subarray(0, 16)])}`],
    ['an empty list', []],
    ['the same id twice', [KEY, `k1:${good.toString('base64')}`]],
    ['the same key twice', [KEY, KEY.replace('k1', 'k2')]],
  ])('vaultKeys: %s', (_, keys) => {
    const faults = faultsOf({ ...PRODUCTION, vaultKeys: keys })
    expect(faults).toEqual([expect.stringMatching(/^"vaultKeys" \(PPOPPO_VAULT_KEYS\) /)])
    for (const key of [keys].flat()) expect(faults[0]).not.toContain(String(key).slice(-9))
  })

  test('a key may be base64 or base64url, padded or not', () => {
    for (const text of [
      good.toString('base64'),
      good.toString('base64').replace('=', ''),
      good.toString('base64url'),
    ]) {
      expect(resolve({ ...PRODUCTION, vaultKeys: [`k:${text}`] }).vaultKeys?.[0]?.secret).toEqual(good)
    }
  })

  test('newly generated secrets always pass', () => {
    for (let round = 0; round < 2_000; round++) {
      const secret = randomBytes(32).toString(round % 2 === 0 ? 'base64url' : 'hex')
      expect(faultsOf({ ...DEV, sessionSecret: secret, vaultKeys: `k:${randomBytes(32).toString('base64')}` })).toEqual(
        [],
      )
    }
  })

  test('C24 no message contains a configured value', () => {
    const marked = fc.string({ unit: 'binary', maxLength: 40 }).map((noise) => `zq${noise.replaceAll('"', '')}9Qz7`)
    const value = fc.oneof(
      marked,
      fc.array(marked, { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('idleMs', 'en', 'cookieName', 'pages'), marked),
    )
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...OPTION_NAMES), value), marked, (options, variable) => {
        const env = Object.fromEntries(VARIABLE_NAMES.map((name) => [name, variable.replaceAll('\0', '')]))
        const message = faultsOf(options, env).join('\n')
        expect(message).not.toContain('9Qz7')
        expect(message).not.toMatch(/zq/)
      }),
      { numRuns: 500 },
    )
  })
})

const VARIABLE_NAMES = [
  'PPOPPO_CLIENT_ID',
  'PPOPPO_BASE_URL',
  'PPOPPO_ENVIRONMENT',
  'PPOPPO_AUTH_URL',
  'PPOPPO_SCOPE',
  'REDIS_URL',
  'PPOPPO_SESSION_SECRET',
  'PPOPPO_VAULT_KEYS',
  'PPOPPO_RATE_LIMIT',
]

/** Every option that takes text, lists or objects. */
const OPTION_NAMES = [
  'clientId',
  'baseUrl',
  'environment',
  'issuer',
  'idTokenIssuer',
  'scope',
  'resource',
  'mountPath',
  'redis',
  'keyPrefix',
  'allowMemoryStore',
  'sessionSecret',
  'vaultKeys',
  'session',
  'keepAnonymous',
  'allowedReturnOrigins',
  'trustedOrigins',
  'rateLimit',
  'onSignIn',
  'texts',
]
