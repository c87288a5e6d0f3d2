import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import type { Express } from 'express'
import { Redis } from 'ioredis'
import type { Page } from 'playwright-core'
import { denySignIn, type Ppoppo, parsePpnum } from '../../src/index.js'
import { PAGE_KINDS, type PageKind } from '../../src/pages/text-types.js'
import { en } from '../../src/pages/texts-en.js'
import { ko } from '../../src/pages/texts-ko.js'
import { signInAs, toPlaywright } from '../../src/testing/index.js'
import { describeWithBrowser, launchBrowser, type TestBrowser } from '../support/browser.js'
import { describeWithOwnRedis, type RedisServer, startRedis } from '../support/redis.js'
import { FINE, lookAt, unseenFocus } from './support/look.js'
import { type Shop, startShop } from './support/shop.js'
import { choose, openVisitor } from './support/visitor.js'

/** How one comes to each page, and the title it has then. Those that break something repair it. */
const WAYS: Readonly<Partial<Record<PageKind, (page: Page) => Promise<void>>>> = {
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
    // The secret in Redis has been read.
    await page.goto(`${shop.url}/orders`)
    await whileRedisIsSilent(() => page.goto(`${shop.url}/orders`))
  },
  async cookie_missing(page) {
    await page.goto(`${shop.url}/orders`)
    await choose(page, 'alex')
    await page.waitForURL(`${shop.url}/orders`)
    // As in a browser that keeps the small cookie of the callback, and never brought the session's.
    const context = page.context()
    const session = (await context.cookies()).find(({ name }) => /^ppoppo-[\w-]{8}$/.test(name))?.name ?? ''
    await context.clearCookies({ name: session })
    const name = session.replace('ppoppo-', 'ppoppo-landed-')
    await context.addCookies([{ name, value: Date.now().toString(36), url: shop.url }])
    await page.goto(`${shop.url}/orders`)
  },
  async attempt_lost(page) {
    await page.goto(`${shop.url}/orders`)
    await redisClient.flushall()
    await choose(page, 'alex')
  },
  async still_signed_in(page) {
    await page.goto(`${shop.url}/orders`)
    await choose(page, 'alex')
    await page.waitForURL(`${shop.url}/orders`)
    await page.goBack()
    await choose(page, 'mina')
    await page.waitForURL(/\/auth\/callback\?/)
  },
  async sign_in_lost(page) {
    await page.goto(`${shop.url}/orders`)
    await choose(page, 'alex')
    await page.waitForURL(`${shop.url}/orders`)
    // As after the second landing in a row, with a session that is not in the store.
    const context = page.context()
    const session = (await context.cookies()).find(({ name }) => /^ppoppo-[\w-]{8}$/.test(name))?.name ?? ''
    const landed = { name: session.replace('ppoppo-', 'ppoppo-landed-'), value: `${Date.now().toString(36)}.again` }
    await context.addCookies([
      { ...landed, url: shop.url },
      { name: session, value: 'forgotten', url: shop.url },
    ])
    await page.goto(`${shop.url}/orders`)
  },
  async code_refused(page) {
    const fault = { kind: 'status', status: 400, error: 'invalid_grant' } as const
    shop.sandbox.control.inject({ endpoint: 'token', fault })
    await page.goto(`${shop.url}/orders`)
    await choose(page, 'alex')
  },
  async logout_confirm(page) {
    await page.goto(`${shop.url}/auth/login?return_to=/settings`)
    await choose(page, 'mina')
    await page.waitForURL(`${shop.url}/settings`)
    await page.goto(`${shop.url}/auth/logout`)
  },
  async signed_out(page) {
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
  async logout_go_on(page) {
    await page.goto(`${shop.url}/auth/login?return_to=/settings`)
    await choose(page, 'mina')
    // It goes on by itself; here it is stopped, to be looked at.
    await page.route(/\/oauth\/logout/, (route) => route.fulfill({ status: 204 }))
    await page.goto(`${shop.url}/auth/logout`)
    await page.locator('button[type=submit]').click()
    await page.locator(`a[href^="${shop.sandbox.issuer}"]`).waitFor()
  },
  async rate_limited(page) {
    await Promise.all(Array.from({ length: 31 }, () => fetch(`${shop.url}/auth/callback`)))
    await page.goto(`${shop.url}/auth/callback`)
  },
  async sign_in_again(page) {
    await openSignedIn(page)
    await submit(page, '/email')
  },
  async forbidden(page) {
    await openSignedIn(page)
    await page.goto(`${shop.url}/admin`)
  },
  async cross_site(page) {
    // From no origin of ours: the tab is empty.
    await submit(page, '/email')
  },
  async request_refused(page) {
    await page.goto(`${shop.url}/wrong-number`)
  },
  async not_available(page) {
    await page.goto(`${shop.url}/messages`)
  },
}

/** What the guard, the check of the origin and the error handler show. */
function refusingRoutes(app: Express, auth: Ppoppo): void {
  app.use(auth.requireSameOrigin())
  app.post('/email', auth.requireSignIn({ scopes: ['email'] }))
  app.get('/admin', auth.requireSignIn({ when: () => false }))
  app.get('/wrong-number', (_req, res) => void res.send(parsePpnum('none')))
  app.get('/messages', async (_req, res) => void res.json(await auth.messaging.app.stats()))
  app.use(auth.errorHandler())
}

/** A page of the shop, by somebody whose sign-in lacks a scope. */
async function openSignedIn(page: Page): Promise<void> {
  const user = { sub: '01HZY3V9QK8E5R6T7W8X9Y0Z1A', ppnum: '12312345678' }
  await page.context().addCookies(toPlaywright(await signInAs(shop.auth, user, { scopes: ['openid'] })))
  await page.goto(`${shop.url}/plain`)
}

/** Sends a form of the page that is open. */
async function submit(page: Page, path: string): Promise<void> {
  await page.setContent(`<form method="post" action="${shop.url}${path}"><button>Send</button></form>`)
  await page.locator('button').click()
  await page.waitForURL(`${shop.url}${path}`)
}

async function whileRedisIsSilent(work: () => Promise<unknown>): Promise<void> {
  redis.pause()
  try {
    await work()
  } finally {
    redis.resume()
  }
}

const PAGES = (
  [
    ['en-US', 'en', en],
    ['ko-KR', 'ko', ko],
  ] as const
).flatMap(([locale, lang, { pages }]) =>
  PAGE_KINDS.filter((kind) => kind in WAYS).map((kind) => ({ kind, locale, lang, title: pages[kind].title })),
)

let browser: TestBrowser
let redis: RedisServer
let redisClient: Redis
let shop: Shop

describeWithOwnRedis('how the pages look', () => {
  describeWithBrowser('in a browser', () => {
    beforeAll(async () => {
      redis = await startRedis()
      redisClient = new Redis(redis.url)
      browser = await launchBrowser()
    })
    // A shop for each test: one page is that of too many failures.
    beforeEach(async () => {
      shop = await startShop(
        {
          redis: redis.url,
          keyPrefix: `${randomUUID()}:`,
          onSignIn(user) {
            if (user.accountType !== undefined) throw denySignIn('Only people can shop here, not programs.')
          },
        },
        { autoSignIn: null, announceEndSession: true },
        { routes: refusingRoutes },
      )
    })
    afterEach(() => shop.close())
    afterAll(async () => {
      await browser.close()
      redisClient.disconnect()
      await redis.stop()
    })

    test.each(PAGES)(
      'the page $kind, come to as people do, in $lang: readable, narrow enough, with a visible focus, breaking no policy',
      async ({ kind, locale, lang, title }) => {
        const { page, complaints, close } = await openVisitor(browser, { locale })
        await WAYS[kind]?.(page)
        for (const look of await lookAt(page, `library-${lang}-${kind}`))
          expect(look).toMatchObject({ ...FINE, lang, title })
        expect(await unseenFocus(page)).toEqual([])
        expect(complaints).toEqual([])
        await close()
      },
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
