import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { denySignIn } from '../../src/index.js'
import { describeWithBrowser, launchBrowser, type TestBrowser } from '../support/browser.js'
import { describeWithOwnRedis, type RedisServer, startRedis } from '../support/redis.js'
import { FINE, lookAt, unseenFocus } from './support/look.js'
import { type Shop, startShop } from './support/shop.js'
import { choose, openVisitor } from './support/visitor.js'

/** How one comes to each page, and the title it has then. Those that break something mend it. */
const WAYS: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  async malformed(page) {
    await page.goto(`${shop.url}/auth/callback?state=a&state=b`)
  },
  async attempt_missing(page) {
    await page.goto(`${shop.url}/auth/callback?code=x&state=y`)
  },
  async access_denied(page) {
    await page.goto(`${shop.url}/orders`)
    await choose(page, 'deny')
  },
  async account_setup_required(page) {
    await page.goto(`${shop.url}/orders`)
    await choose(page, 'newcomer')
  },
  async denied(page) {
    await page.goto(`${shop.url}/orders`)
    await choose(page, 'robo')
  },
  async invalid_scope(page) {
    shop.sandbox.control.inject({ endpoint: 'authorize', fault: { kind: 'callback-error', error: 'invalid_scope' } })
    await page.goto(`${shop.url}/orders`)
    await choose(page, 'alex')
  },
  async scope_shortfall(page) {
    shop.sandbox.control.inject({ endpoint: 'token', fault: { kind: 'narrower-scope' } })
    await page.goto(`${shop.url}/orders`)
    await choose(page, 'alex')
  },
  async verification_failed(page) {
    shop.sandbox.control.inject({ endpoint: 'token', fault: { kind: 'wrong-nonce' } })
    await page.goto(`${shop.url}/orders`)
    await choose(page, 'alex')
  },
  async provider_unavailable(page) {
    shop.sandbox.control.inject({ endpoint: 'token', times: 3, fault: { kind: 'status', status: 503 } })
    await page.goto(`${shop.url}/orders`)
    await choose(page, 'alex')
    shop.sandbox.control.clearFaults()
  },
  async store_unavailable(page) {
    await whileRedisIsSilent(() => page.goto(`${shop.url}/orders`))
  },
  async cookie_missing(page) {
    await page.goto(`${shop.url}/orders`)
    await choose(page, 'alex')
    await page.waitForURL(`${shop.url}/orders`)
    await page.context().clearCookies({ name: 'ppoppo' })
    await page.goto(`${shop.url}/orders`)
  },
  async logout_confirm(page) {
    await page.goto(`${shop.url}/auth/logout`)
  },
  async logout_unavailable(page) {
    await page.goto(`${shop.url}/auth/login?return_to=/settings`)
    await choose(page, 'mina')
    await page.goto(`${shop.url}/auth/logout`)
    await whileRedisIsSilent(async () => {
      await page.locator('button[type=submit]').click()
      await page.locator('footer').waitFor()
    })
  },
  async rate_limited(page) {
    for (let count = 0; count < 70; count += 10) {
      const attempts = Array.from({ length: 10 }, () => fetch(`${shop.url}/auth/callback`))
      await Promise.all(attempts)
    }
    await page.goto(`${shop.url}/auth/callback`)
  },
}

async function whileRedisIsSilent(work: () => Promise<unknown>): Promise<void> {
  redis.pause()
  try {
    await work()
  } finally {
    redis.resume()
  }
}

let browser: TestBrowser
let redis: RedisServer
let shop: Shop

describeWithOwnRedis('how the pages look', () => {
  describeWithBrowser('in a browser', () => {
    beforeAll(async () => {
      redis = await startRedis()
      browser = await launchBrowser()
      shop = await startShop({
        redis: redis.url,
        rateLimit: { loginPerMinute: 1000, failuresPerMinute: 60 },
        onSignIn(user) {
          if (user.accountType !== undefined) throw denySignIn('Only people can shop here, not programs.')
        },
      })
    }, 60_000)
    afterAll(async () => {
      redis.resume()
      await browser.close()
      await shop.close()
      await redis.stop()
    })

    test.each([
      ['en-US', 'en'],
      ['ko-KR', 'ko'],
    ])(
      'every page, come to as people do, in %s: readable, narrow enough, with a visible focus, breaking no policy',
      async (locale, lang) => {
        const faults: Record<string, unknown> = {}
        for (const [kind, way] of Object.entries(WAYS)) {
          const { page, complaints, close } = await openVisitor(browser, { locale })
          await way(page)
          for (const look of await lookAt(page, `library-${lang}-${kind}`)) {
            const { weak, small, overflow, headings } = look
            if (JSON.stringify({ weak, small, overflow, headings }) !== JSON.stringify(FINE) || look.lang !== lang)
              faults[kind] = look
          }
          const unseen = await unseenFocus(page)
          if (unseen.length + complaints.length > 0) faults[`${kind} focus, console`] = [unseen, complaints]
          await close()
        }
        expect(faults).toEqual({})
      },
      90_000,
    )

    test("the sandbox's own page", async () => {
      const { page, complaints, close } = await openVisitor(browser)
      await page.goto(`${shop.url}/orders`)
      for (const look of await lookAt(page, 'sandbox')) expect(look).toMatchObject({ ...FINE, lang: 'en' })
      expect(await unseenFocus(page)).toEqual([])
      expect(complaints).toEqual([])
      await close()
    })

    test('a page with the button in its three forms', async () => {
      const { page, complaints, close } = await openVisitor(browser)
      await page.goto(`${shop.url}/shop`)
      for (const look of await lookAt(page, 'button')) expect(look).toMatchObject({ ...FINE, lang: 'en' })
      expect(complaints).toEqual([])
      await close()
    })
  })
})
