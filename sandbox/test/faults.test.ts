import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import * as oidc from 'openid-client'
import { ENDPOINTS } from '../src/endpoints.js'
import { faultKindsOf } from '../src/faults/fault.js'
import type { Endpoint, Sandbox } from '../src/index.js'
import { defaultSwitches } from '../src/state/switches.js'
import { beginAttempt, discover, exchange, locationOf, press, sandboxFor, signIn } from './support.js'

const DISCOVERY = '/.well-known/openid-configuration'

function discoveryOf(sandbox: Sandbox): Promise<Response> {
  return fetch(sandbox.issuer + DISCOVERY, { redirect: 'manual' })
}

describe('faults of a whole answer', () => {
  test('a status with an OAuth error, as often as asked, then all is well again', async () => {
    const sandbox = await sandboxFor()
    const fault = { kind: 'status', status: 503, retryAfterSeconds: 7 } as const
    sandbox.control.inject({ endpoint: 'discovery', fault, times: 2 })
    for (const _call of [1, 2]) {
      const response = await discoveryOf(sandbox)
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '7'])
      expect(await response.json()).toMatchObject({ error: 'server_error' })
    }
    expect((await discoveryOf(sandbox)).status).toBe(200)
    expect(sandbox.control.counters.discovery).toBe(3)
  })

  test('until cleared', async () => {
    const sandbox = await sandboxFor()
    sandbox.control.inject({ endpoint: 'discovery', fault: { kind: 'garbage' }, times: 'until-cleared' })
    for (const _call of [1, 2, 3]) {
      const response = await discoveryOf(sandbox)
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    }
    expect(sandbox.control.pendingFaults).toEqual([
      { endpoint: 'discovery', fault: { kind: 'garbage' }, times: 'until-cleared' },
    ])
    sandbox.control.clearFaults()
    expect((await discoveryOf(sandbox)).headers.get('content-type')).toContain('application/json')
  })

  test('a delay answers rightly, but late', async () => {
    const sandbox = await sandboxFor()
    sandbox.control.inject({ endpoint: 'discovery', fault: { kind: 'delay', delayMs: 150 } })
    const begun = performance.now()
    expect(await (await discoveryOf(sandbox)).json()).toMatchObject({ issuer: sandbox.issuer })
    expect(performance.now() - begun).toBeGreaterThanOrEqual(145)
  })

  test('truncated JSON, and an empty body, do not parse', async () => {
    const sandbox = await sandboxFor()
    for (const kind of ['truncated', 'empty'] as const) {
      sandbox.control.inject({ endpoint: 'discovery', fault: { kind } })
      const response = await discoveryOf(sandbox)
      expect(response.headers.get('content-type')).toContain('application/json')
      await expect(response.json()).rejects.toThrow(/JSON/)
    }
  })

  test('a cut and a reset connection are network errors', async () => {
    const sandbox = await sandboxFor()
    sandbox.control.inject({ endpoint: 'discovery', fault: { kind: 'cut' } })
    const response = await discoveryOf(sandbox)
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow('terminated')
    sandbox.control.inject({ endpoint: 'discovery', fault: { kind: 'reset' } })
    await expect(discoveryOf(sandbox)).rejects.toThrow('fetch failed')
  })

  test('a hanging answer never comes, and does not keep close() waiting', async () => {
    const sandbox = await sandboxFor()
    sandbox.control.inject({ endpoint: 'discovery', fault: { kind: 'hang' } })
    const asked = fetch(sandbox.issuer + DISCOVERY, { signal: AbortSignal.timeout(100) })
    await expect(asked).rejects.toThrow('aborted')
    sandbox.control.inject({ endpoint: 'discovery', fault: { kind: 'hang' } })
    const hanging = fetch(sandbox.issuer + DISCOVERY)
    const failed = expect(hanging).rejects.toThrow('fetch failed')
    while (sandbox.control.counters.discovery < 2) await new Promise(setImmediate)
    await sandbox.close()
    await failed
  })

  test('a huge body is as large as asked', async () => {
    const sandbox = await sandboxFor()
    sandbox.control.inject({ endpoint: 'userinfo', fault: { kind: 'huge', megabytes: 3 } })
    const response = await fetch(`${sandbox.issuer}/oauth/userinfo`)
    const { byteLength } = await response.arrayBuffer()
    expect(byteLength).toBeGreaterThan(3 * 1024 * 1024)
  })

  test('a redirect leads elsewhere', async () => {
    const sandbox = await sandboxFor()
    sandbox.control.inject({ endpoint: 'jwks', fault: { kind: 'redirect', location: 'http://localhost:9/x' } })
    const response = await fetch(`${sandbox.issuer}/.well-known/jwks.json`, { redirect: 'manual' })
    expect([response.status, response.headers.get('location')]).toEqual([302, 'http://localhost:9/x'])
  })

  test('a fault may be for one grant only, and may come after the work is done', async () => {
    const sandbox = await sandboxFor({ refreshTokenAnswer: 'rotate' })
    const config = await discover(sandbox)
    const fault = { kind: 'status', status: 502, afterProcessing: true } as const
    sandbox.control.inject({ endpoint: 'token', grantType: 'refresh_token', fault })
    const tokens = await signIn(config, 'alex')
    await expect(oidc.refreshTokenGrant(config, tokens.refresh_token ?? '')).rejects.toThrow(
      'unexpected HTTP response status code',
    )
    // It was rotated all the same: the old one is used up.
    await expect(oidc.refreshTokenGrant(config, tokens.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    })
  })
})

describe('faults of the other endpoints', () => {
  test.each([
    ['wrong-sub', (sub: unknown) => sub !== undefined && sub !== '01J9Z3K8Q2W4E6R8T0Y2V4X6A1'],
    ['missing-sub', (sub: unknown) => sub === undefined],
  ] as const)('userinfo: %s', async (kind, isSo) => {
    const sandbox = await sandboxFor()
    const tokens = await exchange(sandbox)
    sandbox.control.inject({ endpoint: 'userinfo', fault: { kind } })
    const headers = { Authorization: `Bearer ${String(tokens['access_token'])}` }
    const userinfo: { sub?: unknown } = JSON.parse(
      await (await fetch(`${sandbox.issuer}/oauth/userinfo`, { headers })).text(),
    )
    expect(isSo(userinfo.sub)).toBe(true)
  })

  test('discovery may name another issuer, and jwks another key', async () => {
    const sandbox = await sandboxFor()
    sandbox.control.inject({ endpoint: 'discovery', fault: { kind: 'wrong-issuer' } })
    await expect(discover(sandbox)).rejects.toThrow()
    sandbox.control.inject({ endpoint: 'jwks', fault: { kind: 'foreign-key' } })
    const config = await discover(sandbox)
    await expect(signIn(config, 'alex')).rejects.toThrow()
  })

  test('the callback may carry any error, or the wrong state', async () => {
    const sandbox = await sandboxFor()
    const { url } = await beginAttempt(await discover(sandbox))
    sandbox.control.inject({
      endpoint: 'authorize',
      fault: { kind: 'callback-error', error: 'temporarily_unavailable' },
    })
    const failed = locationOf(await press(url, 'alex')).searchParams
    expect([failed.get('error'), failed.get('code')]).toEqual(['temporarily_unavailable', null])
    sandbox.control.inject({ endpoint: 'authorize', fault: { kind: 'wrong-state' } })
    expect(locationOf(await press(url, 'alex')).searchParams.get('state')).toBe('not-the-state-that-was-sent')
  })

  test('a callback fault waits for the callback: showing the page does not use it up', async () => {
    const sandbox = await sandboxFor()
    const { url } = await beginAttempt(await discover(sandbox))
    sandbox.control.inject({ endpoint: 'authorize', fault: { kind: 'wrong-state' } })
    expect((await fetch(url)).status).toBe(200)
    expect(locationOf(await press(url, 'alex')).searchParams.get('state')).toBe('not-the-state-that-was-sent')
  })

  test.each<[unknown, RegExp]>([
    [{ endpoint: 'tokens', fault: { kind: 'reset' } }, /"endpoint" must be one of authorize, token, /],
    [{ endpoint: 'token', fault: { kind: 'nonsense' } }, /"fault.kind" for endpoint "token" must be one of status, /],
    [{ endpoint: 'userinfo', fault: { kind: 'wrong-nonce' } }, /"fault.kind" for endpoint "userinfo" must be one of/],
    [{ endpoint: 'token', fault: { kind: 'status' } }, /"fault.status" is missing/],
    [{ endpoint: 'token', fault: { kind: 'status', status: 20 } }, /"fault.status" must be a status from 300 to 599/],
    [{ endpoint: 'token', fault: { kind: 'delay' } }, /"fault.delayMs" is missing/],
    [
      { endpoint: 'token', fault: { kind: 'reset', stauts: 1 } },
      /"fault.stauts" is not a known field; known are kind, /,
    ],
    [{ endpoint: 'token', fault: { kind: 'reset' }, times: 0 }, /"times" must be a positive whole number or/],
    [{ endpoint: 'jwks', fault: { kind: 'reset' }, grantType: 'refresh_token' }, /"grantType" must be/],
    ['reset', /a fault rule must be an object/],
  ])('%j is refused with what would be right', async (rule, message) => {
    const sandbox = await sandboxFor()
    const response = await fetch(`${sandbox.issuer}/__sandbox/faults`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(rule),
    })
    expect(response.status).toBe(400)
    const { error }: { error: string } = JSON.parse(await response.text())
    if (typeof rule === 'object') expect(error).toMatch(message)
  })

  test.each<Endpoint>(['authorize', 'token', 'userinfo', 'discovery', 'jwks'])(
    '%s can be made to fail',
    async (endpoint) => {
      const sandbox = await sandboxFor()
      const config = await discover(sandbox)
      sandbox.control.inject({ endpoint, fault: { kind: 'status', status: 500 }, times: 'until-cleared' })
      const whole = async (): Promise<void> => {
        const tokens = await signIn(await discover(sandbox), 'alex')
        await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims()?.sub ?? '')
      }
      await expect(whole()).rejects.toThrow()
      sandbox.control.clearFaults(endpoint)
      await expect(whole()).resolves.toBeUndefined()
    },
  )
})

describe('the README', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

  test.each(ENDPOINTS)('has every fault kind of %s', (endpoint) => {
    for (const kind of faultKindsOf(endpoint)) expect(readme).toContain(`\`${kind}\``)
  })

  test('has every switch', () => {
    for (const name of Object.keys(defaultSwitches)) expect(readme).toContain(`\`${name}\``)
  })
})
