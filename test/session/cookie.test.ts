import { describe, expect, test } from '@jest/globals'
import { createClock, DAY, HOUR, MINUTE } from '../support/clock.js'
import { describeOnStores } from '../support/stores.js'
import { elapse } from '../support/until.js'
import { COOKIES, startWorld } from '../support/world.js'

const IDLE_MS = 40 * DAY
const ours = (lines: readonly string[], name = COOKIES.session): string[] =>
  lines.filter((line) => line.startsWith(`${name}=`))

describe('C22 attributes of cookies', () => {
  test.each([
    ['http', {}],
    ['https', { baseUrl: 'https://app.example' }],
  ])(
    'C22 on %s all cookies of the library are HttpOnly, SameSite=Lax, on /, without Domain, and small',
    async (scheme, more) => {
      const secure = { sessionSecret: 'uN3xP8vQ2kL7wZ5tR9yB4mC6dF1gH0jK', allowMemoryStore: true }
      const key = `k1:${Buffer.from([...Array(32).keys()].map((byte) => (byte * 37 + byte * byte * 11) & 255)).toString('base64')}`
      const world = await startWorld({ options: scheme === 'https' ? { ...more, ...secure, vaultKeys: key } : {} })
      try {
        // The app sees plain http in both: TLS ends at a proxy, and the app trusts none.
        const browser = world.browser()
        // A login under another host than that of `baseUrl` only leads there.
        const headers: Record<string, string> = scheme === 'https' ? { Host: 'app.example' } : {}
        const begun = await browser.visit(`${world.url}/auth/login?return_to=/me`, { headers })
        const basket = await browser.visit(`${world.url}/basket?add=apple`)
        // PAS may refuse an address that is not on this machine; then there is no more to see than the first two.
        const back = scheme === 'http' ? (await browser.visit(begun.location)).location : ''
        const landed = back === '' ? [] : (await browser.visit(back)).cookies
        const all = [...begun.cookies, ...basket.cookies, ...landed]
        expect(all.length).toBeGreaterThanOrEqual(scheme === 'http' ? 4 : 2)
        for (const line of all) {
          expect(line).toMatch(/; Path=\/(;|$)/)
          expect(line).toMatch(/; HttpOnly/)
          expect(line).toMatch(/; SameSite=Lax/i)
          expect(line).not.toMatch(/Domain/i)
          expect(line.length).toBeLessThan(1024)
          expect(/; Secure(;|$)/.test(line)).toBe(scheme === 'https')
          expect(line.startsWith('__Host-ppoppo')).toBe(scheme === 'https')
        }
        const name = `${scheme === 'https' ? '__Host-' : ''}${COOKIES.session}`
        expect(ours(basket.cookies, name)).toHaveLength(1)
        // What takes it away must name it the same, or a browser keeps it.
        if (scheme === 'http') {
          const out = await browser.visit(`${world.url}/auth/logout`, { method: 'POST' })
          for (const line of ours(out.cookies)) expect(line).toMatch(/Path=\/; Expires=Thu, 01 Jan 1970.*HttpOnly/)
          expect(ours(out.cookies)).toHaveLength(1)
        }
      } finally {
        await world.close()
      }
    },
  )
})

describeOnStores('C23 lifetimes', (storage) => {
  test('C22 the cookie is sent when a session begins and after a quarter of the idle time, and with no other response', async () => {
    const clock = createClock()
    const options = storage.options()
    // A refresh is use, too; here none is due.
    const sandbox = { accessTokenTtlSeconds: 100 * 24 * 3600 }
    const session = { idleMs: 40 * HOUR }
    const world = await startWorld({ options: { ...options, session }, runtime: clock.runtime, sandbox })
    try {
      expect(ours((await world.browser().visit(`${world.url}/`)).cookies)).toEqual([])
      const browser = await world.signedIn()
      const me = () => browser.visit(`${world.url}/me`)
      const expiresAt = async () =>
        Date.parse(JSON.parse((await browser.visit(`${world.url}/auth/session`)).text).expiresAt)
      const first = await expiresAt()
      expect(Math.abs(first - clock.runtime.now() - 40 * HOUR)).toBeLessThan(10_000)

      clock.advance(9 * HOUR)
      const writes = await storage.contents(options)
      expect(ours((await me()).cookies)).toEqual([])
      expect(ours((await browser.visit(`${world.url}/basket?add=pear`)).cookies)).toEqual([])
      expect(await expiresAt()).toBe(first)

      clock.advance(2 * HOUR)
      // Looking does not count as use.
      expect(ours((await browser.visit(`${world.url}/auth/session`)).cookies)).toEqual([])
      expect(await expiresAt()).toBe(first)
      const renewed = ours((await me()).cookies)
      expect(renewed).toHaveLength(1)
      expect(Date.parse(/Expires=([^;]+)/.exec(renewed[0] ?? '')?.[1] ?? '') - Date.now()).toBeGreaterThan(
        40 * HOUR - MINUTE,
      )
      expect((await expiresAt()) - first).toBeGreaterThan(10 * HOUR)
      // Record and blob were written in the same request.
      const changed = Object.entries(await storage.contents(options)).filter(([key, value]) => writes[key] !== value)
      if (storage.kind === 'redis')
        expect(
          changed
            .map(([key]) => /:(signin|sess):/.exec(key)?.[1])
            .filter(Boolean)
            .sort(),
        ).toEqual(['sess', 'signin'])
      expect(ours((await me()).cookies)).toEqual([])
      expect(JSON.parse((await browser.visit(`${world.url}/basket`)).text).basket).toEqual(['pear'])
    } finally {
      await world.close()
    }
  })

  test('C23 the server enforces the idle time, whatever the browser keeps; /auth/session does not extend it', async () => {
    const clock = createClock()
    const world = await startWorld({
      options: { ...storage.options(), session: { idleMs: IDLE_MS, absoluteMs: 100 * DAY } },
      runtime: clock.runtime,
    })
    try {
      const browser = await world.signedIn()
      for (let day = 0; day < 39; day += 13) {
        clock.advance(13 * DAY)
        expect(JSON.parse((await browser.visit(`${world.url}/auth/session`)).text).signedIn).toBe(true)
      }
      clock.advance(2 * DAY)
      expect(JSON.parse((await browser.visit(`${world.url}/auth/session`)).text)).toEqual({ signedIn: false })
      expect((await browser.visit(`${world.url}/me`)).status).toBe(302)
    } finally {
      await world.close()
    }
  })

  test('C23 use does not extend the absolute lifetime, and expiresAt shows that', async () => {
    const clock = createClock()
    const world = await startWorld({
      options: { ...storage.options(), session: { idleMs: IDLE_MS, absoluteMs: 100 * DAY } },
      runtime: clock.runtime,
    })
    try {
      const browser = await world.signedIn()
      const end = clock.runtime.now() + 100 * DAY
      for (let step = 0; step < 3; step += 1) {
        clock.advance(30 * DAY)
        expect((await browser.visit(`${world.url}/me`)).status).toBe(200)
      }
      const { expiresAt } = JSON.parse((await browser.visit(`${world.url}/auth/session`)).text)
      expect(Math.abs(Date.parse(expiresAt) - end)).toBeLessThan(10_000)
      clock.advance(11 * DAY)
      expect((await browser.visit(`${world.url}/me`)).status).toBe(302)
    } finally {
      await world.close()
    }
  })

  test('C23 with a real clock, a sign-in ends when it is unused for the idle time, and does not while it is used', async () => {
    const world = await startWorld({ options: { ...storage.options(), session: { idleMs: 8_000 } } })
    try {
      const browser = await world.signedIn()
      const since = performance.now()
      while (performance.now() < since + 9_000) {
        await elapse(1_500)
        expect((await browser.visit(`${world.url}/me`)).status).toBe(200)
      }
      const kept = browser.clone()
      await elapse(8_200)
      expect((await kept.visit(`${world.url}/me`)).status).toBe(302)
    } finally {
      await world.close()
    }
  })
})
