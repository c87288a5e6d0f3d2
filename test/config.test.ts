import { randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { resolveConfig } from '../src/config.js'
import { isPpoppoError } from '../src/errors.js'
import type { Config, PpoppoOptions } from '../src/options.js'

const DEV = { clientId: 'acme_login_client', baseUrl: 'http://localhost:3000' } as const
const SECRET = randomBytes(32).toString('base64url')
const KEY = `k1:${randomBytes(32).toString('base64')}`
const PRODUCTION = {
  clientId: 'acme_login_client',
  baseUrl: 'https://app.example',
  redis: 'redis://localhost:6379',
  sessionSecret: SECRET,
  vaultKeys: KEY,
} as const

/** `options` as a program without types may pass them. */
function resolve(options: Record<string, unknown>, env: Record<string, string> = {}): Config {
  return resolveConfig(options as PpoppoOptions, env)
}

/** The faults, one a line; none where it resolves. */
function faultsOf(options: unknown, env: Record<string, string> = {}): string[] {
  try {
    resolveConfig(options as PpoppoOptions, env)
    return []
  } catch (error) {
    if (!isPpoppoError(error, 'config_invalid')) throw error
    return error.message.split('\n- ').slice(1)
  }
}

describe('resolveConfig', () => {
  test('fills in every default in development', () => {
    expect(resolve(DEV)).toEqual({
      clientId: 'acme_login_client',
      origin: 'http://localhost:3000',
      isHttps: false,
      isProduction: false,
      issuer: 'https://accounts.ppoppo.com',
      idTokenIssuer: 'https://accounts.ppoppo.com',
      scope: ['openid', 'profile'],
      mountPath: '/auth',
      redirectUri: 'http://localhost:3000/auth/callback',
      keyPrefix: 'ppoppo:',
      ownSession: true,
      idleMs: 30 * 86_400_000,
      absoluteMs: 180 * 86_400_000,
      keepAnonymous: [],
      allowedReturnOrigins: [],
      rateLimit: { loginPerMinute: 120, failuresPerMinute: 30 },
      texts: {},
      warnings: [],
    })
  })

  test('reads everything from the environment, and an option wins over its variable', () => {
    const env = {
      PPOPPO_CLIENT_ID: 'from_env',
      PPOPPO_BASE_URL: 'https://env.example/',
      PPOPPO_ENVIRONMENT: 'sandbox',
      PPOPPO_AUTH_URL: 'http://localhost:3100/',
      PPOPPO_SCOPE: 'openid  profile email openid',
      REDIS_URL: 'rediss://cache.example:6380/2',
      PPOPPO_SESSION_SECRET: `${SECRET}, ${SECRET.split('').reverse().join('')}`,
      PPOPPO_VAULT_KEYS: `${KEY},k2:${randomBytes(32).toString('base64url')}`,
      PPOPPO_RATE_LIMIT: 'off',
    }
    const config = resolve({}, env)
    expect(config).toMatchObject({
      clientId: 'from_env',
      origin: 'https://env.example',
      isProduction: true,
      issuer: 'http://localhost:3100/',
      scope: ['openid', 'profile', 'email'],
      redis: 'rediss://cache.example:6380/2',
      rateLimit: false,
    })
    expect(config.sessionSecrets).toHaveLength(2)
    expect(config.vaultKeys?.map((key) => [key.id, key.secret.length])).toEqual([
      ['k1', 32],
      ['k2', 32],
    ])
    expect(resolve({ clientId: 'from_code', rateLimit: { loginPerMinute: 5 } }, env)).toMatchObject({
      clientId: 'from_code',
      rateLimit: { loginPerMinute: 5, failuresPerMinute: 30 },
    })
  })

  test('counts an empty variable as not set', () => {
    expect(resolve(DEV, { PPOPPO_SCOPE: '', REDIS_URL: ' ', PPOPPO_RATE_LIMIT: '' }).redis).toBeUndefined()
    expect(faultsOf({}, { PPOPPO_CLIENT_ID: '' })[0]).toMatch(/^"clientId" \(PPOPPO_CLIENT_ID\) is required/)
  })

  test('reports all faults at once, by option and variable', () => {
    const faults = faultsOf({ scope: 'openid', session: { idleMs: -1 }, onEvent: 'log' }, { NODE_ENV: 'production' })
    expect(faults.map((line) => line.split('"')[1])).toEqual([
      'clientId',
      'baseUrl',
      'scope',
      'sessionSecret',
      'vaultKeys',
      'session.idleMs',
      'onEvent',
      'redis',
    ])
    expect(faults).toContain('"session.idleMs" must be a positive integer')
    expect(faults[4]).toContain('(PPOPPO_VAULT_KEYS)')
  })

  test('names the nearest known option for an unknown one, also inside', () => {
    expect(faultsOf({ ...DEV, cliendId: 'x' })).toEqual(['"cliendId" is not an option; did you mean "clientId"?'])
    expect(faultsOf({ ...DEV, session: { idle: 1 } })[0]).toContain('did you mean "session.idleMs"?')
    expect(faultsOf({ ...DEV, rateLimit: { loginsPerMinute: 1 } })[0]).toContain(
      'did you mean "rateLimit.loginPerMinute"?',
    )
    expect(faultsOf({ ...DEV, texts: { ko: { sigIn: 'x' } } })[0]).toContain('did you mean "texts.ko.signIn"?')
    expect(faultsOf({ ...DEV, texts: { ko: { pages: { acces_denied: {} } } } })[0]).toContain('access_denied')
    expect(faultsOf({ ...DEV, texts: { ko: { pages: { denied: { titel: 'x' } } } } })[0]).toContain('denied.title')
    expect(faultsOf({ ...DEV, zzzzzzzzzz: 1 })[0]).toContain('known are: clientId')
  })

  test('C01 has no option for the PKCE method: plain cannot be configured', () => {
    for (const name of ['codeChallengeMethod', 'code_challenge_method', 'pkce', 'usePKCE']) {
      expect(faultsOf({ ...DEV, [name]: 'plain' })).toHaveLength(1)
    }
  })

  test('C04 makes the redirect URI of configuration alone', () => {
    expect(
      resolve({ ...DEV, baseUrl: 'https://App.Example:443/', mountPath: '/shop/auth/', ...productionRest() })
        .redirectUri,
    ).toBe('https://app.example/shop/auth/callback')
  })

  test('freezes the result all the way down, and leaves the Redis client and the options alone', async () => {
    const redis = new Redis({ lazyConnect: true })
    const texts = { en: { pages: { denied: { title: 'No' } } } }
    const config = resolve({ ...DEV, redis, texts, session: { idleMs: 5_000 } })
    expect(Object.isFrozen(config.rateLimit) && Object.isFrozen(config.scope)).toBe(true)
    expect(Object.isFrozen(config.texts['en']?.pages?.denied)).toBe(true)
    expect(Object.isFrozen(texts.en.pages.denied)).toBe(false)
    expect(Object.isFrozen(redis)).toBe(false)
    expect(config.redis).toBe(redis)
    redis.disconnect()
  })

  test('shortens the default idle time to a shorter absolute one', () => {
    expect(resolve({ ...DEV, session: { absoluteMs: 60_000 } })).toMatchObject({ idleMs: 60_000, absoluteMs: 60_000 })
  })

  test("session: false is the app's own session, whose secret is the app's", () => {
    const { sessionSecret: _, ...rest } = PRODUCTION
    expect(resolve({ ...rest, session: false })).toMatchObject({ ownSession: false, idleMs: 30 * 86_400_000 })
  })

  test('is production for a public host or NODE_ENV, development on loopback', () => {
    expect(resolve({ ...DEV, ...productionRest() }, { NODE_ENV: 'production' }).isProduction).toBe(true)
    expect(resolve(PRODUCTION).isProduction).toBe(true)
    for (const host of ['localhost', 'a.b.localhost', '127.0.0.1', '127.9.9.9', '[::1]']) {
      expect(resolve({ ...DEV, baseUrl: `http://${host}:3000` }).isProduction).toBe(false)
    }
  })

  test('lets production run in memory only when told so', () => {
    const { redis: _, ...rest } = PRODUCTION
    expect(faultsOf(rest)).toEqual([expect.stringMatching(/^"redis" \(REDIS_URL\) is required in production/)])
    expect(resolve({ ...rest, allowMemoryStore: true }).redis).toBeUndefined()
  })

  test('warns where hosts of two environments are mixed', () => {
    const warningsOf = (more: object): readonly string[] => resolve({ ...DEV, ...more }).warnings
    expect(warningsOf({ environment: 'sandbox', issuer: 'https://accounts.ppoppo.com' })[0]).toContain(
      'belongs to the production',
    )
    expect(warningsOf({ issuer: 'https://accounts.sandbox.ppoppo.com/' })[0]).toContain('belongs to the sandbox')
    expect(warningsOf({ environment: 'sandbox', idTokenIssuer: 'accounts.ppoppo.com' })[0]).toContain('"idTokenIssuer"')
    expect(warningsOf({ environment: 'sandbox', idTokenIssuer: 'accounts.sandbox.ppoppo.com' })).toEqual([])
    expect(warningsOf({ environment: 'local' })).toEqual([])
    expect(warningsOf({ issuer: 'http://127.0.0.1:4000' })).toEqual([])
  })
})

function productionRest(): object {
  const { clientId: _c, baseUrl: _b, ...rest } = PRODUCTION
  return rest
}

describe('what is refused', () => {
  const wrong: Record<string, unknown[]> = {
    clientId: ['', 'two words', 'tab\there', 7, {}, 'ü', 'x'.repeat(201)],
    baseUrl: [
      '',
      'app.example',
      'http://app.example',
      'https://app.example/path',
      'https://app.example?x=1',
      'https://app.example#',
      'https://app.example/?',
      'https://me:pw@app.example',
      'https://@app.example',
      'ftp://app.example',
      'https:app.example',
      'https:///app.example',
      'https:\\\\app.example',
      'https://app.example\n',
      'https://*.example',
      'http://0.0.0.0:3000',
      'http://localhost.evil.example',
      'http://127.0.0.1.nip.io',
      42,
      ['https://app.example'],
      null,
    ],
    environment: ['Production', 'staging', '', 1, 'toString'],
    issuer: [
      'accounts.ppoppo.com',
      'http://accounts.ppoppo.com',
      'https://a.example?x',
      'https://a.example#f',
      'https://u@a.example',
      ' https://a.example',
      5,
    ],
    idTokenIssuer: ['', 'a b', 5],
    scope: [
      '',
      'openid',
      'profile email',
      'openid profile "x"',
      'openid profile back\\slash',
      ['openid', 'profile', 'a b'],
      [],
      7,
      ['openid', 7, 'profile'],
    ],
    resource: ['', 'not a uri', 'https://api.example/#x', 9],
    mountPath: [
      '',
      '/',
      'auth',
      '//auth',
      '/a//b',
      '/auth?x',
      '/auth#x',
      '/../auth',
      '/./auth',
      '/au th',
      '/auth/:id',
      '/auth*',
      '/%61uth',
      '/인증',
      1,
    ],
    redis: ['localhost:6379', 'http://localhost', '', {}, 6379, { isOpen: true, duplicate: () => null }],
    keyPrefix: ['', 'a{b}', 'a b', 'a*', 1, 'x'.repeat(101)],
    allowMemoryStore: ['true', 1],
    session: [
      true,
      'off',
      [],
      { idleMs: 0 },
      { idleMs: 1.5 },
      { idleMs: '5' },
      { idleMs: 999 },
      { idleMs: 9_000, absoluteMs: 8_000 },
      { absoluteMs: Infinity },
      { absoluteMs: 1e15 },
      { cookieName: '' },
      { cookieName: 'a b' },
      { cookieName: 'a;b' },
      { cookieName: 7 },
    ],
    keepAnonymous: ['cart', [''], [1], ['cookie']],
    allowedReturnOrigins: [
      'https://a.example',
      ['a.example'],
      ['http://a.example'],
      ['https://a.example/x'],
      ['https://*.example'],
      [1],
      [null],
    ],
    rateLimit: [true, 'off', { loginPerMinute: 0 }, { failuresPerMinute: '3' }, []],
    onSignIn: [1, {}],
    onSignOut: ['x'],
    onEvent: [[]],
    texts: [
      [],
      'en',
      { english: {} },
      { __prot: {} },
      { en: 'x' },
      { en: { signIn: '' } },
      { en: { signIn: 1 } },
      { en: { pages: { denied: { title: ' ' } } } },
      { en: { pages: 'x' } },
    ],
  }
  test.each(Object.entries(wrong).flatMap(([name, values]) => values.map((value) => [name, value] as const)))(
    '"%s": %j',
    (name, value) => {
      const faults = faultsOf({ ...DEV, [name]: value })
      expect(faults.length).toBeGreaterThan(0)
      expect(faults.every((line) => line.startsWith(`"${name}`))).toBe(true)
    },
  )

  test.each([undefined, null, 5, 'x', []])('options that are %j', (options) => {
    expect(faultsOf(options, {}).length).toBeGreaterThan(0)
  })

  test('a node-redis client, by its name', () => {
    expect(faultsOf({ ...DEV, redis: { isOpen: false, duplicate: () => null } })[0]).toContain('node-redis')
  })

  test('anything but "off" in PPOPPO_RATE_LIMIT', () => {
    expect(faultsOf(DEV, { PPOPPO_RATE_LIMIT: '100' })[0]).toContain('(PPOPPO_RATE_LIMIT) can only be "off"')
  })

  test('C22 a cookie name that does not fit the scheme', () => {
    expect(faultsOf({ ...PRODUCTION, session: { cookieName: 'sid' } })[0]).toContain('must begin with "__Host-"')
    expect(faultsOf({ ...PRODUCTION, session: { cookieName: '__Host-' } })).toHaveLength(1)
    expect(faultsOf({ ...DEV, session: { cookieName: '__host-sid' } })[0]).toContain('must not begin with')
    expect(resolve({ ...PRODUCTION, session: { cookieName: '__Host-sid' } }).cookieName).toBe('__Host-sid')
    expect(resolve({ ...DEV, session: { cookieName: 'sid' } }).cookieName).toBe('sid')
  })
})

describe('C27 weak, short, default or wrongly encoded secrets are refused', () => {
  const base64 = (bytes: Iterable<number>): string => Buffer.from([...bytes]).toString('base64')
  const good = randomBytes(32)

  test.each([
    '',
    'short',
    'x'.repeat(31),
    'x'.repeat(64),
    'ab'.repeat(20),
    '0123456789abcdef'.repeat(3),
    'changeme'.repeat(8),
    `${SECRET.slice(0, 20)}CHANGE_ME_please`,
    'keyboard cat keyboard cat keyboard',
    'my-super-secret-session-password-!!',
    'a1b1a1b1a1b1a1b1a1b1a1b1a1b1a1b1a1b1',
    'abcabcabcabcabcabcabcabcabcabcabcabc',
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
    ['no id', good.toString('base64')],
    ['odd id', `a.b:${good.toString('base64')}`],
    ['hex', `k1:${good.toString('hex')}`],
    ['31 bytes', `k1:${base64(good.subarray(1))}`],
    ['33 bytes', `k1:${base64([...good, 1])}`],
    ['a stray character', `k1:${good.toString('base64').replace(/^./, '*')}`],
    ['a space inside', `k1:${good.toString('base64').replace(/^..../, '$& ')}`],
    ['bits that are not there', `k1:${good.toString('base64').replace(/.=$/, 'B=')}`],
    ['a passphrase', `k1:${Buffer.from('correct horse battery staple 123').toString('base64')}`],
    ['zeros', `k1:${base64(new Uint8Array(32))}`],
    ['one byte', `k1:${base64(new Uint8Array(32).fill(0xaa))}`],
    ['counting', `k1:${base64(Array.from({ length: 32 }, (_, i) => i))}`],
    ['half a key twice', `k1:${base64([...good.subarray(0, 16), ...good.subarray(0, 16)])}`],
    ['empty list', []],
    ['same id', [KEY, `k1:${good.toString('base64')}`]],
    ['same key', [KEY, KEY.replace('k1', 'k2')]],
  ])('vaultKeys: %s', (_, keys) => {
    const faults = faultsOf({ ...PRODUCTION, vaultKeys: keys })
    expect(faults).toEqual([expect.stringMatching(/^"vaultKeys" \(PPOPPO_VAULT_KEYS\) /)])
    for (const key of [keys].flat()) expect(faults[0]).not.toContain(String(key).slice(-9))
  })

  test('a key is taken as base64 or base64url, padded or not', () => {
    for (const text of [
      good.toString('base64'),
      good.toString('base64').replace('=', ''),
      good.toString('base64url'),
    ]) {
      expect(resolve({ ...PRODUCTION, vaultKeys: [`k:${text}`] }).vaultKeys?.[0]?.secret).toEqual(good)
    }
  })

  test('freshly made secrets always pass', () => {
    for (let round = 0; round < 2_000; round++) {
      const secret = randomBytes(32).toString(round % 2 === 0 ? 'base64url' : 'hex')
      expect(faultsOf({ ...DEV, sessionSecret: secret, vaultKeys: `k:${randomBytes(32).toString('base64')}` })).toEqual(
        [],
      )
    }
  })

  test('C24 no message ever holds a value that was given', () => {
    const marked = fc.string({ unit: 'binary', maxLength: 40 }).map((noise) => `zq${noise.replaceAll('"', '')}9Qz7`)
    const value = fc.oneof(
      marked,
      fc.array(marked, { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('idleMs', 'en', 'cookieName', 'pages'), marked),
    )
    const names = Object.keys(wrong())
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value), marked, (options, variable) => {
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
function wrong(): Record<string, true> {
  return {
    clientId: true,
    baseUrl: true,
    environment: true,
    issuer: true,
    idTokenIssuer: true,
    scope: true,
    resource: true,
    mountPath: true,
    redis: true,
    keyPrefix: true,
    allowMemoryStore: true,
    sessionSecret: true,
    vaultKeys: true,
    session: true,
    keepAnonymous: true,
    allowedReturnOrigins: true,
    rateLimit: true,
    onSignIn: true,
    texts: true,
  }
}
