import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { Redis } from 'ioredis'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { timed } from '../support/clock.js'
import type { Answer, CookieBrowser } from '../support/cookie-browser.js'
import { describeWithOwnRedis, type RedisServer, startRedis } from '../support/redis.js'
import { type SlowProxy, startSlowProxy } from '../support/slow-proxy.js'
import { untilWorks } from '../support/until.js'
import { startWorld, type World } from '../support/world.js'

const ANSWER_LIMIT_MS = 2_000
const RECOVERY_LIMIT_MS = 2_000
const API = { Accept: 'application/json', 'Sec-Fetch-Mode': 'cors' }

describeWithOwnRedis('C37 Redis at fault, seen through HTTP', () => {
  let sandbox: Sandbox
  let server: RedisServer
  let proxy: SlowProxy
  let world: World

  beforeAll(async () => {
    sandbox = await startSandbox({ pasPort: 0, autoSignIn: 'alex' })
  })
  beforeEach(async () => {
    server = await startRedis()
    proxy = await startSlowProxy(server.port)
    world = await startWorld({ sandbox, options: { redis: `redis://127.0.0.1:${proxy.port}`, rateLimit: {} } })
  })
  afterEach(async () => {
    await world.close()
    await proxy.close()
    await server.stop()
  })
  afterAll(async () => {
    await sandbox.close()
  })

  async function inTime(visit: () => Promise<Answer>): Promise<Answer> {
    const { result, tookMs } = await timed(visit)
    expect(tookMs).toBeLessThan(ANSWER_LIMIT_MS)
    return result
  }

  /** A signed-in browser, and the callback address of an attempt it has begun besides. */
  async function prepared(): Promise<{ browser: CookieBrowser; callback: string }> {
    const browser = await world.signedIn()
    const begun = await browser.visit(`${world.url}/auth/login?return_to=/page`)
    const { location } = await browser.visit(begun.location)
    expect(location).toContain('/auth/callback?code=')
    return { browser, callback: location }
  }

  /** Every kind of request, with what it must answer while nobody knows who is signed in. */
  async function expectCalm({ browser, callback }: { browser: CookieBrowser; callback: string }): Promise<void> {
    const cookies = new Map(browser.jar)
    const get = (path: string, headers = {}) => inTime(() => browser.visit(world.url + path, { headers }))

    const home = await get('/')
    expect([home.status, home.text]).toEqual([200, 'home unavailable'])
    for (const headers of [{}, API]) {
      const guarded = await get('/page', headers)
      expect([guarded.status, Number(guarded.headers.get('retry-after')) > 0]).toEqual([503, true])
      expect(guarded.cookies).toEqual([])
    }
    const session = await get('/auth/session', API)
    expect([session.status, session.cookies]).toEqual([503, []])
    const login = await get('/auth/login')
    expect([login.status, login.cookies]).toEqual([503, []])
    const returned = await inTime(() => browser.visit(callback))
    expect([returned.status, returned.cookies]).toEqual([503, []])
    const logout = await inTime(() => browser.visit(`${world.url}/auth/logout`, { method: 'POST', headers: API }))
    expect([logout.status, logout.cookies]).toEqual([503, []])
    const button = await get('/auth/button')
    expect(button.status).toBe(200)
    expect(new Map(browser.jar)).toEqual(cookies)
  }

  /** Signed in as before, and the attempt of before completes. */
  async function expectRecovery({ browser, callback }: { browser: CookieBrowser; callback: string }): Promise<void> {
    const { tookMs } = await timed(() =>
      untilWorks(async () => (await browser.visit(`${world.url}/page`)).status === 200),
    )
    expect(tookMs).toBeLessThan(RECOVERY_LIMIT_MS)
    const landed = await browser.go(callback)
    expect([landed.status, landed.url]).toEqual([200, `${world.url}/page`])
  }

  test('C37 killed: calm answers in time, then all as it was', async () => {
    const persistent = await prepared()
    // A restart keeps what SAVE wrote: this is about the outage, not about the loss.
    await onServer((redis) => redis.save())
    await server.kill()
    await expectCalm(persistent)
    await server.restart(['--dbfilename', 'dump.rdb'])
    await expectRecovery(persistent)
  })

  test('C37 hung (SIGSTOP): calm answers in time, then all as it was', async () => {
    const someone = await prepared()
    server.pause()
    await expectCalm(someone)
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => inTime(() => someone.browser.visit(`${world.url}/page`))),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]))
    server.resume()
    await expectRecovery(someone)
  })

  test('C37 hung in the middle of a request: its answer is in time, too', async () => {
    const { browser } = await prepared()
    const asked = Array.from({ length: 10 }, () => inTime(() => browser.visit(`${world.url}/page`)))
    server.pause()
    for (const { status } of await Promise.all(asked)) expect([200, 503]).toContain(status)
    server.resume()
  })

  test('C37 slow beyond use (1.5 s each way): calm answers in time, then all as it was', async () => {
    const someone = await prepared()
    proxy.setDelay(1_500)
    await expectCalm(someone)
    proxy.setDelay(0)
    await expectRecovery(someone)
  })

  test('C37 slow (100 ms each way): everything works, in time', async () => {
    const { browser, callback } = await prepared()
    proxy.setDelay(100)
    for (const path of ['/', '/page', '/auth/session']) {
      expect((await inTime(() => browser.visit(world.url + path))).status).toBe(200)
    }
    expect((await inTime(() => browser.visit(`${world.url}/auth/login`))).status).toBe(302)
    const { result, tookMs } = await timed(() => browser.visit(callback))
    expect(result.status).toBe(303)
    expect(tookMs).toBeLessThan(2 * ANSWER_LIMIT_MS)
    const logout = await inTime(() => browser.visit(`${world.url}/auth/logout`, { method: 'POST', headers: API }))
    expect(logout.text).toBe('{"signedOut":true}')
  })

  test('C37 a read-only replica: signed-in people pass, what must write says 503, nobody is signed out', async () => {
    const { browser } = await prepared()
    await onServer((redis) => redis.replicaof('127.0.0.1', 1))
    const page = await inTime(() => browser.visit(`${world.url}/page`))
    expect([200, 503]).toContain(page.status)
    expect((await inTime(() => browser.visit(`${world.url}/auth/login`))).status).toBe(503)
    const logout = await inTime(() => browser.visit(`${world.url}/auth/logout`, { method: 'POST', headers: API }))
    expect([logout.status, logout.cookies]).toEqual([503, []])
    await onServer((redis) => redis.replicaof('NO', 'ONE'))
    const { tookMs } = await timed(() =>
      untilWorks(async () => (await browser.visit(`${world.url}/auth/login`)).status === 302),
    )
    expect(tookMs).toBeLessThan(RECOVERY_LIMIT_MS)
    expect((await browser.visit(`${world.url}/page`)).status).toBe(200)
  })

  test('C37 a flush is a calm sign-out of everyone; they sign in again in the same browser', async () => {
    const someone = await Promise.all([prepared(), prepared()])
    await onServer((redis) => redis.flushall())
    for (const { browser, callback } of someone) {
      const page = await browser.visit(`${world.url}/page`)
      expect([page.status, page.location]).toEqual([302, expect.stringContaining('/auth/login?return_to=%2Fpage')])
      expect((await browser.visit(`${world.url}/auth/session`)).text).toBe('{"signedIn":false}')
      expect((await browser.visit(callback)).status).toBe(400)
      expect((await browser.go(`${world.url}/page`)).text).toContain('page of')
    }
  })

  test('C35 a rotated refresh token is not lost while Redis hangs for a moment', async () => {
    sandbox.control.set({ refreshTokenAnswer: 'rotate' })
    const { browser } = await prepared()
    sandbox.control.expireAccessTokens()
    sandbox.control.inject({ endpoint: 'token', fault: { kind: 'delay', delayMs: 800 } })
    const before = sandbox.control.counters.tokenRefresh
    const asking = browser.visit(`${world.url}/userinfo`)
    await untilWorks(async () => sandbox.control.counters.tokenRefresh > before)
    server.pause()
    setTimeout(() => server.resume(), 2_000)
    expect((await asking).status).toBe(200)
    sandbox.control.expireAccessTokens()
    expect((await browser.visit(`${world.url}/userinfo`)).status).toBe(200)
    sandbox.control.reset()
  })

  async function onServer(command: (redis: Redis) => Promise<unknown>): Promise<void> {
    const redis = new Redis(server.url)
    try {
      await command(redis)
    } finally {
      redis.disconnect()
    }
  }
})
