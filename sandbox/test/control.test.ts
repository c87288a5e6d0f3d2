import { request } from 'node:http'
import { describe, expect, test } from '@jest/globals'
import { decodeProtectedHeader } from 'jose'
import * as oidc from 'openid-client'
import { elapse, until } from '../../test/support/until.js'
import type { Sandbox } from '../src/index.js'
import { CLIENT_ID, discover, sandboxFor, signIn } from './support.js'

function post(sandbox: Sandbox, path: string, body: unknown): Promise<Response> {
  const headers = { 'Content-Type': 'application/json' }
  return fetch(`${sandbox.issuer}/__sandbox${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
}

async function json(response: Response): Promise<{ [name: string]: unknown }> {
  return JSON.parse(await response.text())
}

function askUserinfo(sandbox: Sandbox, token: string): Promise<Response> {
  return fetch(`${sandbox.issuer}/oauth/userinfo`, { headers: { Authorization: `Bearer ${token}` } })
}

/** fetch() does not let one set Host, Origin or Sec-Fetch-Site. */
function statusWith(sandbox: Sandbox, headers: { readonly [name: string]: string }): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request(`${sandbox.issuer}/__sandbox`, { headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    asked.on('error', reject).end()
  })
}

describe('the control route', () => {
  test('GET shows the state, with every token and code that was issued', async () => {
    const sandbox = await sandboxFor()
    const tokens = await signIn(await discover(sandbox), 'alex')
    const state = await json(await fetch(`${sandbox.issuer}/__sandbox`))
    expect(state).toMatchObject({ issuer: sandbox.issuer, counters: { token: 1 }, switches: { autoSignIn: null } })
    const issued = sandbox.control.issuedTokens
    expect(state['issuedTokens']).toEqual(issued)
    expect(issued.map(({ kind }) => kind).sort()).toEqual(['access_token', 'code', 'id_token', 'refresh_token'])
    expect(issued.map(({ value }) => value)).toEqual(
      expect.arrayContaining([tokens.access_token, tokens.refresh_token, tokens.id_token]),
    )
  })

  test('POST changes switches and injects and clears faults', async () => {
    const sandbox = await sandboxFor()
    const answer = await json(await post(sandbox, '', { autoSignIn: 'mina', accessTokenTtlSeconds: 5 }))
    expect(answer).toMatchObject({ switches: { autoSignIn: 'mina', accessTokenTtlSeconds: 5 } })
    const rule = { endpoint: 'token', fault: { kind: 'reset' }, times: 3 }
    expect(await json(await post(sandbox, '/faults', rule))).toMatchObject({ pendingFaults: [rule] })
    expect(await json(await post(sandbox, '/clear-faults', {}))).toMatchObject({ pendingFaults: [] })
    expect((await post(sandbox, '/reset', {})).status).toBe(200)
    expect(sandbox.control.switches).toMatchObject({ autoSignIn: null, accessTokenTtlSeconds: 3600 })
  })

  test.each([
    ['', { autoSignin: 'alex' }, /"autoSignin" is not a switch; there are autoSignIn, /],
    ['', { autoSignIn: 'bob' }, /"autoSignIn" must be null or one of alex, mina, robo, newcomer, deny/],
    ['', { accessTokenTtlSeconds: 0 }, /"accessTokenTtlSeconds" must be a positive whole number of seconds/],
    ['', { announceRevocation: 'yes' }, /"announceRevocation" must be true or false/],
    ['', { refreshTokenAnswer: 'new' }, /"refreshTokenAnswer" must be one of null, absent, rotate/],
    ['/revoke-user', {}, /"person" is missing/],
    ['/revoke-user', { person: 'bob' }, /"bob" is not one of the people; there are alex, /],
    ['/update-person', { person: 'alex', ppnum: '1' }, /users\[0\]\.ppnum must be a string of 11 digits or more/],
    ['/clear-faults', { endpoint: 'x' }, /"endpoint" must be one of/],
    ['', [], /the body must be a JSON object/],
  ])('POST /__sandbox%s %j is refused with a clear line', async (path, body, message) => {
    const response = await post(await sandboxFor(), path, body)
    expect(response.status).toBe(400)
    expect((await json(response))['error']).toMatch(message)
  })

  test('an unknown path lists those there are; a form is not taken', async () => {
    const sandbox = await sandboxFor()
    expect(await json(await post(sandbox, '/fault', {}))).toMatchObject({
      error: expect.stringMatching('/__sandbox/faults'),
    })
    const form = await fetch(`${sandbox.issuer}/__sandbox`, { method: 'POST', body: new URLSearchParams({ a: 'b' }) })
    expect(form.status).toBe(415)
  })

  test('a web page cannot drive it: Origin, cross-site fetches and foreign hosts are refused', async () => {
    const sandbox = await sandboxFor()
    expect(await statusWith(sandbox, {})).toBe(200)
    expect(await statusWith(sandbox, { Host: `127.0.0.1:${sandbox.port}` })).toBe(200)
    expect(await statusWith(sandbox, { Origin: 'http://localhost:3000' })).toBe(403)
    expect(await statusWith(sandbox, { Origin: 'null' })).toBe(403)
    expect(await statusWith(sandbox, { 'Sec-Fetch-Site': 'same-site' })).toBe(403)
    expect(await statusWith(sandbox, { Host: 'rebound.example.test' })).toBe(403)
  })
})

describe('what can be done to people and keys', () => {
  test('a revoked user: refresh is invalid_grant, userinfo 401; others stay', async () => {
    const sandbox = await sandboxFor()
    const config = await discover(sandbox)
    const [alex, mina] = [await signIn(config, 'alex'), await signIn(config, 'mina')]
    sandbox.control.revokeUser('alex')
    await expect(oidc.refreshTokenGrant(config, alex.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    const refused = await askUserinfo(sandbox, alex.access_token)
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token"/)
    expect((await askUserinfo(sandbox, mina.access_token)).status).toBe(200)
    await expect(signIn(config, 'alex')).resolves.toBeDefined()
  })

  test('expired access tokens answer 401 until refreshed', async () => {
    const sandbox = await sandboxFor({ refreshTokenAnswer: 'absent' })
    const config = await discover(sandbox)
    const tokens = await signIn(config, 'alex')
    sandbox.control.expireAccessTokens()
    expect((await askUserinfo(sandbox, tokens.access_token)).status).toBe(401)
    const fresh = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '')
    expect(fresh.refresh_token).toBeUndefined()
    expect((await askUserinfo(sandbox, fresh.access_token)).status).toBe(200)
  })

  test('rotation: refreshing gives a new token; using the old one again ends the whole sign-in', async () => {
    const sandbox = await sandboxFor({ refreshTokenAnswer: 'rotate' })
    const config = await discover(sandbox)
    const tokens = await signIn(config, 'alex')
    const fresh = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '')
    expect(fresh.refresh_token).toMatch(/^rt_/)
    expect(fresh.refresh_token).not.toBe(tokens.refresh_token)
    await expect(oidc.refreshTokenGrant(config, tokens.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    await expect(oidc.refreshTokenGrant(config, fresh.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    expect((await askUserinfo(sandbox, fresh.access_token)).status).toBe(401)
  })

  test('openid-client 6 refuses a null refresh token: what an app has to deal with', async () => {
    const sandbox = await sandboxFor()
    const config = await discover(sandbox)
    const tokens = await signIn(config, 'alex')
    const refreshed = oidc.refreshTokenGrant(config, tokens.refresh_token ?? '')
    await expect(refreshed).rejects.toMatchObject({ cause: { message: expect.stringContaining('"refresh_token"') } })
  })

  test('key rotation: a new kid signs, the old one is gone, or kept for a while', async () => {
    const sandbox = await sandboxFor()
    const kids = async (): Promise<unknown[]> => {
      const { keys }: { keys: { kid: unknown }[] } = JSON.parse(
        await (await fetch(`${sandbox.issuer}/.well-known/jwks.json`)).text(),
      )
      return keys.map((key) => key.kid)
    }
    const [first] = await kids()
    await sandbox.control.rotateKeys()
    const [second, ...others] = await kids()
    expect(others).toEqual([])
    expect(second).not.toBe(first)
    await sandbox.control.rotateKeys({ keepFormer: true })
    expect(await kids()).toEqual([expect.any(String), second])
    const tokens = await signIn(await discover(sandbox), 'alex')
    expect(decodeProtectedHeader(tokens.id_token ?? '').kid).toBe((await kids())[0])
  })

  test('a changed e-mail shows in the next userinfo', async () => {
    const sandbox = await sandboxFor()
    const tokens = await signIn(await discover(sandbox), 'alex')
    sandbox.control.updatePerson('alex', { email: 'new@example.test' })
    expect(await json(await askUserinfo(sandbox, tokens.access_token))).toMatchObject({ email: 'new@example.test' })
  })

  test('tokens live as long as configured', async () => {
    const sandbox = await sandboxFor({ accessTokenTtlSeconds: 1, refreshTokenTtlSeconds: 1 })
    const config = await discover(sandbox)
    const tokens = await signIn(config, 'alex')
    expect(tokens.expires_in).toBe(1)
    await until(async () => (await askUserinfo(sandbox, tokens.access_token)).status !== 200, 'it has expired')
    await elapse(1000) // asking would extend it
    await expect(oidc.refreshTokenGrant(config, tokens.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    })
  })
})

describe('end session and revocation', () => {
  test('are neither announced nor there, until a switch says so', async () => {
    const sandbox = await sandboxFor()
    const before = (await discover(sandbox)).serverMetadata()
    expect([before.end_session_endpoint, before.revocation_endpoint]).toEqual([undefined, undefined])
    expect((await fetch(`${sandbox.issuer}/oauth/logout`)).status).toBe(404)
    expect((await fetch(`${sandbox.issuer}/oauth/revoke`, { method: 'POST' })).status).toBe(404)
    sandbox.control.set({ announceEndSession: true, announceRevocation: true })
    const after = (await discover(sandbox)).serverMetadata()
    expect([after.end_session_endpoint, after.revocation_endpoint]).toEqual([
      `${sandbox.issuer}/oauth/logout`,
      `${sandbox.issuer}/oauth/revoke`,
    ])
  })

  test('a revoked refresh token takes its access tokens along', async () => {
    const sandbox = await sandboxFor({ announceRevocation: true })
    const config = await discover(sandbox)
    const [one, other] = [await signIn(config, 'alex'), await signIn(config, 'alex')]
    await oidc.tokenRevocation(config, one.refresh_token ?? '')
    expect((await askUserinfo(sandbox, one.access_token)).status).toBe(401)
    await expect(oidc.refreshTokenGrant(config, one.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    expect((await askUserinfo(sandbox, other.access_token)).status).toBe(200)
    await oidc.tokenRevocation(config, other.access_token)
    expect((await askUserinfo(sandbox, other.access_token)).status).toBe(401)
    await expect(oidc.tokenRevocation(config, 'never-issued')).resolves.toBeUndefined()
    expect(sandbox.control.counters.revocation).toBe(3)
  })

  test('end session goes back to the app with state, after a look at the hint', async () => {
    const sandbox = await sandboxFor({ announceEndSession: true })
    const config = await discover(sandbox)
    const { id_token: hint = '' } = await signIn(config, 'alex')
    const back = { id_token_hint: hint, post_logout_redirect_uri: 'http://localhost:3000/bye', state: 's1' }
    const response = await fetch(oidc.buildEndSessionUrl(config, back), { redirect: 'manual' })
    expect([response.status, response.headers.get('location')]).toEqual([303, 'http://localhost:3000/bye?state=s1'])
    const posted = await fetch(`${sandbox.issuer}/oauth/logout`, {
      method: 'POST',
      body: new URLSearchParams({ ...back, client_id: CLIENT_ID }),
      redirect: 'manual',
    })
    expect(posted.status).toBe(303)
    for (const wrong of [{ id_token_hint: `${hint}x` }, { post_logout_redirect_uri: 'https://example.test/' }]) {
      const url = new URL(`${sandbox.issuer}/oauth/logout?${new URLSearchParams({ ...back, ...wrong })}`)
      expect((await fetch(url, { redirect: 'manual' })).status).toBe(400)
    }
  })
})
