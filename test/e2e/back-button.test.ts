import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { describeWithBrowser, launchBrowser, type TestBrowser } from '../support/browser.js'
import { type Shop, startShop } from './support/shop.js'
import { choose, landsOn, openVisitor, readable } from './support/visitor.js'

describeWithBrowser('in a browser that keeps pages alive for the back button', () => {
  let browser: TestBrowser
  let shop: Shop

  beforeAll(async () => {
    browser = await launchBrowser({ keepsPages: true })
    shop = await startShop()
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    await shop.close()
  })

  /** By the page's own history: Playwright's goBack() waits for a load that a kept page does not have. */
  async function goBack(page: Page): Promise<void> {
    const before = await page.evaluate<string>(`setTimeout(() => history.back()), location.href`)
    const now = `document.readyState === 'complete' ? location.href : ''`
    while (['', before].includes(await page.evaluate<string>(now).catch(() => ''))) {
      // The test's time limit ends this.
    }
  }

  test('the browser of this test does keep pages', async () => {
    const { page, close } = await openVisitor(browser)
    await page.goto(`${shop.url}/plain`)
    await page.evaluate(`globalThis.mark = 'alive'`)
    await page.goto(`${shop.url}/shop`)
    await goBack(page)
    expect(await page.evaluate('globalThis.mark')).toBe('alive')
    await close()
  })

  test('C31 after sign-out the back button shows no guarded page, not even one kept alive', async () => {
    const { page, close } = await openVisitor(browser)
    await page.goto(`${shop.url}/orders`)
    await choose(page, 'alex')
    await landsOn(page, `${shop.url}/orders`)
    await page.getByRole('link', { name: 'Settings' }).click()
    await landsOn(page, `${shop.url}/settings`)
    await page.goto(`${shop.url}/auth/logout?return_to=/shop`)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await landsOn(page, `${shop.url}/shop`)
    for (let steps = 1; steps <= 4; steps += 1) {
      await goBack(page)
      expect(await readable(page)).not.toContain('77700000001')
    }
    await close()
  })
})
