import { describe, expect, test } from '@jest/globals'
import * as oidc from 'openid-client'
import { beginAttempt, CLIENT_ID, discover, locationOf, press, REDIRECT_URI, sandboxFor, signIn } from './support.js'

type Fields = { readonly [name: string]: string }

async function authorize(options: Parameters<typeof sandboxFor>[0], change: Fields, without: readonly string[] = []) {
  const sandbox = await sandboxFor(options)
  const { url } = await beginAttempt(await discover(sandbox), change)
  for (const name of without) url.searchParams.delete(name)
  return fetch(url, { redirect: 'manual' })
}

async function bodyOf(response: Response): Promise<{ [name: string]: unknown }> {
  return JSON.parse(await response.text())
}

describe('the authorization endpoint', () => {
  test.each([
    ['an unknown client', { client_id: 'stranger' }, 401, 'invalid_client'],
    ['a redirect URI elsewhere', { redirect_uri: 'https://evil.example.test/cb' }, 400, 'invalid_redirect_uri'],
    ['a host that only looks local', { redirect_uri: 'http://localhost.evil.test/cb' }, 400, 'invalid_redirect_uri'],
    ['a redirect URI with a fragment', { redirect_uri: 'http://localhost:3000/#x' }, 400, 'invalid_redirect_uri'],
  ])('%s is shown in the browser, never redirected', async (_what, change, status, error) => {
    const response = await authorize({}, change)
    expect([response.status, response.headers.get('location')]).toEqual([status, null])
    expect(await bodyOf(response)).toMatchObject({ error })
  })

  test('a browser gets such an error as a page', async () => {
    const sandbox = await sandboxFor()
    const { url } = await beginAttempt(await discover(sandbox), { client_id: '<b>stranger' })
    const response = await fetch(url, { headers: { Accept: 'text/html,*/*;q=0.8' } })
    expect([response.status, response.headers.get('content-type')]).toEqual([401, 'text/html; charset=utf-8'])
    expect(await response.text()).toContain('<code>invalid_client</code>')
  })

  test.each<[string, Fields, string[], string]>([
    ['no PKCE challenge', {}, ['code_challenge', 'code_challenge_method'], 'invalid_request'],
    ['PKCE plain', { code_challenge_method: 'plain' }, [], 'invalid_request'],
    ['no challenge method, which means plain', {}, ['code_challenge_method'], 'invalid_request'],
    ['an unknown scope', { scope: 'openid admin' }, [], 'invalid_scope'],
    ['no scope', {}, ['scope', 'nonce'], 'invalid_request'],
    ['prompt=none with nobody signed in', { prompt: 'none' }, [], 'login_required'],
  ])('%s goes back to the app as an error', async (_what, change, without, error) => {
    const callback = locationOf(await authorize({}, change, without))
    expect(callback.href.startsWith(REDIRECT_URI)).toBe(true)
    expect(callback.searchParams.get('error')).toBe(error)
    expect(callback.searchParams.get('error_description')).toBeTruthy()
    expect(callback.searchParams.get('iss')).toBeNull()
  })

  test('a response type other than code is refused where that type would answer: in the fragment', async () => {
    const { hash } = locationOf(await authorize({}, { response_type: 'token' }))
    expect(new URLSearchParams(hash.slice(1)).get('error')).toBe('unsupported_response_type')
  })

  test.each([
    'http://127.0.0.1:1/x',
    'http://127.1.2.3/x',
    'http://[::1]:3000/',
    'https://localhost/auth/callback?a=b',
    'http://shop.localhost:3000/auth/callback',
    'http://a.b.localhost/',
  ])('%s is on this machine, and taken', async (redirectUri) => {
    const response = await authorize({ autoSignIn: 'alex' }, { redirect_uri: redirectUri })
    expect(locationOf(response).searchParams.get('code')).toBeTruthy()
  })

  test.each([
    'http://evillocalhost/cb',
    'http://127.0.0.1.evil.test/cb',
    'http://.localhost/cb',
    'http://a@localhost/cb',
    'http://0.0.0.0/cb',
  ])('%s only looks as if it were on this machine', async (redirectUri) => {
    expect((await authorize({ autoSignIn: 'alex' }, { redirect_uri: redirectUri })).status).toBe(400)
  })

  test('a client list is exact, to the byte', async () => {
    const clients = [{ clientId: 'shop', redirectUris: ['https://shop.example.test/cb'] }]
    const options = { clients, autoSignIn: 'alex' }
    const [good, other, open] = await Promise.all([
      authorize(options, { client_id: 'shop', redirect_uri: 'https://shop.example.test/cb' }),
      authorize(options, { client_id: 'shop', redirect_uri: 'https://shop.example.test/cb/' }),
      authorize(options, {}),
    ])
    expect(locationOf(good).searchParams.get('code')).toBeTruthy()
    expect([other.status, open.status]).toEqual([400, 401])
  })

  test('iss comes with the code, and discovery says so, when the switch is on', async () => {
    const sandbox = await sandboxFor({ sendIssuerParameter: true })
    const config = await discover(sandbox)
    expect(config.serverMetadata().authorization_response_iss_parameter_supported).toBe(true)
    const { url } = await beginAttempt(config)
    expect(locationOf(await press(url, 'alex')).searchParams.get('iss')).toBe(sandbox.issuer)
    await expect(signIn(config, 'alex')).resolves.toBeDefined()
  })
})

describe('the token endpoint', () => {
  async function tryCode(change: Fields, without: readonly string[] = []): Promise<Response[]> {
    const sandbox = await sandboxFor()
    const { url, checks } = await beginAttempt(await discover(sandbox))
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      code: locationOf(await press(url, 'alex')).searchParams.get('code') ?? '',
      client_id: CLIENT_ID,
      redirect_uri: REDIRECT_URI,
      code_verifier: checks.pkceCodeVerifier,
      ...change,
    })
    for (const name of without) body.delete(name)
    const send = (): Promise<Response> => fetch(`${sandbox.issuer}/oauth/token`, { method: 'POST', body })
    return [await send(), await send()]
  }

  test.each<[string, Fields, number, string]>([
    ['an unknown client', { client_id: 'stranger' }, 401, 'invalid_client'],
    ['another client', { client_id: 'other_login_client' }, 400, 'invalid_grant'],
    ['a wrong verifier', { code_verifier: 'x'.repeat(43) }, 400, 'invalid_grant'],
    ['another redirect URI', { redirect_uri: 'http://localhost:3000/other' }, 400, 'invalid_grant'],
    ['a made-up code', { code: 'made-up' }, 400, 'invalid_grant'],
    ['another grant type', { grant_type: 'password' }, 400, 'unsupported_grant_type'],
  ])('%s', async (_what, change, status, error) => {
    const [response] = await tryCode(change)
    expect(response?.status).toBe(status)
    expect(response && (await bodyOf(response))).toMatchObject({ error })
  })

  test('a missing verifier', async () => {
    const [response] = await tryCode({}, ['code_verifier'])
    expect(response?.status).toBe(400)
  })

  test('a code is good once; the second use ends what the first one got', async () => {
    const [first, second] = await tryCode({})
    expect([first?.status, second?.status]).toEqual([200, 400])
  })

  test('resource is compared byte by byte with the one at the authorization endpoint', async () => {
    const sandbox = await sandboxFor()
    const config = await discover(sandbox)
    const resource = 'https://api.ppoppo.com/ext'
    const tokens = await signIn(config, 'alex', { resource })
    const { sub } = tokens.claims() ?? { sub: '' }
    expect(await oidc.fetchUserInfo(config, tokens.access_token, sub)).toMatchObject({ sub, ppnum: '77700000001' })
    const { url, checks } = await beginAttempt(config, { resource })
    const callback = locationOf(await press(url, 'alex'))
    const other = { resource: `${resource}/` }
    await expect(oidc.authorizationCodeGrant(config, callback, checks, other)).rejects.toMatchObject({
      error: 'invalid_target',
    })
  })
})

describe('userinfo', () => {
  test('without a token, with a wrong one, or by POST', async () => {
    const { issuer } = await sandboxFor()
    const none = await fetch(`${issuer}/oauth/userinfo`)
    expect([none.status, none.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
    const wrong = await fetch(`${issuer}/oauth/userinfo`, { headers: { Authorization: 'Bearer x' } })
    expect([wrong.status, wrong.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('invalid_token'),
    ])
    expect((await fetch(`${issuer}/oauth/userinfo`, { method: 'POST' })).status).toBe(405)
  })
})
