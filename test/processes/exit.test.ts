import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { allowed } from '../support/allowed.js'
import { type AppProcess, startAppProcess } from '../support/app-process.js'
import { CookieBrowser } from '../support/cookie-browser.js'
import { describeWithOwnRedis, type RedisServer, startRedis } from '../support/redis.js'
import { until } from '../support/until.js'

const EXIT_LIMIT_MS = 5_000

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ pasPort: 0, autoSignIn: 'alex' })
})
beforeEach(() => sandbox.control.reset())
afterAll(async () => {
  await sandbox.close()
})

async function expectExit(app: AppProcess): Promise<void> {
  const { code, tookMs } = await app.end()
  expect([code, app.errors()]).toEqual([0, ''])
  expect(tookMs).toBeLessThan(await allowed(EXIT_LIMIT_MS))
}

async function signedIn(app: AppProcess): Promise<CookieBrowser> {
  const browser = new CookieBrowser()
  expect((await browser.go(`${app.url}/auth/login?return_to=/me`)).status).toBe(200)
  return browser
}

/** A request to each route with each kind of fault at PAS, some of them left under way. */
async function sufferAll(app: AppProcess): Promise<void> {
  const browser = await signedIn(app)
  for (const kind of ['reset', 'cut', 'garbage', 'truncated', 'empty', 'redirect'] as const) {
    for (const endpoint of ['token', 'userinfo'] as const) {
      sandbox.control.inject({ endpoint, fault: { kind } })
      await new CookieBrowser().go(`${app.url}/auth/login`)
    }
    sandbox.control.expireAccessTokens()
    sandbox.control.inject({ endpoint: 'token', fault: { kind } })
    await browser.visit(`${app.url}/userinfo`)
  }
  const leaving = new AbortController()
  sandbox.control.inject({ endpoint: 'userinfo', fault: { kind: 'hang' } })
  const { userinfo } = sandbox.control.counters
  const left = browser.visit(`${app.url}/userinfo`, { signal: leaving.signal }).catch(() => {})
  await until(() => sandbox.control.counters.userinfo > userinfo, 'the call is at PAS')
  leaving.abort()
  await left
}

describe('C46 after close() the process exits by itself', () => {
  test('C46 memory store: after a sign-in, faults, and a call to PAS under way', async () => {
    const app = await startAppProcess({ issuer: sandbox.issuer, rateLimit: false })
    await sufferAll(app)
    await expectExit(app)
  })

  test('C46 500 requests leave no listener behind', async () => {
    const app = await startAppProcess({ issuer: sandbox.issuer, rateLimit: false })
    const browser = await signedIn(app)
    for (let round = 0; round < 10; round += 1) {
      const visits = Array.from({ length: 50 }, (_, index) =>
        browser.visit(app.url + (index < 10 ? '/userinfo' : '/me')),
      )
      for (const { status } of await Promise.all(visits)) expect(status).toBe(200)
    }
    // Node warns of more than ten listeners on standard error.
    await expectExit(app)
  })

  test('C34 a refused client without onEvent: a process warning that says what to check', async () => {
    const app = await startAppProcess({ issuer: sandbox.issuer, events: false })
    const browser = await signedIn(app)
    sandbox.control.expireAccessTokens()
    sandbox.control.inject({ endpoint: 'token', fault: { kind: 'status', status: 401, error: 'invalid_client' } })
    expect((await browser.visit(`${app.url}/userinfo`)).status).toBe(503)
    expect((await browser.visit(`${app.url}/me`)).status).toBe(200)
    expect((await app.end()).code).toBe(0)
    expect(app.errors()).toMatch(/PpoppoWarning: .*invalid_client.*PPOPPO_CLIENT_ID/)
  })
})

describeWithOwnRedis('C46 with Redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.stop())

  test('C46 after a sign-in and faults; then while Redis hangs; then while it is gone', async () => {
    const options = { issuer: sandbox.issuer, redis: server.url, rateLimit: false }
    const used = await startAppProcess(options)
    await sufferAll(used)
    await expectExit(used)

    const hung = await startAppProcess(options)
    const browser = await signedIn(hung)
    server.pause()
    expect((await browser.visit(`${hung.url}/me`)).status).toBe(503)
    await expectExit(hung)
    server.resume()

    const gone = await startAppProcess(options)
    await signedIn(gone)
    await server.kill()
    expect((await browser.visit(`${gone.url}/auth/login`)).status).toBe(503)
    await expectExit(gone)
  })
})
