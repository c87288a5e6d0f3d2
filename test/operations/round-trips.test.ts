import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { createClock, HOUR } from '../support/clock.js'
import type { CookieBrowser } from '../support/cookie-browser.js'
import { describeWithRedis, redisForTests } from '../support/redis.js'
import { type RedisSteps, startRedisSteps } from '../support/redis-steps.js'
import { until } from '../support/until.js'
import { startWorld, type World } from '../support/world.js'

describeWithRedis('commands to Redis by round trip, each step waiting for the one before', () => {
  let redis: RedisSteps
  let world: World
  let browser: CookieBrowser
  const clock = createClock()
  beforeAll(async () => {
    const { url, prefix } = await redisForTests()
    redis = await startRedisSteps(Number(new URL(url).port))
    world = await startWorld({ runtime: clock.runtime, options: { redis: redis.url, keyPrefix: prefix() } })
    // Once in full: Redis knows the scripts, and its clock has been read.
    await world.signedIn()
  })
  beforeEach(() => {
    browser = world.browser()
  })
  afterAll(async () => {
    await world.close()
    await redis.close()
  })

  async function visit(url: string): Promise<{ readonly location: string; readonly steps: RedisSteps['steps'] }> {
    redis.begin()
    const { location } = await browser.visit(url)
    return { location, steps: redis.steps }
  }

  /** To PAS and back: the address of the callback. */
  async function atPas(location: string): Promise<string> {
    let at = location
    while (!at.startsWith(`${world.url}/`)) at = (await browser.visit(at)).location
    return at
  }

  const LOGIN = [['ppoppoPut']]
  const SIGN_IN = [['ppoppoTake'], ['ppoppoCreate', 'ppoppoSetSession']]
  /** Sent with the answer, which does not wait for them. */
  const BESIDE = ['ppoppoUncount', 'set']
  const READ = [['get'], ['get']]

  test('login and callback of a new visitor: three in a row, six commands', async () => {
    const login = await visit(`${world.url}/auth/login?return_to=/me`)
    expect(login.steps()).toEqual(LOGIN)
    const callback = await visit(await atPas(login.location))
    await until(() => callback.steps().length > SIGN_IN.length)
    expect(callback.steps()).toEqual([...SIGN_IN, BESIDE])
  })

  test('a guarded page, a public page and /session of a signed-in person: two', async () => {
    browser = await world.signedIn()
    for (const path of ['/me', '/', '/auth/session']) {
      const { steps } = await visit(world.url + path)
      expect([path, steps()]).toEqual([path, READ])
    }
  })

  test('a public page without a cookie: none', async () => {
    expect((await visit(`${world.url}/`)).steps()).toEqual([])
  })

  test('a token that has expired: two after finding out who it is, for all requests at once', async () => {
    browser = await world.signedIn()
    clock.advance(2 * HOUR)
    redis.begin()
    const answers = await Promise.all([1, 2, 3].map(() => browser.visit(`${world.url}/token`)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    await until(() => redis.steps().flat().includes('ppoppoRelease')) // nobody waits for it
    const renewal = redis.steps().flat()
    expect(renewal.filter((name) => name !== 'get')).toEqual(['ppoppoAcquire', 'ppoppoWrite', 'ppoppoRelease'])
    // Each looks once more before it acts for the person. The renewal reads nothing again.
    expect(renewal.filter((name) => name === 'get')).toHaveLength(3 * (READ.length + 1))
  })

  test('sign-out: two after finding out who it is', async () => {
    browser = await world.signedIn()
    redis.begin()
    const headers = { Origin: world.url }
    expect((await browser.visit(`${world.url}/auth/logout`, { method: 'POST', headers })).status).toBe(303)
    expect(redis.steps()).toEqual([...READ, ['ppoppoDelete'], ['ppoppoSetSession', 'set']])
  })
})
