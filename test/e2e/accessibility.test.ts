import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import express from 'express'
import type { Page } from 'playwright-core'
import { createPages } from '../../src/pages/pages.js'
import { PAGE_KINDS } from '../../src/pages/text-types.js'
import { describeWithBrowser, launchBrowser, type TestBrowser } from '../support/browser.js'
import { findRedisServer, type RedisServer, startRedis } from '../support/redis.js'
import { npmStart, type Started } from './support/npm-start.js'
import { choose, openVisitor } from './support/visitor.js'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** Everything a page can be told, so that each part of it is there. */
const DETAILS = {
  returnTo: '/basket',
  correlationId: '0123456789abcdef',
  reason: 'This account has been closed.',
  account: '777-0000-0001',
  missingScopes: ['email'],
  clockAheadSeconds: 300,
}
/** These lead on by themselves; they are looked at with an address that does not change the page. */
const STAYS = '#here'

/** axe takes no link for a skip link if the first link to another page is in a shadow root, as our button's is. */
const UNSEEN_SKIP_LINK = 'light region: <a class="skip" href="#main">'

interface Violation {
  readonly id: string
  readonly nodes: readonly { readonly html: string }[]
}

/** What axe finds wrong, in light and in dark: `rule: element`. Only colors depend on the mode, so dark is asked for these alone. */
async function violationsOf(page: Page): Promise<string[]> {
  const run = async (mode: 'light' | 'dark', rules?: readonly string[]): Promise<string[]> => {
    await page.emulateMedia({ colorScheme: mode })
    const options = JSON.stringify({ resultTypes: ['violations'], ...(rules ? { runOnly: rules } : {}) })
    const found: Violation[] = await page.evaluate(`axe.run(${options}).then((result) => result.violations)`)
    const lines = found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${mode} ${id}: ${html.slice(0, 200)}`))
    return lines.filter((line) => !line.startsWith(UNSEEN_SKIP_LINK))
  }
  await page.evaluate(AXE)
  return [...(await run('light')), ...(await run('dark', ['color-contrast', 'link-in-text-block']))]
}

describeWithBrowser('accessibility, by axe in light and dark', () => {
  let browser: TestBrowser
  let app: Started
  let server: Server
  let redis: RedisServer | undefined

  beforeAll(async () => {
    const pages = createPages({ mountPath: '/auth', appName: 'Bags & Co' })
    const all = express()
    all.get('/:kind', (req, res, next) => {
      const kind = PAGE_KINDS.find((one) => one === req.params.kind)
      if (kind === undefined) return next()
      pages.send(req, res, kind, { ...DETAILS, goOnUrl: `http://${req.host}/${kind}${STAYS}` })
    })
    server = createServer(all).listen(0, 'localhost')
    // Without Redis the example app has no campaigns.
    redis = findRedisServer() === undefined ? undefined : await startRedis()
    const env = redis === undefined ? {} : { REDIS_URL: redis.url, CAMPAIGNS_PER_MINUTE: '2' }
    ;[app, browser] = await Promise.all([npmStart(env), launchBrowser()])
  })
  afterAll(async () => {
    await browser.close()
    server.close()
    await app.stop()
    await redis?.stop()
  })

  /** A visitor in this language; `end` says whether axe found anything wrong on the pages that were looked at. */
  async function openTour(locale: string) {
    const { page, close } = await openVisitor(browser, { locale })
    const found: Record<string, string[]> = {}
    return {
      page,
      async look(url: string): Promise<void> {
        await page.goto(url)
        const violations = await violationsOf(page)
        if (violations.length > 0) found[url] = violations
      },
      async end(): Promise<void> {
        expect(found).toEqual({})
        await close()
      },
    }
  }

  test.each(['en', 'ko'])('no page of the library breaks a rule, in %s', async (language) => {
    const { page, look, end } = await openTour(language)
    for (const kind of PAGE_KINDS) {
      await look(`http://localhost:${(server.address() as AddressInfo).port}/${kind}`)
      expect([kind, await page.locator('html').getAttribute('lang')]).toEqual([kind, language])
    }
    await end()
  })

  test.each(['en', 'ko'])('no page of the example app breaks a rule, in %s', async (language) => {
    const { page, look, end } = await openTour(language)
    await look(`${app.url}/`)
    await page.goto(`${app.url}/dashboard`)
    await choose(page, 'alex')
    for (const path of ['/', '/dashboard', '/sign-ins', '/messages', '/campaigns', '/auth/logout', '/nothing-here'])
      await look(`${app.url}${path}`)
    if (redis !== undefined) {
      expect(await page.goto(`${app.url}/campaigns`).then((response) => response?.status())).toBe(200)
      await page.fill('#id', `autumn-${language}`)
      await page.fill('#message', 'The sale begins on Monday.')
      const numbers = Array.from({ length: 3_000 }, (_, i) => String(50_000_000_000 + i)).join('\n')
      await page.evaluate(`document.querySelector('#numbers').value = ${JSON.stringify(numbers)}`)
      await page.click('form[action="/campaigns"] button')
      await page.waitForURL(`${app.url}/campaigns/autumn-${language}`)
      await look(`${app.url}/campaigns/autumn-${language}`)
      await look(`${app.url}/campaigns`)
    }
    await end()
  })
})
