import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import express from 'express'
import type { Page } from 'playwright-core'
import { type Button, createButton } from '../../src/button/button.js'
import { createPages } from '../../src/pages/pages.js'
import { PAGE_KINDS, type PageKind } from '../../src/pages/text-types.js'
import { describeWithBrowser, launchBrowser, type TestBrowser } from '../support/browser.js'

const STRICT = "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'"

/** The routes that are looked at, and a page of an app that has a strict policy. */
async function startApp(): Promise<{ server: Server; base: string }> {
  const pages = createPages({ mountPath: '/auth' })
  const app = express()
  const server = await new Promise<Server>((resolve) => {
    const listening = app.listen(0, () => resolve(listening))
  })
  const base = `http://localhost:${(server.address() as AddressInfo).port}`
  const button: Button = createButton({ mountPath: '/auth', origin: base })
  app.get('/pages/:kind', (req, res) =>
    pages.send(req, res, req.params['kind'] as PageKind, {
      correlationId: 'x'.repeat(40),
      reason: 'y'.repeat(300),
      returnTo: '/',
    }),
  )
  app.get('/auth/button.js', button.sendScript)
  app.get('/auth/button.css', button.sendStylesheet)
  app.get('/auth/login', (req, res) => res.type('text').send(req.originalUrl))
  app.get('/demo', (req, res) => {
    const load = req.query['module'] === undefined ? 'defer' : 'type="module"'
    res.set('Content-Security-Policy', STRICT).send(`<!doctype html><html lang="en"><title>demo</title>
<link rel="stylesheet" href="/auth/button.css"><script src="/auth/button.js" ${load}></script>
${button.html({ returnTo: '/plain' })}
<section lang="ko-KR"><ppoppo-sign-in return-to="/x?a=1&amp;b"></ppoppo-sign-in></section>`)
  })
  return { server, base }
}

describeWithBrowser('in a browser', () => {
  let browser: TestBrowser
  let app: Awaited<ReturnType<typeof startApp>>

  beforeAll(async () => {
    app = await startApp()
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser.close()
    app.server.closeAllConnections()
    app.server.close()
  })

  /** A page, and everything its console complained of but the status of the page itself. */
  async function openPage(
    options: Parameters<TestBrowser['newContext']>[0] = {},
  ): Promise<{ page: Page; complaints: string[] }> {
    const page = await (await browser.newContext(options)).newPage()
    const complaints: string[] = []
    page.on('console', (message) => {
      if (!message.text().startsWith('Failed to load resource: the server responded')) complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(String(error)))
    return { page, complaints }
  }

  test.each(['defer', 'module'])(
    'the button component works under a strict content security policy, loaded as %s',
    async (load) => {
      const { page, complaints } = await openPage()
      await page.goto(`${app.base}/demo${load === 'module' ? '?module=1' : ''}`)
      const link = page.locator('ppoppo-sign-in a')
      await link.waitFor()
      expect(await link.textContent()).toBe('Ppoppo로 로그인')
      expect((await link.boundingBox())?.height).toBeGreaterThanOrEqual(44)
      const background = (): Promise<string> =>
        link.evaluate((element) => element.ownerDocument.defaultView.getComputedStyle(element).backgroundColor)
      expect(await background()).toBe('rgb(25, 29, 35)')
      await page.locator('ppoppo-sign-in').evaluate((element) => {
        element.setAttribute('lang', 'en')
        element.setAttribute('theme', 'dark')
      })
      expect(await link.textContent()).toBe('Sign in with Ppoppo')
      expect(await background()).toBe('rgb(236, 238, 241)')
      await link.click()
      expect(await page.textContent('body')).toBe('/auth/login?return_to=%2Fx%3Fa%3D1%26b')
      expect(complaints).toEqual([])
    },
  )

  test('the HTML link of the button has the same style and height as the component', async () => {
    const { page, complaints } = await openPage({ colorScheme: 'dark' })
    await page.goto(`${app.base}/demo`)
    const link = page.locator('body > a.ppoppo-sign-in')
    expect((await link.boundingBox())?.height).toBeGreaterThanOrEqual(44)
    expect(
      await link.evaluate((element) => element.ownerDocument.defaultView.getComputedStyle(element).backgroundColor),
    ).toBe('rgb(236, 238, 241)')
    expect(complaints).toEqual([])
  })

  test('every page fits 320 px, is styled, and violates no content security policy', async () => {
    for (const locale of ['en-US', 'ko-KR']) {
      const { page, complaints } = await openPage({ viewport: { width: 320, height: 640 }, locale })
      for (const kind of PAGE_KINDS) {
        await page.goto(`${app.base}/pages/${kind}`)
        expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0)
        expect(
          await page
            .locator('main')
            .evaluate((element) => element.ownerDocument.defaultView.getComputedStyle(element).borderRadius),
        ).toBe('16px')
      }
      expect(complaints).toEqual([])
    }
    // Some fifty pages, on whatever machine there is.
  })
})
