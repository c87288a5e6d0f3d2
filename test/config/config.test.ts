import { randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { Redis } from 'ioredis'
import { DEV, faultsOf, KEY, PRODUCTION, productionRest, resolve, SECRET } from '../support/config.js'

describe('resolveConfig', () => {
  test('passes its Redis and key prefix to the Messaging client, which may override them', () => {
    const config = resolve({ ...DEV, keyPrefix: 'acme:' }, { REDIS_URL: 'redis://one:6379' })
    expect(config.messaging).toMatchObject({ redis: 'redis://one:6379', keyPrefix: 'acme:' })
    const own = { redis: 'redis://two:6379', keyPrefix: 'messages:' }
    expect(resolve({ ...DEV, redis: 'redis://one:6379', messaging: own }).messaging).toMatchObject(own)
    const faulty = (): unknown => resolve(DEV, { REDIS_URL: 'nonsense' })
    expect(faulty).toThrow(/REDIS_URL/)
    expect(faulty).not.toThrow(/messaging:/)
  })

  test('fills in every default in development', () => {
    expect(resolve(DEV)).toEqual({
      clientId: 'acme_login_client',
      origin: 'http://localhost:3000',
      messaging: {
        apiUrl: 'https://api.ppoppo.com/ext',
        tokenUrl: 'https://accounts.ppoppo.com/oauth/token',
        missing: ['"clientId" (PAS_PCS_CLIENT_ID)', '"clientSecret" (PAS_PCS_CLIENT_SECRET)'],
        keepalive: { timeMs: 60_000, timeoutMs: 20_000 },
        deadlineMs: 20_000,
        maxAttempts: 4,
        keyPrefix: 'ppoppo:',
      },
      isHttps: false,
      isProduction: false,
      issuer: 'https://accounts.ppoppo.com',
      idTokenIssuer: 'https://accounts.ppoppo.com',
      scope: ['openid', 'profile'],
      appName: 'localhost:3000',
      mountPath: '/auth',
      basePath: '',
      strippedPrefix: '',
      homeUrl: 'http://localhost:3000/',
      redirectUri: 'http://localhost:3000/auth/callback',
      keyPrefix: 'ppoppo:',
      ownSession: true,
      idleMs: 30 * 86_400_000,
      absoluteMs: 180 * 86_400_000,
      keepAnonymous: [],
      allowedReturnOrigins: [],
      trustedOrigins: [],
      rateLimit: { loginPerMinute: 120, failuresPerMinute: 30 },
      texts: {},
      warnings: [],
    })
  })

  test('reads everything from the environment, and an option wins over its variable', () => {
    const env = {
      PPOPPO_CLIENT_ID: 'from_env',
      PPOPPO_BASE_URL: 'https://env.example/',
      PPOPPO_BASE_PATH: '/shop/',
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
      homeUrl: 'https://env.example/shop/',
      redirectUri: 'https://env.example/shop/auth/callback',
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

  test('suggests the nearest known option for an unknown one, also in nested options', () => {
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

  test('an option name of megabytes is rejected without an expensive comparison', () => {
    expect(faultsOf({ ...DEV, ['x'.repeat(20_000_000)]: 1 })[0]).toMatch(/^"\(odd name\)" is not an option; known are:/)
  })

  test('a missing option is reported with a hint that a .env file is not read automatically', () => {
    expect(() => resolve({}, {})).toThrow(/\nA \.env file is not read automatically: start Node with --env-file=\.env$/)
    expect(() => resolve({ ...DEV, scope: 'openid' })).toThrow(/must/)
    expect(() => resolve({ ...DEV, scope: 'openid' })).not.toThrow(/env-file/)
  })

  test('appName must be one line of visible text', () => {
    expect(resolve({ ...DEV, appName: ' 예제 <shop> ' }).appName).toBe('예제 <shop>')
    for (const appName of ['', ' ', '\u200b', '\u3164\u115f', 'a\nb', 'a\u202eb', 'x'.repeat(61), 7, '—'])
      expect(faultsOf({ ...DEV, appName })[0]).toMatch(/^"appName" must be the name of your site/)
  })

  test('does not quote a name that may be a pasted secret', () => {
    expect(faultsOf({ ...DEV, 's3cr3t/pasted+by=mistake': 1 })[0]).toMatch(/^"\(odd name\)" is not an option/)
  })

  test('C06 return origins are normalised, without duplicates and without the app’s own', () => {
    const allowedReturnOrigins = ['https://B.example/', 'https://b.example:443', 'http://localhost:3000']
    expect(resolve({ ...DEV, allowedReturnOrigins }).allowedReturnOrigins).toEqual(['https://b.example'])
    expect(resolve({ ...DEV, trustedOrigins: allowedReturnOrigins }).trustedOrigins).toEqual(['https://b.example'])
  })

  test('C01 there is no option for the PKCE method: plain cannot be configured', () => {
    for (const name of ['codeChallengeMethod', 'code_challenge_method', 'pkce', 'usePKCE']) {
      expect(faultsOf({ ...DEV, [name]: 'plain' })).toHaveLength(1)
    }
  })

  test('C04 the redirect URI depends on the configuration only', () => {
    expect(
      resolve({ ...DEV, baseUrl: 'https://App.Example:443/', mountPath: '/shop/auth/', ...productionRest() })
        .redirectUri,
    ).toBe('https://app.example/shop/auth/callback')
  })

  test('deeply freezes the result, except for the Redis client and the options', async () => {
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

  test('reduces the default idle lifetime to a shorter absolute lifetime', () => {
    expect(resolve({ ...DEV, session: { absoluteMs: 60_000 } })).toMatchObject({ idleMs: 60_000, absoluteMs: 60_000 })
  })

  test("session: false uses the app's own session and requires no session secret", () => {
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

  test('allows the memory store in production only with allowMemoryStore', () => {
    const { redis: _, ...rest } = PRODUCTION
    expect(faultsOf(rest)).toEqual([expect.stringMatching(/^"redis" \(REDIS_URL\) is required in production/)])
    expect(resolve({ ...rest, allowMemoryStore: true }).redis).toBeUndefined()
  })

  test('warns if the hosts of two environments are mixed', () => {
    const warningsOf = (more: object): readonly string[] =>
      resolve({ ...DEV, ...more }).warnings.map(({ detail }) => detail)
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
