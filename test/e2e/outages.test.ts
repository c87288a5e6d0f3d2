import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { allowed } from '../support/allowed.js'
import { describeWithBrowser, launchBrowser, type TestBrowser } from '../support/browser.js'
import { describeWithOwnRedis, type RedisServer, startRedis } from '../support/redis.js'
import { type Shop, startShop } from './support/shop.js'
import { choose, heading, landsOn, openVisitor, readable, type Visitor, visit } from './support/visitor.js'

describeWithOwnRedis('when something is down', () => {
  describeWithBrowser('in a browser', () => {
    let browser: TestBrowser
    let redis: RedisServer
    let sandbox: Sandbox
    let shop: Shop
    let visitor: Visitor

    beforeAll(async () => {
      browser = await launchBrowser()
    })
    beforeEach(async () => {
      redis = await startRedis()
      sandbox = await startSandbox({ pasPort: 0 })
      shop = await startShop({ redis: redis.url }, sandbox)
      visitor = await openVisitor(browser)
    })
    afterEach(async () => {
      redis.resume()
      await visitor.close()
      await shop.close()
      await sandbox.close()
      await redis.stop()
    })
    afterAll(() => browser.close())

    async function signIn(): Promise<void> {
      await visitor.page.goto(`${shop.url}/orders`)
      await choose(visitor.page, 'alex')
      await landsOn(visitor.page, `${shop.url}/orders`)
    }

    const sessionCookie = async (): Promise<string | undefined> =>
      (await visitor.context.cookies()).find(({ name }) => /^ppoppo-[\w-]{8}$/.test(name))?.value

    /** Asks again until the page is there; how long a person would have waited. */
    async function msUntil(status: number, url: string, tab = visitor.page): Promise<number> {
      const beganAt = Date.now()
      while ((await visit(tab, url)) !== status) if (Date.now() - beganAt > 15_000) break
      return Date.now() - beganAt
    }

    test('C37 Redis hangs and comes back: 503 for guarded pages, public ones served, and still signed in', async () => {
      await signIn()
      const { page } = visitor
      const cookie = await sessionCookie()
      redis.pause()
      const response = await page.goto(`${shop.url}/settings`)
      expect(response?.status()).toBe(503)
      expect(response?.headers()['retry-after']).toMatch(/^\d+$/)
      expect(await readable(page)).toContain('You have not been signed out.')
      expect(await visit(page, `${shop.url}/shop`)).toBe(200)
      expect(await sessionCookie()).toBe(cookie)
      redis.resume()
      expect(await msUntil(200, `${shop.url}/settings`)).toBeLessThan(await allowed(10_000))
      expect(await heading(page)).toBe('Settings')
      expect(await sessionCookie()).toBe(cookie)
    })

    test('C37 "Try again" on that page leads to the requested page without another sign-in', async () => {
      await signIn()
      const { page } = visitor
      redis.pause()
      await page.goto(`${shop.url}/settings`)
      redis.resume()
      const other = await visitor.newTab()
      await msUntil(200, `${shop.url}/orders`, other)
      await page.getByRole('link', { name: 'Try again' }).click()
      expect(page.url()).toBe(`${shop.url}/settings`)
    })

    test('C37 Redis killed, and back with nothing in it: a calm sign-out, and a new sign-in works', async () => {
      await signIn()
      const { page } = visitor
      await redis.kill()
      expect(await visit(page, `${shop.url}/settings`)).toBe(503)
      await redis.restart()
      await msUntil(200, `${shop.url}/settings`)
      expect(page.url()).toContain(sandbox.issuer)
      await choose(page, 'mina')
      await landsOn(page, `${shop.url}/settings`)
    })

    test('C34 C36 PAS gone while signed in: pages go on, its data waits, and all is well when it is back', async () => {
      await signIn()
      const { page } = visitor
      await sandbox.close()
      expect(await visit(page, `${shop.url}/settings`)).toBe(200)
      expect(await visit(page, `${shop.url}/email`)).toBe(200)
      expect(await readable(page)).toContain("can't be fetched")
      expect(await page.evaluate(`fetch('/token').then((answer) => answer.json())`)).toMatchObject({
        length: expect.any(Number),
      })
      sandbox = await startSandbox({ pasPort: Number(new URL(sandbox.issuer).port) })
      // It came back with other keys, as after a rotation.
      const other = await openVisitor(browser)
      await other.page.goto(`${shop.url}/orders`)
      await choose(other.page, 'mina')
      await landsOn(other.page, `${shop.url}/orders`)
      expect(await visit(page, `${shop.url}/settings`)).toBe(200)
      await other.close()
    })

    test('C38 an app that started while PAS was down says so at login, and its button works once PAS is there', async () => {
      const { page } = visitor
      await sandbox.close()
      await shop.close()
      shop = await startShop({ redis: redis.url }, sandbox)
      expect(await visit(page, `${shop.url}/shop`)).toBe(200)
      expect(await visit(page, `${shop.url}/orders?kept=3`)).toBe(503)
      expect(await heading(page)).toBe('Ppoppo cannot be reached right now')
      sandbox = await startSandbox({ pasPort: Number(new URL(sandbox.issuer).port) })
      await page.getByRole('link', { name: 'Try again' }).click()
      await choose(page, 'alex')
      await landsOn(page, `${shop.url}/orders?kept=3`)
    })
  })
})
