import { afterEach, expect, test } from '@jest/globals'
import { en } from '../../src/pages/texts-en.js'
import { beginAttempt, buttonOf, isSignedIn } from '../support/attempts.js'
import { createClock, MINUTE } from '../support/clock.js'
import { describeWithRedis, redisForTests, type TestRedis } from '../support/redis.js'
import { startWorld, type World } from '../support/world.js'

let world: World
afterEach(() => world.close())

const refusals = (): unknown[] => world.events.filter(({ type }) => type === 'sign_in_refused')

test('C09 a sign-in that takes eleven minutes at PAS gets the attempt_expired page', async () => {
  const clock = createClock()
  world = await startWorld({ runtime: clock.runtime })
  const browser = world.browser()
  const callback = await beginAttempt(world, browser)
  clock.advance(11 * MINUTE)
  const page = await browser.visit(callback)
  expect(page.text).toContain(en.pages.attempt_expired.title)
  expect(refusals()).toEqual([expect.objectContaining({ reason: 'expired' })])
})

describeWithRedis('a Redis that loses what it was given', () => {
  test.each([
    ['all keys lost (FLUSHALL)', '*'],
    ['only the attempt lost (eviction)', 'tx:*'],
  ])('S11 %s between login and callback: attempt_lost page with a link to start again', async (_name, lost) => {
    const redis: TestRedis = await redisForTests()
    const keyPrefix = redis.prefix()
    world = await startWorld({ options: { redis: redis.url, keyPrefix } })
    const browser = world.browser()
    const callback = await beginAttempt(world, browser)
    await redis.client.del(...(await redis.client.keys(`${keyPrefix}test_login_client:${lost}`)))
    const page = await browser.visit(callback)
    expect([page.status, page.text]).toEqual([400, expect.stringContaining(en.pages.attempt_lost.title)])
    expect(refusals()).toEqual([
      expect.objectContaining({
        reason: 'attempt_lost',
        detail: expect.stringContaining('not in Redis: it was flushed'),
      }),
    ])
    await browser.go(buttonOf(page).href)
    expect(await isSignedIn(world, browser)).toBe(true)
  })
})
