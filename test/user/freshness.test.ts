import { afterEach, describe, expect, test } from '@jest/globals'
import { createClock, DAY, HOUR, MINUTE, SECOND, timed } from '../support/clock.js'
import type { CookieBrowser } from '../support/cookie-browser.js'
import { untilWorks } from '../support/until.js'
import { startWorld, type World } from '../support/world.js'

const clock = createClock()
let world: World
afterEach(() => world.close())

async function start(): Promise<CookieBrowser> {
  world = await startWorld({ runtime: clock.runtime })
  return world.signedIn()
}

const visit = (browser: CookieBrowser, path = '/page') => timed(() => browser.visit(world.url + path))
const refreshes = (): number => world.sandbox.control.counters.tokenRefresh

describe('C36 revocation at PAS', () => {
  test('C36 is noticed within one access-token life of activity, and no request waits for that', async () => {
    const browser = await start()
    world.sandbox.control.revokeUser('alex')
    world.sandbox.control.inject({ endpoint: 'token', fault: { kind: 'delay', delayMs: 3 * SECOND } })
    for (let minutes = 0; minutes < 60; minutes += 10) {
      expect((await visit(browser)).result.status).toBe(200)
      clock.advance(10 * MINUTE)
    }
    const last = await visit(browser)
    expect(last.result.status).toBe(200)
    expect(last.tookMs).toBeLessThan(1_500)
    await untilWorks(async () => (await visit(browser)).result.status === 302)
    expect(refreshes()).toBe(1)
    expect(world.events).toContainEqual(expect.objectContaining({ type: 'sign_out', reason: 'revoked' }))
  })

  test('C36 an active sign-in asks PAS once per access-token life', async () => {
    const browser = await start()
    for (let life = 1; life <= 3; life += 1) {
      clock.advance(HOUR)
      await Promise.all(Array.from({ length: 10 }, () => visit(browser)))
      await untilWorks(async () => world.events.filter(({ type }) => type === 'token_refreshed').length === life)
      for (let more = 0; more < 5; more += 1) await visit(browser)
      expect(refreshes()).toBe(life)
    }
  })

  test('C36 PAS is asked before the first answer after a day without verification', async () => {
    const browser = await start()
    clock.advance(DAY + MINUTE)
    world.sandbox.control.revokeUser('alex')
    const { result } = await visit(browser)
    expect([result.status, result.location.startsWith(`${world.url}/auth/login`)]).toEqual([302, true])
  })

  test('C36 after a day without verification a slow PAS delays only the first answer, by a second, and signs nobody out', async () => {
    const browser = await start()
    clock.advance(DAY + MINUTE)
    world.sandbox.control.inject({ endpoint: 'token', fault: { kind: 'delay', delayMs: 4 * SECOND } })
    const first = await visit(browser)
    expect(first.result.status).toBe(200)
    expect(first.wallMs).toBeGreaterThan(900)
    expect(first.tookMs).toBeLessThan(2_000)
    const next = await visit(browser)
    expect(next.result.status).toBe(200)
    expect(next.tookMs).toBeLessThan(700)
    await untilWorks(async () => world.events.some(({ type }) => type === 'token_refreshed'))
    expect(refreshes()).toBe(1)
  })

  test('C36 a revocation while PAS hangs is noticed when PAS answers again', async () => {
    const browser = await start()
    clock.advance(DAY + MINUTE)
    world.sandbox.control.revokeUser('alex')
    world.sandbox.control.inject({ endpoint: 'token', fault: { kind: 'status', status: 503 } })
    expect((await visit(browser)).result.status).toBe(200)
    expect((await visit(browser)).result.status).toBe(200)
    clock.advance(11 * SECOND)
    expect((await visit(browser)).result.status).toBe(302)
  })

  test('C36 a PAS that is down for a week signs nobody out, and is not flooded with calls', async () => {
    const browser = await start()
    await world.sandbox.close()
    for (let day = 1; day <= 7; day += 1) {
      clock.advance(DAY)
      const { result, tookMs } = await visit(browser)
      expect(result.status).toBe(200)
      expect(tookMs).toBeLessThan(2_000)
      for (let more = 0; more < 5; more += 1) expect((await visit(browser, '/me')).result.status).toBe(200)
    }
    expect(world.events.filter(({ type }) => type === 'refresh_failed')).toHaveLength(7)
    expect(world.events.filter(({ type }) => type === 'sign_out')).toEqual([])
  })

  test('C36 GET /session does not count as activity', async () => {
    const browser = await start()
    clock.advance(2 * HOUR)
    expect((await visit(browser, '/auth/session')).result.status).toBe(200)
    expect(refreshes()).toBe(0)
  })
})
