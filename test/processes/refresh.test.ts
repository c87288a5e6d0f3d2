import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { type AppProcess, startAppProcess } from '../support/app-process.js'
import { SECOND, timed } from '../support/clock.js'
import { CookieBrowser } from '../support/cookie-browser.js'
import { describeWithRedis, redisForTests } from '../support/redis.js'
import { elapse, untilWorks } from '../support/until.js'

const LEASE_MS = 8 * SECOND
const FIRST_TTL_MS = 4 * SECOND

describeWithRedis('C33 two processes on one Redis', () => {
  let sandbox: Sandbox
  let first: AppProcess
  let second: AppProcess

  /** Two apps that share everything but their port. */
  beforeAll(async () => {
    const redis = await redisForTests()
    sandbox = await startSandbox({ pasPort: 0, autoSignIn: 'alex' })
    const options = { issuer: sandbox.issuer, redis: redis.url, keyPrefix: redis.prefix(), rateLimit: false }
    first = await startAppProcess(options)
    second = await startAppProcess({ ...options, baseUrl: first.url })
  })
  afterAll(async () => {
    // null: killed by the test. Anything else but 0 is an unhandled rejection.
    const exits = await Promise.all([first.end(), second.end()])
    expect(exits.filter(({ code }) => code !== 0 && code !== null)).toEqual([])
    expect(first.errors() + second.errors()).toBe('')
    await sandbox.close()
  })

  /** A browser that has signed in at the first app, and counters at 0. */
  async function start(accessTokenTtlSeconds = 3600): Promise<CookieBrowser> {
    sandbox.control.reset()
    sandbox.control.set({ accessTokenTtlSeconds })
    const browser = new CookieBrowser()
    expect((await browser.go(`${first.url}/auth/login?return_to=/me`)).status).toBe(200)
    expect((await browser.visit(`${second.url}/auth/session`)).text).toContain('"signedIn":true')
    // The next token outlives the test, so that one refresh is all that is due.
    sandbox.control.set({ accessTokenTtlSeconds: 3600 })
    for (const { events } of [first, second]) events.length = 0
    return browser
  }

  const ask = (app: AppProcess, browser: CookieBrowser, path = '/userinfo') => browser.visit(app.url + path)

  test('C33 200 requests at expiry in two processes: one token call, a result for everyone', async () => {
    const browser = await start(FIRST_TTL_MS / SECOND)
    await elapse(FIRST_TTL_MS) // by the clock of PAS; asking would refresh it
    // Slow enough for both processes to be in the middle of it.
    sandbox.control.inject({ endpoint: 'token', fault: { kind: 'delay', delayMs: SECOND } })
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => ask(index % 2 === 0 ? first : second, browser, '/token')),
    )
    expect(answers.filter(({ status }) => status !== 200).map(({ text }) => text)).toEqual([])
    expect(sandbox.control.counters.tokenRefresh).toBe(1)
    const renewals = [...first.events, ...second.events].filter(({ type }) => type === 'token_refreshed')
    expect(renewals).toHaveLength(1)
  })

  test('C33 100 requests that all hear 401 from userinfo, in two processes: one token call', async () => {
    const browser = await start()
    sandbox.control.expireAccessTokens()
    sandbox.control.inject({ endpoint: 'token', fault: { kind: 'delay', delayMs: SECOND } })
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => ask(index % 2 === 0 ? first : second, browser)),
    )
    expect(answers.filter(({ status }) => status !== 200).map(({ text }) => text)).toEqual([])
    expect(sandbox.control.counters.tokenRefresh).toBe(1)
  })

  test('C33 the first process fails: the second tries itself, and succeeds', async () => {
    const browser = await start()
    sandbox.control.expireAccessTokens()
    sandbox.control.inject({ endpoint: 'token', fault: { kind: 'status', status: 503, delayMs: SECOND } })
    const failing = ask(first, browser)
    await untilWorks(async () => sandbox.control.counters.tokenRefresh === 1)
    const [lost, won] = await Promise.all([failing, ask(second, browser)])
    expect([lost.status, won.status]).toEqual([503, 200])
    expect(sandbox.control.counters.tokenRefresh).toBe(2)
    expect((await ask(first, browser)).status).toBe(200)
    expect(sandbox.control.counters.tokenRefresh).toBe(2)
  })

  test('C34 revoked: both processes know', async () => {
    const browser = await start()
    sandbox.control.revokeUser('alex')
    const answers = await Promise.all([first, second, first, second].map((app) => ask(app, browser)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]))
    for (const app of [first, second]) expect((await ask(app, browser, '/me')).location).toContain('/auth/login')
    const ends = [...first.events, ...second.events].filter(({ type }) => type === 'sign_out')
    expect(ends).toEqual([expect.objectContaining({ reason: 'revoked' })])
  })

  test('C33 the holder is killed in the middle: the others wait no longer than its lease', async () => {
    const browser = await start()
    sandbox.control.expireAccessTokens()
    sandbox.control.inject({ endpoint: 'token', fault: { kind: 'hang' } })
    const lost = ask(second, browser).catch(() => undefined)
    await untilWorks(async () => sandbox.control.counters.tokenRefresh === 1)
    await second.kill()
    await lost
    const page = await timed(() => ask(first, browser, '/me'))
    expect(page.result.status).toBe(200)
    expect(page.tookMs).toBeLessThan(SECOND)
    const token = await timed(() => ask(first, browser))
    expect(token.result.status).toBe(200)
    expect(token.tookMs).toBeLessThan(LEASE_MS + SECOND)
    expect(sandbox.control.counters.tokenRefresh).toBe(2)
  })
})
