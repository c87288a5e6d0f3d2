import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { checkSignInToken } from '../../src/provider/id-token.js'
import { createProvider, type Grant, type Provider } from '../../src/provider/provider.js'
import { DEV, resolve } from '../support/config.js'
import { base64url, createSignedPas, ISSUER, type SignedPas, SUB } from '../support/signed-pas.js'

const clientId = DEV.clientId
const exchanged = { code: 'c', state: 's'.repeat(43), nonce: 'n'.repeat(43), codeVerifier: 'v'.repeat(43) }
let pas: SignedPas
let provider: Provider

beforeEach(() => {
  pas = createSignedPas({ clientId, nonce: exchanged.nonce })
  provider = createProvider({
    config: resolve({ ...DEV, issuer: ISSUER }),
    runtime: pas.runtime,
    closed: new AbortController().signal,
    raise: () => {},
  })
})

const exchange = (): Promise<Grant & { readonly sub: string }> => provider.exchangeCode(exchanged)
/** The first `bytes` of a hash, as an id_token carries them. */
const hashOf = (algorithm: 'sha256' | 'sha512', text: string, bytes: number): string =>
  createHash(algorithm).update(text).digest().subarray(0, bytes).toString('base64url')
const now = (): number => Math.floor(Date.now() / 1000)

describe('id_tokens of the code exchange', () => {
  test.each([
    ['EdDSA', 'EdDSA'],
    ['Ed25519', 'Ed25519'],
    ['EdDSA', undefined],
    ['Ed25519', undefined],
    ['EdDSA', 'Ed25519'],
    ['Ed25519', 'EdDSA'],
  ])('C14 alg %s with a key whose alg is %s is taken', async (alg, keyAlg) => {
    pas.header = { alg }
    pas.jwk = keyAlg === undefined ? {} : { alg: keyAlg }
    expect(await exchange()).toMatchObject({ sub: SUB, scopes: ['openid', 'profile'], expiresInMs: 3_600_000 })
  })

  test.each<[string, unknown, string | undefined]>([
    ['just before', -10, undefined],
    ['within the tolerance of clocks', -310, undefined],
    ['long before', -3_600, 'older than max_age allows'],
    ['not said', undefined, 'which a request with max_age needs'],
    ['no time', 'soon', 'auth_time'],
  ])('X11 with max_age of 300 s, auth_time %s', async (_name, ago, problem) => {
    const at = typeof ago === 'number' ? now() + ago : ago
    pas.claims = { auth_time: at }
    const exchanging = provider.exchangeCode({ ...exchanged, seenSince: Date.now() - 300_000 })
    if (problem === undefined) expect(await exchanging).toMatchObject({ sub: SUB })
    else await expect(exchanging).rejects.toThrow(problem)
  })

  test.each<[string, Record<string, unknown>]>([
    ['two audiences, and azp is ours', { aud: [clientId, 'other'], azp: clientId }],
    ['our audience as a list', { aud: [clientId] }],
    ['no azp', { azp: undefined }],
    ['no at_hash', { at_hash: undefined }],
    ['iat a little ahead: clocks differ', { iat: now() + 50 }],
    ['exp a little behind: clocks differ', { exp: now() - 50 }],
    ['nbf a little ahead: clocks differ', { nbf: now() + 50 }],
    ['auth_time a little ahead: clocks differ', { auth_time: now() + 50 }],
    ['a person who signed in at PAS a year ago', { auth_time: now() - 365 * 86_400 }],
    ['at_hash by SHA-512, as the OpenID guide has it', { at_hash: hashOf('sha512', 'an.access.token', 32) }],
    ['at_hash by SHA-256, as PAS is reported to issue it', { at_hash: hashOf('sha256', 'an.access.token', 16) }],
    ['c_hash by SHA-512', { c_hash: hashOf('sha512', exchanged.code, 32) }],
    ['c_hash by SHA-256', { c_hash: hashOf('sha256', exchanged.code, 16) }],
  ])('C14 %s is taken', async (_name, claims) => {
    pas.claims = claims
    expect((await exchange()).sub).toBe(SUB)
  })

  test.each<[string, Record<string, unknown>]>([
    ['two audiences and no azp', { aud: [clientId, 'other'], azp: undefined }],
    ['two audiences and another azp', { aud: [clientId, 'other'], azp: 'other' }],
    ['another audience, and azp is ours', { aud: 'other' }],
    ['no audience', { aud: undefined }],
    ['no audience in the list', { aud: [] }],
    ['an azp that is no text', { azp: 7 }],
    ['another issuer', { iss: 'https://evil.example' }],
    ['an issuer with a slash', { iss: `${ISSUER}/` }],
    ['an issuer without a scheme', { iss: 'pas.example' }],
    ['no issuer', { iss: undefined }],
    ['no nonce', { nonce: undefined }],
    ['another nonce', { nonce: 'x'.repeat(43) }],
    ['no exp', { exp: undefined }],
    ['exp that is past', { exp: now() - 600 }],
    ['exp that is a text', { exp: String(now() + 600) }],
    ['no iat', { iat: undefined }],
    ['iat far ahead', { iat: now() + 600 }],
    ['nbf far ahead', { nbf: now() + 600 }],
    ['nbf that is a text', { nbf: '0' }],
    ['auth_time far ahead', { auth_time: now() + 600 }],
    ['auth_time that is a list', { auth_time: [] }],
    ['exp just beyond what clocks may differ by', { exp: now() - 61 }],
    ['nbf just beyond what clocks may differ by', { nbf: now() + 70 }],
    ['iat before there were clocks', { iat: -1 }],
    ['at_hash of another token', { at_hash: 'A'.repeat(43) }],
    ['at_hash of another token, by SHA-256', { at_hash: 'A'.repeat(22) }],
    ['at_hash that is the first half of the right SHA-512', { at_hash: hashOf('sha512', 'an.access.token', 16) }],
    ['at_hash that is all of SHA-256', { at_hash: hashOf('sha256', 'an.access.token', 32) }],
    ['at_hash that is all of SHA-512', { at_hash: hashOf('sha512', 'an.access.token', 64) }],
    ['at_hash that is one byte of the right one', { at_hash: hashOf('sha256', 'an.access.token', 1) }],
    ['at_hash with padding', { at_hash: `${hashOf('sha256', 'an.access.token', 16)}==` }],
    ['at_hash in hexadecimal', { at_hash: Buffer.from(hashOf('sha256', 'an.access.token', 16)).toString('hex') }],
    ['at_hash with a letter that is skipped', { at_hash: `${hashOf('sha512', 'an.access.token', 32)} ` }],
    ['at_hash that is empty', { at_hash: '' }],
    ['at_hash that is a list', { at_hash: [hashOf('sha512', 'an.access.token', 32)] }],
    ['c_hash of another code', { c_hash: hashOf('sha512', 'another', 32) }],
    ['c_hash of the access token', { c_hash: hashOf('sha256', 'an.access.token', 16) }],
    ['a sub that is an e-mail address', { sub: 'alex@example.com' }],
    ['a sub that is a ppnum', { sub: '77700000001' }],
    ['a sub in small letters', { sub: SUB.toLowerCase() }],
    ['a sub beyond a ULID', { sub: `8${SUB.slice(1)}` }],
    ['a sub with something after it', { sub: `${SUB}\n` }],
    ['an empty sub', { sub: '' }],
    ['no sub', { sub: undefined }],
  ])('C14 %s is refused', async (_name, claims) => {
    pas.claims = claims
    await expect(exchange()).rejects.toMatchObject({ code: 'provider_response_invalid', retryable: false })
  })

  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['alg none', { alg: 'none' }, {}],
    ['alg None', { alg: 'None' }, {}],
    ['alg HS256', { alg: 'HS256' }, {}],
    ['alg RS256, though PAS announces it', { alg: 'RS256' }, {}],
    ['alg ES256', { alg: 'ES256' }, {}],
    ['no alg', { alg: undefined }, {}],
    ['a critical extension', { crit: ['b64'], b64: false }, {}],
    ['an unknown kid', { kid: 'k2' }, {}],
    ['a key for encryption', {}, { use: 'enc' }],
    ['a key of another curve', {}, { crv: 'X25519' }],
    ['a key of another algorithm', {}, { alg: 'ES256' }],
  ])('C14 %s is refused', async (_name, header, jwk) => {
    pas.header = header
    pas.jwk = jwk
    await expect(exchange()).rejects.toMatchObject({ code: 'provider_response_invalid' })
  })

  // The second may end between making the token and reading it.
  test.each<[string, number, RegExp]>([
    ['iat', 90, /"iat"\. PAS's clock is (90|89|88) s ahead of this machine's: check this machine's clock\.$/],
    ['nbf', 9 * 3600, /"nbf"\. PAS's clock is (32400|3239\d) s ahead of/],
    ['auth_time', 600, /"auth_time"\. PAS's clock is (600|59\d) s ahead of/],
  ])('S16 %s that is %i s ahead is put down to the clocks, and says by how much', async (claim, seconds, message) => {
    pas.claims = { [claim]: now() + seconds }
    await expect(exchange()).rejects.toMatchObject({
      code: 'provider_response_invalid',
      message: expect.stringMatching(message),
    })
  })

  test('S16 a token that comes expired by hours is put down to the clocks, too', async () => {
    pas.claims = { iat: now() - 9 * 3600, exp: now() - 8 * 3600 }
    await expect(exchange()).rejects.toThrow(
      /"exp". PAS's clock is 3240\d s behind this machine's: check this machine's/,
    )
  })

  test('S16 what is wrong in another way is not put down to a clock', async () => {
    pas.claims = { iat: now() + 90, nonce: 'x'.repeat(43) }
    await expect(exchange()).rejects.toThrow('"nonce"')
    pas.claims = { exp: now() - 600 }
    await expect(exchange()).rejects.not.toThrow('clock')
  })

  test('C14 of several keys without a kid the one that signed is found', async () => {
    const stranger = createSignedPas({ clientId, nonce: exchanged.nonce })
    const keysOf = async (one: SignedPas): Promise<object[]> =>
      Object(await (await one.runtime.fetch(`${ISSUER}/.well-known/jwks.json`, {})).json()).keys
    const keys = [
      ...(await keysOf(stranger)),
      { kty: 'OKP', crv: 'Ed25519', kid: 'k1', x: 'none' },
      ...(await keysOf(pas)),
    ]
    pas.instead['/.well-known/jwks.json'] = () => Response.json({ keys })
    pas.header = { kid: undefined }
    expect((await exchange()).sub).toBe(SUB)
  })

  test('C14 a key that changed under its kid is fetched once more before anybody is refused', async () => {
    await exchange()
    const renewed = createSignedPas({ clientId, nonce: exchanged.nonce })
    pas.instead['/.well-known/jwks.json'] = () => renewed.runtime.fetch(`${ISSUER}/.well-known/jwks.json`, {})
    pas.instead['/oauth/token'] = () => renewed.runtime.fetch(`${ISSUER}/oauth/token`, {})
    expect((await exchange()).sub).toBe(SUB)
  })

  test('C14 a key brought along in the header is not used', async () => {
    const stranger = createSignedPas({ clientId, nonce: exchanged.nonce })
    const keySet = await (await stranger.runtime.fetch(`${ISSUER}/.well-known/jwks.json`, {})).text()
    stranger.header = { jwk: JSON.parse(keySet).keys[0], jku: `${ISSUER}/evil.json` }
    pas.instead['/oauth/token'] = () => stranger.runtime.fetch(`${ISSUER}/oauth/token`, {})
    await expect(exchange()).rejects.toMatchObject({ code: 'provider_response_invalid' })
    expect(pas.requests).not.toContain('GET /evil.json')
  })

  test('C14 idTokenIssuer is expected where it is set, and the plain issuer no longer', async () => {
    const config = resolve({ ...DEV, issuer: ISSUER, idTokenIssuer: 'pas.example' })
    provider = createProvider({ config, runtime: pas.runtime, closed: new AbortController().signal, raise: () => {} })
    await expect(exchange()).rejects.toMatchObject({ code: 'provider_response_invalid' })
    pas.claims = { iss: 'pas.example' }
    expect((await exchange()).sub).toBe(SUB)
  })

  test('C14 the key set is fetched once for many exchanges, and again after one that failed verification', async () => {
    const keySets = (): number => pas.requests.filter((one) => one.endsWith('jwks.json')).length
    for (let round = 0; round < 3; round += 1) await exchange()
    expect(keySets()).toBe(1)
    pas.header = { kid: 'k2' }
    await expect(exchange()).rejects.toThrow()
    expect(keySets()).toBe(2)
    pas.jwk = { kid: 'k2' }
    await exchange()
    expect(keySets()).toBe(3)
  })

  test.each([
    '',
    'a',
    'a.b',
    'a.b.c.d',
    '..',
    `${base64url({ alg: 'EdDSA' })}..`,
    `${base64url([])}.${base64url([])}.x`,
    '\0',
  ])('C14 %j is no id_token', (text) => {
    const expected = { issuer: ISSUER, clientId, accessToken: 'a', code: 'c', nonce: 'n', now: Date.now() }
    expect(() => checkSignInToken(text, expected)).toThrow('does not verify')
  })
})

describe('id_tokens of a refresh', () => {
  const HOUR_MS = 3_600_000
  const refresh = (signedInAt = Date.now() - HOUR_MS): Promise<Grant | 'revoked'> =>
    provider.refresh('rt_1', { sub: SUB, createdAt: signedInAt, scopes: ['openid', 'profile'] })

  test.each<[string, Record<string, unknown>]>([
    ['no nonce', { nonce: undefined }],
    ['auth_time of the sign-in', { auth_time: now() - 3_600 }],
    ['auth_time of a sign-in at PAS long before ours', { auth_time: now() - 86_400 }],
    ['no auth_time', { auth_time: null }],
    ['no azp', { azp: undefined }],
    ['at_hash by SHA-256', { at_hash: hashOf('sha256', 'an.access.token', 16) }],
  ])('X4 with %s are taken', async (_name, claims) => {
    pas.claims = claims
    expect(await refresh()).toMatchObject({ accessToken: pas.accessToken })
  })

  test.each<[string, Record<string, unknown>]>([
    ['another sub', { sub: `0${SUB.slice(1, -1)}X` }],
    ['no sub', { sub: undefined }],
    ['another issuer', { iss: 'https://evil.example' }],
    ['another audience', { aud: 'other' }],
    ['another azp', { azp: 'other' }],
    ['auth_time later than the sign-in', { auth_time: now() - 60 }],
    ['at_hash of another token', { at_hash: 'A'.repeat(43) }],
    ['no iat', { iat: undefined }],
  ])('X4 with %s are not about this sign-in', async (_name, claims) => {
    pas.claims = claims
    await expect(refresh()).rejects.toThrow('the sign-in ends')
  })
})

describe('errors of calls to PAS', () => {
  test.each([
    ['/oauth/token', () => exchange()],
    ['/oauth/userinfo', () => provider.userinfo('an.access.token', SUB)],
    ['/.well-known/openid-configuration', () => provider.prepareAuthorization()],
  ])('C24 whatever %s answers, no error quotes it', async (path, call) => {
    const secret = 'rt_SECRET_that_must_not_be_quoted'
    const bodies = [
      secret,
      `{"access_token":"${secret}"}`,
      `{"error":"${secret} \\n"}`,
      `{"error":["${secret}"]}`,
      `["${secret}"]`,
    ]
    for (const status of [200, 201, 204, 302, 400, 401, 404, 429, 500]) {
      for (const body of bodies) {
        pas.instead[path] = () =>
          new Response([204, 304].includes(status) ? null : body, {
            status,
            headers: { 'content-type': 'application/json' },
          })
        const error: unknown = await call().then(
          () => undefined,
          (reason: unknown) => reason,
        )
        expect(inspect(error, { depth: 9 })).not.toContain(secret)
      }
    }
  })

  test.each([{ code: 'ECONNREFUSED' }, { code: 'ENOTFOUND' }, { code: 'CERT_HAS_EXPIRED' }])(
    'C38 %j is named, and may be tried again',
    async (cause) => {
      pas.instead['/.well-known/openid-configuration'] = () =>
        Promise.reject(new TypeError('fetch failed', { cause: Object.assign(new Error('no'), cause) }))
      await expect(provider.prepareAuthorization()).rejects.toMatchObject({
        code: 'provider_unavailable',
        message: expect.stringContaining(cause.code),
        retryAfterMs: 5_000,
      })
    },
  )

  test('C38 an announced endpoint that is not https is not used', async () => {
    const documented = await (await pas.runtime.fetch(`${ISSUER}/.well-known/openid-configuration`, {})).text()
    pas.instead['/.well-known/openid-configuration'] = () =>
      Response.json({ ...JSON.parse(documented), token_endpoint: 'http://pas.example/oauth/token' })
    await expect(provider.prepareAuthorization()).rejects.toMatchObject({
      code: 'provider_misconfigured',
      message: expect.stringContaining('token_endpoint'),
    })
  })
})
