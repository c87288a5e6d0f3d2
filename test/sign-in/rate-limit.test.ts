import { afterEach, describe, expect, test } from '@jest/globals'
import express from 'express'
import { createRateLimit } from '../../src/sign-in/rate-limit.js'
import { createMemoryStore } from '../../src/store/memory/memory-store.js'
import { beginAttempt } from '../support/attempts.js'
import type { Answer } from '../support/cookie-browser.js'
import { describeOnStores } from '../support/stores.js'
import { startWorld, type World } from '../support/world.js'

const rateLimit = { loginPerMinute: 3, failuresPerMinute: 3 }
let world: World
afterEach(() => world?.close())

const forged = 'auth/callback?code=a&state=b'

describeOnStores('rate limits', (storage) => {
  async function statuses(
    path: string,
    count: number,
    headers: (index: number) => Record<string, string> = () => ({}),
  ) {
    const answers: Answer[] = []
    for (let index = 0; index < count; index += 1) {
      answers.push(await world.browser().visit(`${world.url}/${path}`, { headers: headers(index) }))
    }
    return answers
  }

  test.each([
    ['auth/login', 302, 'login'],
    [forged, 400, 'callback'],
  ] as const)('C43 %s above the limit gets 429 with Retry-After, a page and an event', async (path, status, limit) => {
    world = await startWorld({ options: { ...storage.options(), rateLimit } })
    const answers = await statuses(path, 5)
    expect(answers.map((answer) => answer.status)).toEqual([status, status, status, 429, 429])
    const last = answers.at(-1)
    expect(last?.headers.get('retry-after')).toMatch(/^([1-9]|[1-5]\d|60)$/)
    expect(last?.cookies).toEqual([])
    expect(last?.text).toContain('A short break, please')
    expect(world.events.filter(({ type }) => type === 'rate_limited')).toHaveLength(2)
    expect(world.events).toContainEqual(expect.objectContaining({ type: 'rate_limited', limit }))
  })

  test("C43 above the limit the app's own authorizationParams are not asked, and below it once for each login", async () => {
    let asked = 0
    const authorizationParams = (): Record<string, string> => {
      asked += 1
      return { 'x-asked': String(asked) }
    }
    world = await startWorld({ options: { ...storage.options(), rateLimit, authorizationParams } })
    const answers = await statuses('auth/login', 5)
    expect(answers.map((answer) => answer.status)).toEqual([302, 302, 302, 429, 429])
    expect(answers.at(-1)?.cookies).toEqual([])
    expect(answers[2]?.location).toContain('x-asked=3')
    expect(asked).toBe(3)
  })

  test('C43 above both limits, an attempt in progress still completes', async () => {
    world = await startWorld({ options: { ...storage.options(), rateLimit } })
    const browser = world.browser()
    const url = await beginAttempt(world, browser)
    await statuses(forged, 5)
    await statuses('auth/login', 5)
    expect((await browser.go(url)).status).toBe(200)
  })

  describe('A11 codes that PAS rejects', () => {
    const options = { rateLimit: { loginPerMinute: 1_000, failuresPerMinute: 3 } }
    const tokenCalls = (): number => world.sandbox.control.counters.token

    /** A callback of this browser's own attempt, with a code that is made up. */
    async function madeUp(): Promise<() => Promise<Answer>> {
      const browser = world.browser()
      const url = new URL(await beginAttempt(world, browser))
      url.searchParams.set('code', 'made-up')
      return () => browser.visit(url.href)
    }

    test('above the limit no code is sent to PAS, sequentially or concurrently', async () => {
      world = await startWorld({ options: { ...storage.options(), ...options } })
      const statuses: number[] = []
      for (let index = 0; index < 5; index += 1) statuses.push((await (await madeUp())()).status)
      expect(statuses).toEqual([400, 400, 400, 429, 429])
      expect(tokenCalls()).toBe(3)
      const visits = await Promise.all(Array.from({ length: 10 }, madeUp))
      const answers = await Promise.all(visits.map((visit) => visit()))
      expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(429))
      expect(answers[0]?.headers.get('retry-after')).toMatch(/^([1-9]|[1-5]\d|60)$/)
      expect(tokenCalls()).toBe(3)
    })

    test('of concurrent codes, no more than the limit reach PAS', async () => {
      world = await startWorld({ options: { ...storage.options(), ...options } })
      const visits = await Promise.all(Array.from({ length: 10 }, madeUp))
      await Promise.all(visits.map((visit) => visit()))
      expect(tokenCalls()).toBe(3)
    })

    test('successful sign-ins do not count', async () => {
      world = await startWorld({ options: { ...storage.options(), ...options } })
      for (let index = 0; index < 6; index += 1) await world.signedIn()
      expect(tokenCalls()).toBe(6)
    })

    test('another address is not limited', async () => {
      world = await startWorld({ options: { ...storage.options(), ...options } })
      world.app.set('trust proxy', 1)
      for (let index = 0; index < 4; index += 1) await (await madeUp())()
      const browser = world.browser()
      const headers = { 'X-Forwarded-For': '192.0.2.7' }
      const answer = await browser.visit(await beginAttempt(world, browser), { headers })
      expect([answer.status, answer.location]).toEqual([303, `${world.url}/me`])
    })
  })

  test('C43 addresses are counted apart: IPv4 whole, IPv6 by /64, and only where the proxy is trusted', async () => {
    world = await startWorld({ options: { ...storage.options(), rateLimit } })
    world.app.set('trust proxy', 1)
    const from = (address: (index: number) => string) => (index: number) => ({ 'X-Forwarded-For': address(index) })
    const codes = async (address: (index: number) => string): Promise<number[]> =>
      (await statuses('auth/login', 4, from(address))).map(({ status }) => status)
    expect(await codes((index) => `192.0.2.${index}`)).toEqual([302, 302, 302, 302])
    expect(await codes((index) => `2001:db8:0:1::${index}`)).toEqual([302, 302, 302, 429])
    expect(await codes((index) => `2001:db8:0:${index + 2}::1`)).toEqual([302, 302, 302, 302])
    const oneNetwork = [
      '2001:DB8:0:9:0:0:0:1',
      '[2001:db8::9:a:b:c:d]:4000',
      '2001:0db8:0000:0009::',
      '2001:db8:0:9::1%eth0',
    ]
    expect(await codes((index) => oneNetwork[index] ?? '')).toEqual([302, 302, 302, 429])
    expect(await codes((index) => (index % 2 ? '::1' : '::2'))).toEqual([302, 302, 302, 429])
    expect(await codes((index) => (index % 2 ? '198.51.100.7' : '::ffff:198.51.100.7'))).toEqual([302, 302, 302, 429])
    expect(await codes((index) => `198.51.100.${index + 20}:${4000 + index}`)).toEqual([302, 302, 302, 302])
    expect(await codes((index) => `203.0.113.9:${4000 + index}`)).toEqual([302, 302, 302, 429])
    // The last address is the proxy's word; what comes before it is the visitor's invention.
    expect(await codes((index) => `10.0.0.${index}, 203.0.113.10`)).toEqual([302, 302, 302, 429])
    expect(world.events.filter(({ type }) => type === 'warning')).not.toContainEqual(
      expect.objectContaining({ code: 'proxy_untrusted' }),
    )
  })

  test('C43 with X-Forwarded-For of an untrusted proxy, the connection counts, and there is one warning', async () => {
    world = await startWorld({ options: { ...storage.options(), rateLimit } })
    const answers = await statuses('auth/login', 5, (index) => ({ 'X-Forwarded-For': `192.0.2.${index}` }))
    expect(answers.map(({ status }) => status)).toEqual([302, 302, 302, 429, 429])
    const warnings = world.events.filter((event) => event.type === 'warning' && event.code === 'proxy_untrusted')
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatchObject({ detail: expect.stringContaining('trust proxy') })
  })

  test('U8 a trusted proxy and its client on one address: no warning that the proxy is not trusted', async () => {
    world = await startWorld({ options: { ...storage.options(), rateLimit } })
    world.app.set('trust proxy', 'loopback')
    await statuses('auth/login', 1, () => ({ 'X-Forwarded-For': '127.0.0.1' }))
    const untrusted = () => world.events.filter((event) => event.type === 'warning' && event.code === 'proxy_untrusted')
    expect(untrusted()).toEqual([])
    world.app.set('trust proxy', '192.0.2.1')
    await statuses('auth/login', 1, () => ({ 'X-Forwarded-For': '127.0.0.1' }))
    expect(untrusted()).toHaveLength(1)
  })

  test('C43 `rateLimit: false` limits nothing', async () => {
    world = await startWorld({ options: { ...storage.options(), rateLimit: false } })
    expect(new Set((await statuses(forged, 40)).map(({ status }) => status))).toEqual(new Set([400]))
  })
})

describe('rate limits while the store is down', () => {
  test('C43 failed callbacks are not limited', async () => {
    const store = createMemoryStore({ now: Date.now })
    const limit = createRateLimit({
      config: { rateLimit: { loginPerMinute: 1, failuresPerMinute: 1 } },
      store,
      raise: () => {},
    })
    const app = express().get('/', (req, res, next) => {
      limit.failure(req).then((waitMs) => res.json({ waitMs }), next)
    })
    world = await startWorld({ mount: (outer, auth) => outer.use('/limit', app).use(auth) })
    const waits = async (): Promise<number> =>
      JSON.parse((await world.browser().visit(`${world.url}/limit`)).text).waitMs
    expect(await waits()).toBe(0)
    expect(await waits()).toBeGreaterThan(0)
    await store.close()
    expect(await waits()).toBe(0)
  })
})
