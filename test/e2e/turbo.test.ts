import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import express, { type Express } from 'express'
import type { Page } from 'playwright-core'
import type { Ppoppo } from '../../src/index.js'
import { describeWithBrowser, launchBrowser, type TestBrowser } from '../support/browser.js'
import { startWorld, type World } from '../support/world.js'
import { choose, landsOn, openVisitor, readable, type Visitor } from './support/visitor.js'

const TURBO = readFileSync(createRequire(import.meta.url).resolve('@hotwired/turbo/dist/turbo.es2017-umd.js'), 'utf8')

/** An app whose links and forms Turbo sends: with fetch, and `Accept: text/html`. */
function turboApp(app: Express, auth: Ppoppo): void {
  app.get('/turbo.js', (_req, res) => void res.type('js').send(TURBO))
  app.use(auth)
  app.get('/start', (_req, res) => {
    res.send(`<!doctype html><html lang="en"><head><title>Start</title><script src="/turbo.js" defer></script></head><body>
<h1>Start</h1><a href="/secret?x=1">Secret</a><turbo-frame id="part"><a href="/part">Part</a></turbo-frame>
<form method="post" action="/order"><button>Order</button></form>${auth.signInButton({ returnTo: '/start?in' })}
<form method="post" action="/auth/logout?return_to=/start?out"><button>Sign out</button></form></body></html>`)
  })
  app.get('/secret', auth.requireSignIn(), (_req, res) => void res.send('<h1>Secret</h1>'))
  app.get('/part', auth.requireSignIn(), (_req, res) => void res.send('<turbo-frame id="part">part</turbo-frame>'))
  app.post('/order', auth.requireSignIn(), express.urlencoded({ extended: false }), (_req, res) => {
    res.redirect(303, '/secret')
  })
}

describeWithBrowser('an app that uses Turbo', () => {
  let browser: TestBrowser
  let world: World
  let visitor: Visitor
  let page: Page

  beforeAll(async () => {
    browser = await launchBrowser()
    world = await startWorld({ sandbox: { autoSignIn: null }, mount: turboApp })
  })
  afterAll(async () => {
    await browser.close()
    await world.close()
  })

  async function open(): Promise<void> {
    visitor = await openVisitor(browser)
    page = visitor.page
    await page.goto(`${world.url}/start`)
    await page.waitForFunction('globalThis.Turbo !== undefined')
  }

  /** On a page of ours that Turbo shows: its button, the sandbox, and where one ends. */
  async function signInFrom(text: string, place: string): Promise<void> {
    await page.getByText(text).waitFor()
    await page.locator('a.button').click()
    await page.waitForURL(/\/oauth\/authorize/)
    await choose(page, 'alex')
    await landsOn(page, world.url + place)
    await visitor.close()
  }

  test('S13 a guarded form of somebody signed out: what happened is on the screen, and the button leads on', async () => {
    await open()
    await page.getByRole('button', { name: 'Order' }).click()
    await signInFrom('what you sent was not kept', '/start')
  })

  test('S13 a link to a guarded page: sign-in, and the page', async () => {
    await open()
    await page.getByRole('link', { name: 'Secret' }).click()
    await signInFrom('Please sign in', '/secret?x=1')
  })

  test('S13 a guarded part of a page: sign-in, and the page it was on', async () => {
    await open()
    await page.getByRole('link', { name: 'Part' }).click()
    await signInFrom('Please sign in', '/start')
  })

  test('S13 the sign-in button and a sign-out form', async () => {
    await open()
    await page.getByRole('link', { name: 'Sign in with Ppoppo' }).click()
    await page.waitForURL(/\/oauth\/authorize/)
    await choose(page, 'alex')
    await landsOn(page, `${world.url}/start?in`)
    await page.waitForFunction('globalThis.Turbo !== undefined')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL(`${world.url}/start?out`)
    await page.getByRole('link', { name: 'Secret' }).click()
    await page.getByText('Please sign in').waitFor()
    expect(await readable(page)).not.toContain('Content missing')
    await visitor.close()
  })
})
