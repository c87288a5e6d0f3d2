import { beforeEach, describe, expect, test } from '@jest/globals'
import { createProvider, type Provider } from '../../src/provider/provider.js'
import { DEV, resolve } from '../support/config.js'
import { createSignedPas, ISSUER, type SignedPas, SUB } from '../support/signed-pas.js'
import { startWorld } from '../support/world.js'

const clientId = DEV.clientId
const exchanged = { code: 'c', state: 's'.repeat(43), nonce: 'n'.repeat(43), codeVerifier: 'v'.repeat(43) }
const DISCOVERY = '/.well-known/openid-configuration'
const JWKS = '/.well-known/jwks.json'
const TOKEN = '/oauth/token'
const USERINFO = '/oauth/userinfo'

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

/** From now on `path` answers as before, with these members over its own; `undefined` leaves one out. */
async function change(path: string, members: object): Promise<void> {
  const { instead } = pas
  delete instead[path]
  instead[path] = async () => {
    const before = instead[path]
    delete instead[path]
    const usual = Object(await (await pas.runtime.fetch(ISSUER + path, { method: 'GET' })).json())
    if (before) instead[path] = before
    return Response.json({ ...usual, ...members })
  }
}

/** All of a sign-in that asks PAS something, and what a page needs after it. */
async function signIn(): Promise<{ sub: string; ppnum: string; email: string | undefined; logout: URL | undefined }> {
  await provider.prepareAuthorization()
  const grant = await provider.exchangeCode(exchanged)
  const info = await provider.userinfo(grant.accessToken, grant.sub)
  if (info === 'rejected') throw new Error('userinfo takes no token')
  await provider.revoke('rt_1')
  return { sub: grant.sub, ppnum: info.ppnum, email: info.email, logout: await provider.endSessionUrl() }
}

describe('members that PAS has nothing for', () => {
  test.each<[string, object]>([
    [DISCOVERY, { end_session_endpoint: null }],
    [DISCOVERY, { revocation_endpoint: null }],
    [DISCOVERY, { end_session_endpoint: '', revocation_endpoint: '' }],
    [DISCOVERY, { authorization_response_iss_parameter_supported: null }],
    [DISCOVERY, { jwks_uri: null, token_endpoint: null, userinfo_endpoint: null, authorization_endpoint: null }],
    [DISCOVERY, { id_token_signing_alg_values_supported: null, mtls_endpoint_aliases: null, claims_supported: [null] }],
    [TOKEN, { refresh_token: null, expires_in: null, scope: null }],
    [TOKEN, { refresh_token: '' }],
    [TOKEN, { error: null, error_description: null, token_type: 'bearer' }],
    [USERINFO, { email: null, email_verified: null, account_type: null, entity_type: null, name: null }],
    [USERINFO, { email: '', account_type: '' }],
  ])('%s with %j: the sign-in goes on as if they were not there', async (path, members) => {
    await change(path, members)
    expect(await signIn()).toEqual({ sub: SUB, ppnum: '77700000001', email: undefined, logout: undefined })
  })

  test('a key set with an empty place, and keys with empty members, still has its key', async () => {
    const [key] = Object(await (await pas.runtime.fetch(ISSUER + JWKS, {})).json()).keys
    pas.instead[JWKS] = () =>
      Response.json({ keys: [null, { ...key, use: null, key_ops: null, alg: null, x5c: null }] })
    expect((await signIn()).sub).toBe(SUB)
  })

  test.each(['azp', 'nbf', 'auth_time', 'at_hash', 'c_hash', 'acr', 'amr'])(
    'an id_token whose %s is null is taken',
    async (claim) => {
      pas.claims = { [claim]: null }
      expect((await signIn()).sub).toBe(SUB)
    },
  )

  test.each(['iss', 'sub', 'aud', 'exp', 'iat', 'nonce'])('an id_token whose %s is null lacks it', async (claim) => {
    pas.claims = { [claim]: null }
    await expect(signIn()).rejects.toMatchObject({
      code: 'provider_response_invalid',
      message: expect.stringContaining(`"${claim}"`),
    })
  })

  test.each([DISCOVERY, JWKS, TOKEN, USERINFO])(
    'X2 %s that begins with a byte order mark is read as without',
    async (path) => {
      await change(path, path === JWKS ? {} : { end_session_endpoint: null, refresh_token: null, email: null })
      const { [path]: usual } = pas.instead
      pas.instead[path] = async () => new Response(`\ufeff${await (await usual?.())?.text()}`)
      expect(await signIn()).toEqual({ sub: SUB, ppnum: '77700000001', email: undefined, logout: undefined })
    },
  )

  test.each([DISCOVERY, TOKEN, USERINFO])('%s with a success that is none is named', async (path) => {
    await change(path, {})
    const { [path]: usual } = pas.instead
    pas.instead[path] = async () => new Response(await (await usual?.())?.text(), { status: 202 })
    await expect(signIn()).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: expect.stringContaining('HTTP 202'),
    })
  })

  test('a header with empty members is a header without them', async () => {
    pas.header = { crit: null, typ: null, kid: null }
    expect((await signIn()).sub).toBe(SUB)
  })

  test.each(['{"error":null}', '{"error":null,"error_description":null}', '{"error":{}}', 'null', '[]', '[null]'])(
    'a refusal %s has no code',
    async (body) => {
      pas.instead[TOKEN] = () => new Response(body, { status: 400, headers: { 'content-type': 'application/json' } })
      await expect(signIn()).rejects.toMatchObject({
        code: 'provider_misconfigured',
        message: expect.stringContaining('no error code (HTTP 400)'),
      })
    },
  )

  test('a PAS that writes null wherever it has nothing signs people in, out, and renews their tokens', async () => {
    const world = await startWorld({ sandbox: { sendNulls: true } })
    try {
      const browser = await world.signedIn('robo')
      world.sandbox.control.expireAccessTokens()
      expect((await browser.visit(`${world.url}/userinfo`)).status).toBe(200)
      expect(world.sandbox.control.counters.tokenRefresh).toBe(1)
      expect((await browser.visit(`${world.url}/auth/logout`, { method: 'POST' })).status).toBe(303)
      expect(world.events.map(({ type }) => type)).toEqual(['sign_in', 'token_refreshed', 'sign_out'])
    } finally {
      await world.close()
    }
  })
})

describe('members that are not what they should be', () => {
  test.each<[string, string, object]>([
    [DISCOVERY, 'issuer', { issuer: null }],
    [DISCOVERY, 'issuer', { issuer: [ISSUER] }],
    [DISCOVERY, 'token_endpoint', { token_endpoint: { url: `${ISSUER}/oauth/token` } }],
    [DISCOVERY, 'end_session_endpoint', { end_session_endpoint: [] }],
    [DISCOVERY, 'revocation_endpoint', { revocation_endpoint: 7 }],
    [DISCOVERY, 'userinfo_endpoint', { userinfo_endpoint: `${ISSUER}/${'x'.repeat(2_048)}` }],
    [DISCOVERY, 'jwks_uri', { jwks_uri: false }],
    [
      DISCOVERY,
      'authorization_response_iss_parameter_supported',
      { authorization_response_iss_parameter_supported: [] },
    ],
    [JWKS, 'keys', { keys: {} }],
    [JWKS, 'keys', { keys: null }],
    [JWKS, 'keys', { keys: ['x'] }],
    [JWKS, 'keys', { keys: Array(101).fill({ kty: 'OKP' }) }],
    [TOKEN, 'access_token', { access_token: null }],
    [TOKEN, 'access_token', { access_token: ['a'] }],
    [TOKEN, 'access_token', { access_token: 'a b' }],
    [TOKEN, 'access_token', { access_token: 'a\r\nb: c' }],
    [TOKEN, 'access_token', { access_token: 'a'.repeat(16_385) }],
    [TOKEN, 'token_type', { token_type: null }],
    [TOKEN, 'token_type', { token_type: 'DPoP' }],
    [TOKEN, 'token_type', { token_type: {} }],
    [TOKEN, 'refresh_token', { refresh_token: {} }],
    [TOKEN, 'refresh_token', { refresh_token: 'r'.repeat(16_385) }],
    [TOKEN, 'refresh_token', { refresh_token: 'r\0' }],
    [TOKEN, 'expires_in', { expires_in: 1e306 }],
    [TOKEN, 'expires_in', { expires_in: '1e306' }],
    [TOKEN, 'expires_in', { expires_in: '9'.repeat(400) }],
    [TOKEN, 'expires_in', { expires_in: 315_360_001 }],
    [TOKEN, 'expires_in', { expires_in: -1 }],
    [TOKEN, 'expires_in', { expires_in: [3600] }],
    [TOKEN, 'expires_in', { expires_in: 'an hour' }],
    [TOKEN, 'scope', { scope: ['openid', 'profile'] }],
    [TOKEN, 'scope', { scope: {} }],
    [TOKEN, 'scope', { scope: `openid profile ${'x'.repeat(4_096)}` }],
    [TOKEN, 'scope', { scope: 'openid\nprofile' }],
    [TOKEN, 'id_token', { id_token: {} }],
    [TOKEN, 'id_token', { id_token: 'x'.repeat(32_769) }],
    [USERINFO, 'sub', { sub: null }],
    [USERINFO, 'sub', { sub: [SUB] }],
    [USERINFO, 'sub', { sub: 'x'.repeat(100_000) }],
    [USERINFO, 'ppnum', { ppnum: null }],
    [USERINFO, 'ppnum', { ppnum: 77700000001 }],
    [USERINFO, 'ppnum', { ppnum: '7'.repeat(300_000) }],
    [USERINFO, 'ppnum', { ppnum: '7'.repeat(10) }],
    [USERINFO, 'created_at', { created_at: null }],
    [USERINFO, 'created_at', { created_at: {} }],
    [USERINFO, 'created_at', { created_at: 'yesterday' }],
    [USERINFO, 'created_at', { created_at: `2026-01-01T00:00:00.${'0'.repeat(100)}Z` }],
    [USERINFO, 'email', { email: ['alex@example.com'] }],
    [USERINFO, 'email', { email: `${'a'.repeat(320)}@example.com` }],
    [USERINFO, 'email', { email: 'alex@example.com\r\nBcc: eve@example.com' }],
    [USERINFO, 'email_verified', { email_verified: {} }],
    [USERINFO, 'account_type', { account_type: ['ai_agent'] }],
    [USERINFO, 'account_type', { account_type: 'x'.repeat(65) }],
    [USERINFO, 'entity_type', { entity_type: 7 }],
  ])('%s: %s is a fault of PAS that names it', async (path, member, members) => {
    await change(path, members)
    const error: unknown = await signIn().catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'provider_response_invalid',
      retryable: false,
      message: expect.stringContaining(`"${member}"`),
    })
    expect(String(error).length).toBeLessThan(300)
  })

  test.each([TOKEN, USERINFO, DISCOVERY, JWKS])('%s: JSON that is no object is said to be that', async (path) => {
    for (const body of ['null', '[]', '7', '"text"', 'true', `${'['.repeat(100_000)}${']'.repeat(100_000)}`]) {
      pas.instead[path] = () => new Response(body, { headers: { 'content-type': 'application/json' } })
      await expect(signIn()).rejects.toMatchObject({
        code: 'provider_response_invalid',
        message: expect.stringContaining('must be a JSON object'),
      })
    }
  })

  test.each<[string, object]>([
    [TOKEN, { access_token: 'a'.repeat(16_384) }],
    [TOKEN, { refresh_token: `rt ${'r'.repeat(16_381)}` }],
    [TOKEN, { expires_in: 315_360_000 }],
    [TOKEN, { expires_in: '3600' }],
    [TOKEN, { expires_in: 0 }],
    [TOKEN, { expires_in: 59.9999 }],
    [USERINFO, { ppnum: '7'.repeat(64), email_verified: 'true', account_type: 'human' }],
    [USERINFO, { email: `${'a'.repeat(64)}@${'b'.repeat(251)}.com` }],
    [DISCOVERY, { unknown: { deep: [[[null]]] }, grant_types_supported: 7 }],
  ])('%s with the most or least that is allowed is taken', async (path, members) => {
    pas.claims = { at_hash: undefined }
    await change(path, members)
    expect((await signIn()).sub).toBe(SUB)
  })

  test('whatever life PAS gives a token, it ends at a whole millisecond', async () => {
    for (const seconds of [0, 0.4, 1.0001, 59.9999, '60.00001', 3_600]) {
      await change(TOKEN, { expires_in: seconds })
      const { expiresInMs } = await provider.exchangeCode(exchanged)
      expect(Number.isSafeInteger(expiresInMs) && expiresInMs >= 1_000).toBe(true)
    }
  })
})
