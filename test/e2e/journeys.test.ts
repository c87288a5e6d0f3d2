import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import type { PpoppoOptions } from '../../src/index.js'
import { describeWithBrowser, launchBrowser, type TestBrowser } from '../support/browser.js'
import { describeWithRedis, redisForTests } from '../support/redis.js'
import { until } from '../support/until.js'
import { type Shop, startShop } from './support/shop.js'
import { choose, heading, landsOn, openVisitor, readable, styleOf, type Visitor, visit } from './support/visitor.js'

let browser: TestBrowser
let shop: Shop
const visitors: Visitor[] = []
const closeLater: Shop[] = []

async function newVisitor(options: Parameters<typeof openVisitor>[1] = {}): Promise<Visitor> {
  const visitor = await openVisitor(browser, options)
  visitors.push(visitor)
  return visitor
}

/** Signed in and looking at the orders. */
async function signedIn(person = 'alex'): Promise<Visitor> {
  const visitor = await newVisitor()
  await visitor.page.goto(`${shop.url}/orders`)
  await choose(visitor.page, person)
  await landsOn(visitor.page, `${shop.url}/orders`)
  return visitor
}

const attemptsIn = async ({ context }: Visitor): Promise<number> =>
  (await context.cookies()).filter(({ name }) => name.includes('-tx-')).length

function setUp(options: () => Promise<PpoppoOptions>): void {
  beforeAll(async () => {
    browser = await launchBrowser()
    shop = await startShop(await options())
  })
  afterAll(async () => {
    await browser.close()
    await shop.close()
  })
  afterEach(async () => {
    const complaints = visitors.flatMap((visitor) => visitor.complaints)
    await Promise.all(visitors.splice(0).map((visitor) => visitor.close()))
    await Promise.all(closeLater.splice(0).map((one) => one.close()))
    expect(complaints).toEqual([])
  })
}

function mainJourneys(): void {
  test('one click on the component, one on the person, and one is back where one was', async () => {
    const { page, context } = await newVisitor()
    await page.goto(`${shop.url}/shop`)
    await page.locator('ppoppo-sign-in a').click()
    expect(page.url()).toContain(shop.sandbox.issuer)
    await choose(page, 'alex')
    await landsOn(page, `${shop.url}/orders?from=component`)
    expect(await readable(page)).toContain('of 77700000001')
    const cookies = await context.cookies()
    expect(cookies.filter(({ name }) => name.includes('-tx-'))).toEqual([])
    const session = cookies.find(({ name }) => /^ppoppo-[\w-]{8}$/.test(name))
    expect(session).toMatchObject({ domain: 'localhost', path: '/', httpOnly: true, sameSite: 'Lax', secure: false })
    expect(session?.expires).toBeGreaterThan(Date.now() / 1000 + 29 * 86_400)
    expect(await page.evaluate('document.cookie')).toBe('')
  })

  test('C07 four tabs begun at once in a fresh browser and finished in reverse order all land', async () => {
    const visitor = await newVisitor()
    const tabs = [visitor.page, ...(await Promise.all([1, 2, 3].map(visitor.newTab)))]
    const target = (tab: Page): string => `${shop.url}/orders?tab=${tabs.indexOf(tab)}`
    await Promise.all(tabs.map((tab) => tab.goto(target(tab))))
    expect(await attemptsIn(visitor)).toBe(4)
    for (const tab of [...tabs].reverse()) {
      await choose(tab, 'alex')
      await landsOn(tab, target(tab))
      expect(await heading(tab)).toBe('Orders')
    }
    expect(await attemptsIn(visitor)).toBe(0)
    await Promise.all(tabs.map((tab) => tab.reload()))
    for (const tab of tabs) expect(await heading(tab)).toBe('Orders')
  })

  test('C07 two tabs that finish at the same moment both land, and one sign-in is left', async () => {
    const visitor = await newVisitor()
    const other = await visitor.newTab()
    await Promise.all([visitor.page.goto(`${shop.url}/orders`), other.goto(`${shop.url}/settings`)])
    await Promise.all([choose(visitor.page, 'mina'), choose(other, 'mina')])
    await Promise.all([landsOn(visitor.page, `${shop.url}/orders`), landsOn(other, `${shop.url}/settings`)])
    await Promise.all([visitor.page.reload(), other.reload()])
    expect([await heading(visitor.page), await heading(other)]).toEqual(['Orders', 'Settings'])
  })

  test('C07 a tab begun before another one finished finishes after it, as somebody else too', async () => {
    const visitor = await newVisitor()
    const late = await visitor.newTab()
    await late.goto(`${shop.url}/settings`)
    await visitor.page.goto(`${shop.url}/orders`)
    await choose(visitor.page, 'alex')
    await landsOn(visitor.page, `${shop.url}/orders`)
    await choose(late, 'mina')
    await landsOn(late, `${shop.url}/settings`)
    await visitor.page.reload()
    expect(await readable(visitor.page)).toContain('of 77700000002')
  })

  test('C30 C31 signing out by the confirm page is final: neither back, forward nor a reload shows anything', async () => {
    const { page } = await signedIn()
    await page.getByRole('link', { name: 'Settings' }).click()
    await page.goBack()
    await page.getByRole('link', { name: 'Sign out' }).click()
    expect(await heading(page)).toBe('Sign out?')
    const tab = await page.context().newPage()
    expect(await visit(tab, `${shop.url}/orders`)).toBe(200)
    expect(await heading(tab)).toBe('Orders')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await landsOn(page, `${shop.url}/shop`)
    for (const step of ['goBack', 'goBack', 'goForward'] as const) {
      await page[step]()
      expect(await readable(page)).not.toContain('77700000001')
    }
    await tab.reload()
    expect(tab.url()).toContain(shop.sandbox.issuer)
  })

  test('C29 two browsers of one person: each sees both, ends the other, and everywhere ends all', async () => {
    const here = await signedIn('mina')
    const there = await signedIn('mina')
    await here.page.goto(`${shop.url}/sign-ins`)
    expect(await here.page.locator('button.here').count()).toBe(1)
    const others = await here.page.locator('button.other').count()
    expect(others).toBeGreaterThanOrEqual(1)
    for (let left = others; left > 0; left -= 1) await here.page.locator('button.other').first().click()
    expect(await here.page.locator('button.other').count()).toBe(0)
    await there.page.getByRole('link', { name: 'Settings' }).click()
    expect(there.page.url()).toContain(shop.sandbox.issuer)
    await choose(there.page, 'mina')
    await landsOn(there.page, `${shop.url}/settings`)

    await there.page.goto(`${shop.url}/auth/logout`)
    await there.page.getByRole('checkbox').check()
    await there.page.getByRole('button', { name: 'Sign out' }).click()
    await landsOn(there.page, `${shop.url}/`)
    await here.page.goto(`${shop.url}/orders`)
    expect(here.page.url()).toContain(shop.sandbox.issuer)
  })
}

describeWithBrowser('in a browser, on the memory store', () => {
  setUp(async () => ({}))
  mainJourneys()

  describe('the button', () => {
    test('as HTML link, as fragment of /auth/button, and without any script', async () => {
      const withScripts = await newVisitor()
      await withScripts.page.goto(`${shop.url}/shop`)
      await withScripts.page.locator('#fragment a.ppoppo-sign-in').click()
      await choose(withScripts.page, 'alex')
      await landsOn(withScripts.page, `${shop.url}/orders?from=fragment`)

      const without = await newVisitor({ javaScriptEnabled: false })
      await without.page.goto(`${shop.url}/shop`)
      expect(await without.page.locator('a.ppoppo-sign-in').count()).toBe(1)
      await without.page.locator('a.ppoppo-sign-in').click()
      await choose(without.page, 'robo')
      await landsOn(without.page, `${shop.url}/orders?from=html`)
      expect(await readable(without.page)).toContain('of 77700000003')
    })

    test('is reached and pressed by keyboard, with a visible focus', async () => {
      const { page } = await newVisitor()
      await page.goto(`${shop.url}/shop`)
      for (const selector of ['body > a.ppoppo-sign-in', 'ppoppo-sign-in a']) {
        await page.keyboard.press('Tab')
        const link = page.locator(selector)
        expect(await link.evaluate((element) => element.matches(':focus-visible'))).toBe(true)
        expect(await styleOf(link, 'outline-width')).toBe('3px')
      }
      await page.keyboard.press('Enter')
      await page.waitForURL(`${shop.sandbox.issuer}/**`)
    })
  })

  test('C05 hints to prefetch or prerender the login start nothing, and a click afterwards signs in', async () => {
    const visitor = await newVisitor()
    const { page } = visitor
    const before = shop.seen.length
    await page.goto(`${shop.url}/hints`)
    const prepared = (): typeof shop.seen =>
      shop.seen.slice(before).filter(({ path, purpose }) => path.startsWith('/auth/login') && purpose !== '')
    // One of each kind of hint, or the test would look at nothing.
    await until(() => new Set(prepared().map(({ path }) => path)).size >= 2)
    expect(prepared().map(({ status }) => status())).toEqual(prepared().map(() => 503))
    expect(await attemptsIn(visitor)).toBe(0)
    await page.getByRole('link', { name: 'Sign in' }).click()
    await choose(page, 'alex')
    await landsOn(page, `${shop.url}/orders?by=prefetch`)
  })

  test('C19 a person who denies consent reads what happened, starts over, and still lands where they wanted to go', async () => {
    const { page } = await newVisitor()
    await page.goto(`${shop.url}/orders?kept=1`)
    await choose(page, 'deny')
    expect(await heading(page)).toBe('You did not sign in')
    await page.getByRole('link', { name: 'Start again' }).click()
    await choose(page, 'alex')
    await landsOn(page, `${shop.url}/orders?kept=1`)
  })

  test('C19 an unfinished registration is told in the language of the browser, and can be tried again', async () => {
    const { page } = await newVisitor({ locale: 'ko-KR' })
    await page.goto(`${shop.url}/orders?kept=2`)
    await choose(page, 'newcomer')
    expect(await heading(page)).toBe('먼저 Ppoppo 가입을 완료해 주세요')
    expect(await page.locator('html').getAttribute('lang')).toBe('ko')
    await page.getByRole('link', { name: '다시 시도' }).click()
    await choose(page, 'mina')
    await landsOn(page, `${shop.url}/orders?kept=2`)
  })

  test('C20 the callback address once more, reloaded or by the back button, goes where one was and signs nobody out', async () => {
    const visitor = await newVisitor()
    const { page } = visitor
    const callbacks: string[] = []
    page.on('request', (request) => request.url().includes('/auth/callback') && callbacks.push(request.url()))
    await page.goto(`${shop.url}/orders?mine=1`)
    await choose(page, 'alex')
    await landsOn(page, `${shop.url}/orders?mine=1`)
    const [callback = ''] = callbacks
    for (let again = 0; again < 2; again += 1) {
      await page.goto(callback)
      await landsOn(page, `${shop.url}/orders?mine=1`)
      expect(await heading(page)).toBe('Orders')
    }
    await page.goBack()
    await page.goto(`${shop.url}/orders`)
    expect(await heading(page)).toBe('Orders')

    const stranger = await newVisitor()
    expect(await visit(stranger.page, callback)).toBe(400)
    expect(await heading(stranger.page)).toBe('This sign-in cannot be continued')
    await page.reload()
    expect(await heading(page)).toBe('Orders')
  })

  test('C20 U12 the back button to the page of PAS, and choosing again there: who is signed in is said, and one goes on', async () => {
    const { page } = await newVisitor()
    await page.goto(`${shop.url}/orders`)
    await choose(page, 'alex')
    await landsOn(page, `${shop.url}/orders`)
    await page.goBack()
    expect(page.url()).toContain(shop.sandbox.issuer)
    // Whom one chose, nobody can tell: the code is another one.
    await choose(page, 'alex')
    await page.getByText('777-0000-0001').waitFor()
    await page.getByRole('link', { name: 'Continue' }).click()
    await landsOn(page, `${shop.url}/orders`)
    expect(await heading(page)).toBe('Orders')
  })

  test('where PAS has an end of session too, sign-out goes on there by itself and comes back', async () => {
    const withEnd = await startShop({}, { autoSignIn: null, announceEndSession: true })
    closeLater.push(withEnd)
    const { page } = await newVisitor()
    const passed: string[] = []
    page.on('request', (request) => passed.push(new URL(request.url()).pathname))
    await page.goto(`${withEnd.url}/orders`)
    await choose(page, 'alex')
    await page.getByRole('link', { name: 'Sign out' }).click()
    const arrives = page.waitForRequest((request) => request.url().startsWith(`${withEnd.sandbox.issuer}/oauth/logout`))
    await page.getByRole('button', { name: 'Sign out' }).click()
    await arrives
    expect(passed.filter((path) => path.endsWith('/logout'))).toEqual(['/auth/logout', '/auth/logout', '/oauth/logout'])
    await landsOn(page, `${withEnd.url}/`)
    await page.goto(`${withEnd.url}/orders`)
    expect(page.url()).toContain(`${withEnd.sandbox.issuer}/oauth/authorize`)
  })

  test('C30 a form of another site cannot sign anybody out', async () => {
    const { page, context } = await signedIn()
    const evil = await context.newPage()
    await evil.route('http://evil.example/**', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<form method="post" action="${shop.url}/auth/logout"><input name="everywhere" value="1"><button>Win</button></form>`,
      }),
    )
    await evil.goto('http://evil.example/')
    await evil.getByRole('button').click()
    await evil.waitForURL(`${shop.url}/auth/logout`)
    expect(await heading(evil)).toBe('Sign out?')
    await page.reload()
    expect(await heading(page)).toBe('Orders')
  })
})

describeWithRedis('in a browser, on Redis', () => {
  describeWithBrowser('with real clicks', () => {
    setUp(async () => {
      const redis = await redisForTests()
      return { redis: redis.url, keyPrefix: redis.prefix() }
    })
    mainJourneys()
  })
})
