import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { describeWithBrowser, launchBrowser, type TestBrowser } from '../support/browser.js'
import { describeWithRedis, redisForTests } from '../support/redis.js'
import { type RoundRobinProxy, startRoundRobinProxy } from '../support/round-robin-proxy.js'
import { type AppProcess, startAppProcess } from './support/processes.js'
import { choose, heading, landsOn, openVisitor, readable, type Visitor } from './support/visitor.js'

describeWithRedis('two processes on one Redis', () => {
  describeWithBrowser('behind a proxy that takes turns', () => {
    let browser: TestBrowser
    let sandbox: Sandbox
    let proxy: RoundRobinProxy
    let apps: AppProcess[] = []
    let startOne: () => Promise<AppProcess>
    let visitor: Visitor

    beforeAll(async () => {
      const redis = await redisForTests()
      sandbox = await startSandbox({ pasPort: 0 })
      proxy = await startRoundRobinProxy(() => apps.map(({ port }) => port))
      // No keys are given: the processes agree on them through Redis.
      startOne = () =>
        startAppProcess({
          PPOPPO_CLIENT_ID: 'several_login_client',
          PPOPPO_BASE_URL: proxy.url,
          PPOPPO_AUTH_URL: sandbox.issuer,
          REDIS_URL: redis.url,
        })
      apps = await Promise.all([startOne(), startOne()])
      browser = await launchBrowser()
    })
    afterAll(async () => {
      await browser.close()
      await proxy.close()
      await Promise.all(apps.map((app) => app.kill()))
      await sandbox.close()
    })
    beforeEach(async () => {
      await visitor?.close()
      proxy.pin(undefined)
      sandbox.control.reset()
      visitor = await openVisitor(browser)
    })

    async function signIn(page: Page): Promise<void> {
      await page.goto(`${proxy.url}/orders`)
      await choose(page, 'alex')
      await landsOn(page, `${proxy.url}/orders`)
    }

    const tokenCalls = (): number => sandbox.control.counters.token

    test('C33 signing in and clicking through both, while access tokens come and go', async () => {
      sandbox.control.set({ accessTokenTtlSeconds: 3 })
      const { page } = visitor
      await signIn(page)
      const before = [...proxy.answered]
      const began = tokenCalls()
      const beganAt = Date.now()
      let clicks = 0
      while (tokenCalls() < began + 2) {
        await page.goto(`${proxy.url}/orders`)
        expect(await readable(page)).toContain('of 77700000001')
        clicks += 1
      }
      while (proxy.answered.some((count, index) => count === before[index])) await page.reload()
      // One refresh for each life of a token that has passed, however many processes looked.
      expect(tokenCalls() - began).toBeLessThanOrEqual(2 + (Date.now() - beganAt) / 2_000)
      expect(clicks).toBeGreaterThan(0)

      sandbox.control.set({ accessTokenTtlSeconds: 3600 })
      sandbox.control.expireAccessTokens()
      const lengths = await page.evaluate<number[]>(`Promise.all(Array.from({ length: 20 }, () =>
        fetch('/token').then((answer) => answer.json()).then(({ length }) => length)))`)
      expect(lengths.every((length) => length > 20)).toBe(true)
    })

    test('C28 a sign-out in one process is final, though a slow request in the other writes its session afterwards', async () => {
      const { page } = visitor
      await signIn(page)
      proxy.pin(0)
      const slowTab = await visitor.newTab()
      const slow = slowTab.goto(`${proxy.url}/slow`)
      await apps[0]?.says('slow request is here')
      proxy.pin(1)
      await page.goto(`${proxy.url}/auth/logout`)
      await page.getByRole('button', { name: 'Sign out' }).click()
      await landsOn(page, `${proxy.url}/`)
      apps[0]?.send('go on')
      await slow
      expect(await heading(slowTab)).toBe('Slow')
      for (const upstream of [0, 1]) {
        proxy.pin(upstream)
        await page.goto(`${proxy.url}/`)
        expect(await readable(page)).toContain('signed-out')
        await slowTab.goto(`${proxy.url}/orders`)
        expect(slowTab.url()).toContain(sandbox.issuer)
      }
    })

    test('a process killed in the middle of a sign-in: the other one finishes it, and a new one joins', async () => {
      const { page } = visitor
      proxy.pin(0)
      await page.goto(`${proxy.url}/orders`)
      await apps[0]?.kill()
      await choose(page, 'mina')
      await landsOn(page, `${proxy.url}/orders`)
      expect(await readable(page)).toContain('of 77700000002')

      const joined = await startOne()
      apps[0] = joined
      await page.reload()
      expect(await readable(page)).toContain('of 77700000002')
      proxy.pin(0)
      await apps[1]?.kill()
      await page.reload()
      expect(await readable(page)).toContain('of 77700000002')
      apps[1] = await startOne()
    })
  })
})
