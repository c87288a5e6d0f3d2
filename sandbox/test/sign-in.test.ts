import { describe, expect, test } from '@jest/globals'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import * as oidc from 'openid-client'
import { beginAttempt, CLIENT_ID, discover, locationOf, press, REDIRECT_URI, sandboxFor, signIn } from './support.js'

describe('a sign-in', () => {
  test('openid-client completes it, verifies the id_token, and reads userinfo by scope', async () => {
    const sandbox = await sandboxFor()
    const config = await discover(sandbox)
    const tokens = await signIn(config, 'alex')
    expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: 3600, scope: 'openid profile email' })
    expect(tokens.refresh_token).toMatch(/^rt_[0-9A-HJKMNP-TV-Z]{26}$/)
    const { payload, protectedHeader } = await jwtVerify(
      tokens.id_token ?? '',
      createRemoteJWKSet(new URL(`${sandbox.issuer}/.well-known/jwks.json`)),
      { issuer: sandbox.issuer, audience: CLIENT_ID, algorithms: ['EdDSA'] },
    )
    expect(protectedHeader.alg).toBe('EdDSA')
    expect(payload).toMatchObject({ azp: CLIENT_ID, sub: '01J9Z3K8Q2W4E6R8T0Y2V4X6A1' })
    expect(Object.keys(payload).sort()).toEqual(
      ['at_hash', 'aud', 'auth_time', 'azp', 'exp', 'iat', 'iss', 'nonce', 'sub'].sort(),
    )
    const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, String(payload.sub))
    expect(userinfo).toEqual({
      sub: payload.sub,
      ppnum: '77700000001',
      email: 'alex@example.test',
      email_verified: true,
      created_at: '2025-01-15T09:30:00Z',
    })
    expect(sandbox.control.counters).toMatchObject({ authorize: 1, token: 1, tokenAuthorizationCode: 1, userinfo: 1 })
  })

  test('the access token is a JWT as RFC 9068 has it', async () => {
    const sandbox = await sandboxFor()
    const tokens = await signIn(await discover(sandbox), 'mina')
    const header = JSON.parse(Buffer.from(tokens.access_token.split('.')[0] ?? '', 'base64url').toString())
    expect(header).toMatchObject({ alg: 'EdDSA', typ: 'at+jwt' })
    expect(decodeJwt(tokens.access_token)).toMatchObject({ client_id: CLIENT_ID, scope: 'openid profile email' })
  })

  test('with autoSignIn the authorization endpoint redirects at once, and sets no cookie', async () => {
    const sandbox = await sandboxFor({ autoSignIn: 'mina' })
    const { url, checks } = await beginAttempt(await discover(sandbox))
    const response = await fetch(url, { redirect: 'manual' })
    expect(response.status).toBe(303)
    expect(response.headers.getSetCookie()).toEqual([])
    const callback = locationOf(response)
    expect(callback.href.startsWith(`${REDIRECT_URI}?`)).toBe(true)
    expect([...callback.searchParams.keys()].sort()).toEqual(['code', 'state'])
    expect(callback.searchParams.get('state')).toBe(checks.expectedState)
  })

  test('refreshing answers null for the refresh token, which stays good', async () => {
    const sandbox = await sandboxFor()
    const tokens = await signIn(await discover(sandbox), 'alex')
    for (const _round of [1, 2]) {
      const body = new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: tokens.refresh_token ?? '',
        client_id: CLIENT_ID,
      })
      const response = await fetch(`${sandbox.issuer}/oauth/token`, { method: 'POST', body })
      expect(response.status).toBe(200)
      const answer: { [name: string]: unknown } = JSON.parse(await response.text())
      expect(answer).toMatchObject({ refresh_token: null, token_type: 'Bearer', scope: 'openid profile email' })
      expect(answer['access_token']).not.toBe(tokens.access_token)
    }
    expect(sandbox.control.counters.tokenRefresh).toBe(2)
  })

  test('an agent has an account_type; without the scopes there is no ppnum and no e-mail', async () => {
    const sandbox = await sandboxFor()
    const config = await discover(sandbox)
    const tokens = await signIn(config, 'robo', { scope: 'openid' })
    const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, oidc.skipSubjectCheck)
    expect(Object.keys(userinfo).sort()).toEqual(['account_type', 'created_at', 'sub'])
    expect(userinfo['account_type']).toBe('ai_agent')
  })

  test.each([
    ['deny', 'access_denied'],
    ['newcomer', 'account_setup_required'],
  ])('%s goes back to the app with %s and a description', async (person, error) => {
    const sandbox = await sandboxFor()
    const { url, checks } = await beginAttempt(await discover(sandbox))
    const { searchParams } = locationOf(await press(url, person))
    expect(searchParams.get('error')).toBe(error)
    expect(searchParams.get('error_description')).toBeTruthy()
    expect(searchParams.get('state')).toBe(checks.expectedState)
  })
})
