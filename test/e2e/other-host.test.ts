import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeWithBrowser, launchBrowser, type TestBrowser } from '../support/browser.js'
import { type Shop, startShop } from './support/shop.js'
import { choose, landsOn, openVisitor } from './support/visitor.js'

describeWithBrowser('the app opened as 127.0.0.1 while baseUrl says localhost', () => {
  let browser: TestBrowser
  let shop: Shop
  let opened: string

  beforeAll(async () => {
    browser = await launchBrowser()
    shop = await startShop()
    opened = shop.url.replace('localhost', '127.0.0.1')
  })
  afterAll(async () => {
    await browser.close()
    await shop.close()
  })

  test.each([
    ['by the button', '/shop', '/orders?from=html'],
    ['by a guarded page', '/orders?a=1', '/orders?a=1'],
    ['by the address of login', '/auth/login?return_to=/settings', '/settings'],
  ])('S10 signing in %s ends on the page that was wanted', async (_name, path, wanted) => {
    const { page, close } = await openVisitor(browser)
    await page.goto(opened + path)
    if (path === '/shop') await page.locator('a[href$="return_to=%2Forders%3Ffrom%3Dhtml"]').click()
    await page.waitForURL(/\/oauth\/authorize/)
    await choose(page, 'alex')
    await landsOn(page, shop.url + wanted)
    expect(await page.locator('body').innerText()).toContain('77700000001')
    await close()
  })
})
