import { describe, expect, test } from '@jest/globals'
import { DEV, faultsOf, PRODUCTION, resolve } from '../support/config.js'

describe('resolveConfig rejects', () => {
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
    trustedOrigins: [
      'https://a.example',
      ['*'],
      ['null'],
      ['http://a.example'],
      ['https://a.example/x'],
      ['https://*.a.example'],
      [1],
    ],
    rateLimit: [true, 'off', { loginPerMinute: 0 }, { failuresPerMinute: '3' }, []],
    onSignIn: [1, {}],
    onSignOut: ['x'],
    onEvent: [[]],
    fetch: ['https://proxy.example', {}, null],
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
    'option "%s" as %j',
    (name, value) => {
      const faults = faultsOf({ ...DEV, [name]: value })
      expect(faults.length).toBeGreaterThan(0)
      expect(faults.every((line) => line.startsWith(`"${name}`))).toBe(true)
    },
  )

  test.each([undefined, null, 5, 'x', []])('%j as options', (options) => {
    expect(faultsOf(options, {}).length).toBeGreaterThan(0)
  })

  test('a node-redis client, and names it', () => {
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
