import { createHash } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import type { FaultKind, Sandbox } from '../src/index.js'
import { CLIENT_ID, discover, exchange, sandboxFor, signIn } from './support.js'

describe('faults inside the token answer', () => {
  test.each<[FaultKind, (claims: { readonly [name: string]: unknown }) => unknown]>([
    ['wrong-nonce', (claims) => claims['nonce'] === 'not-the-nonce-that-was-sent'],
    ['missing-nonce', (claims) => !('nonce' in claims)],
    ['wrong-aud', (claims) => claims['aud'] === 'another_login_client'],
    ['extra-aud', (claims) => Array.isArray(claims['aud']) && claims['aud'].length === 2 && !('azp' in claims)],
    ['wrong-azp', (claims) => claims['aud'] === CLIENT_ID && claims['azp'] !== CLIENT_ID],
    ['wrong-iss', (claims) => claims['iss'] === 'https://accounts.example.test'],
    ['expired', (claims) => Number(claims['exp']) < Date.now() / 1000 - 600],
    ['missing-exp', (claims) => !('exp' in claims)],
    ['future-iat', (claims) => Number(claims['iat']) > Date.now() / 1000 + 600],
    ['wrong-at-hash', (claims) => /^A{43}$/.test(String(claims['at_hash']))],
    ['wrong-c-hash', (claims) => /^A{43}$/.test(String(claims['c_hash']))],
    ['wrong-sub', (claims) => claims['sub'] !== '01J9Z3K8Q2W4E6R8T0Y2V4X6A1'],
  ])('%s: the id_token is well signed and wrong in just that', async (kind, isSo) => {
    const sandbox = await sandboxFor()
    sandbox.control.inject({ endpoint: 'token', fault: { kind } })
    const { id_token: idToken } = await exchange(sandbox)
    expect(isSo(decodeJwt(String(idToken)))).toBe(true)
    await jwtVerify(String(idToken), await jwksOf(sandbox), { currentDate: new Date(0) })
  })

  test.each<[FaultKind, string]>([
    ['alg-none', 'none'],
    ['alg-hs256', 'HS256'],
    ['foreign-key', 'EdDSA'],
  ])('%s: no published key verifies the id_token', async (kind, alg) => {
    const sandbox = await sandboxFor()
    sandbox.control.inject({ endpoint: 'token', fault: { kind } })
    const idToken = String((await exchange(sandbox))['id_token'])
    expect(decodeProtectedHeader(idToken).alg).toBe(alg)
    await expect(jwtVerify(idToken, await jwksOf(sandbox))).rejects.toThrow()
  })

  test('openid-client refuses a wrong nonce, audience, issuer, and signature', async () => {
    const sandbox = await sandboxFor()
    const config = await discover(sandbox)
    for (const kind of ['wrong-nonce', 'wrong-aud', 'wrong-iss', 'foreign-key', 'expired', 'missing-exp'] as const) {
      sandbox.control.inject({ endpoint: 'token', fault: { kind } })
      await expect(signIn(config, 'alex')).rejects.toThrow()
    }
    await expect(signIn(config, 'alex')).resolves.toBeDefined()
  })

  test('a narrower scope is what the token is then good for', async () => {
    const sandbox = await sandboxFor()
    sandbox.control.inject({ endpoint: 'token', fault: { kind: 'narrower-scope' } })
    const tokens = await exchange(sandbox)
    expect(tokens['scope']).toBe('openid profile')
    const headers = { Authorization: `Bearer ${String(tokens['access_token'])}` }
    const userinfo = await (await fetch(`${sandbox.issuer}/oauth/userinfo`, { headers })).json()
    expect(userinfo).not.toHaveProperty('email')
  })

  test.each([
    ['missing-id-token', 'id_token'],
    ['missing-access-token', 'access_token'],
  ] as const)('%s', async (kind, field) => {
    const sandbox = await sandboxFor()
    sandbox.control.inject({ endpoint: 'token', fault: { kind } })
    expect(await exchange(sandbox)).not.toHaveProperty(field)
  })
})

describe('hashes in the id_token', () => {
  test.each([
    ['sha512', 32],
    ['sha256', 16],
  ] as const)('%s: at_hash, and c_hash where it is asked for, are its first %i bytes', async (algorithm, bytes) => {
    const sandbox = await sandboxFor({ idTokenHash: algorithm })
    const plain = await exchange(sandbox)
    expect(decodeJwt(String(plain['id_token']))).not.toHaveProperty('c_hash')
    sandbox.control.set({ sendCodeHash: true })
    const tokens = await exchange(sandbox)
    const claims = decodeJwt(String(tokens['id_token']))
    const code = sandbox.control.issuedTokens.filter(({ kind }) => kind === 'code').at(-1)?.value
    const hashOf = (text: unknown) => createHash(algorithm).update(String(text)).digest().subarray(0, bytes)
    expect(claims['at_hash']).toBe(hashOf(tokens['access_token']).toString('base64url'))
    expect(claims['c_hash']).toBe(hashOf(code).toString('base64url'))
  })
})

async function jwksOf(sandbox: Sandbox): Promise<ReturnType<typeof createLocalJWKSet>> {
  return createLocalJWKSet(JSON.parse(await (await fetch(`${sandbox.issuer}/.well-known/jwks.json`)).text()))
}
