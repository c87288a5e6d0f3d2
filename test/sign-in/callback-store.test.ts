import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { Redis } from 'ioredis'
import { beginAttempt, buttonOf, isSignedIn } from '../support/attempts.js'
import { describeWithOwnRedis, type RedisServer, startRedis } from '../support/redis.js'
import { startWorld, type World } from '../support/world.js'

describeWithOwnRedis('a Redis that hangs during a sign-in', () => {
  let redis: RedisServer
  let client: Redis
  let world: World
  beforeAll(async () => {
    redis = await startRedis()
    client = new Redis(redis.url)
    world = await startWorld({ options: { redis: redis.url, rateLimit: false } })
    await world.signedIn()
  })
  afterAll(async () => {
    redis.resume()
    await world.close()
    client.disconnect()
    await redis.stop()
  })

  test('C08 before the attempt is taken: 503, the attempt is kept, and a reload completes it', async () => {
    const browser = world.browser()
    const url = await beginAttempt(world, browser)
    const cookies = new Map(browser.jar)
    const before = world.sandbox.control.counters.token
    redis.pause()
    const answer = await browser.visit(url)
    redis.resume()
    expect([answer.status, answer.cookies]).toEqual([503, []])
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/)
    expect(browser.jar).toEqual(cookies)
    expect(world.sandbox.control.counters.token).toBe(before)
    expect((await settled(() => browser.go(url))).status).toBe(200)
  })

  test('C18 after the code exchange: 503 without a redirect, and no sign-in is left or created later', async () => {
    const browser = world.browser()
    const url = await beginAttempt(world, browser, '/me?kept')
    const before = await client.keys('*signin:*')
    world.sandbox.control.inject({ endpoint: 'userinfo', fault: { kind: 'delay', delayMs: 500 } })
    const asked = world.sandbox.control.counters.userinfo
    const pending = browser.visit(url)
    while (world.sandbox.control.counters.userinfo === asked) await new Promise((resolve) => setImmediate(resolve))
    redis.pause()
    const answer = await pending
    redis.resume()
    expect([answer.status, answer.location]).toEqual([503, ''])
    expect(await settled(() => client.keys('*signin:*'))).toEqual(before)
    expect(await isSignedIn(world, browser)).toBe(false)
    expect((await settled(() => browser.go(buttonOf(answer).href))).url).toBe(`${world.url}/me?kept`)
  })

  test('C43 login gets a 503 page that keeps return_to', async () => {
    const browser = world.browser()
    redis.pause()
    const answer = await browser.visit(`${world.url}/auth/login?return_to=/me?kept`)
    redis.resume()
    expect([answer.status, answer.cookies]).toEqual([503, []])
    expect((await settled(() => browser.go(buttonOf(answer).href))).url).toBe(`${world.url}/me?kept`)
  })

  /** Once the app answers from Redis again. */
  async function settled<T>(work: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + 5_000
    while ((await world.browser().visit(`${world.url}/auth/login`)).status !== 302) {
      if (Date.now() > deadline) throw new Error('the app does not come back')
    }
    return work()
  }
})
