import { afterEach, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { en } from '../../src/pages/texts-en.js'
import { ko } from '../../src/pages/texts-ko.js'
import { type AppProcess, startAppProcess } from '../support/app-process.js'
import { answerOfPas, buttonOf } from '../support/attempts.js'
import { CookieBrowser } from '../support/cookie-browser.js'
import { findFreePort } from '../support/redis.js'
import { until } from '../support/until.js'

let sandbox: Sandbox
let app: AppProcess
afterEach(async () => {
  await app.kill()
  await sandbox.close()
})

async function start(script?: string): Promise<void> {
  sandbox = await startSandbox({ pasPort: 0, autoSignIn: 'alex' })
  app = await startAppProcess({ issuer: sandbox.issuer, port: await findFreePort() }, script)
}

/** On the same port, with nothing left of what it knew, its made-up secrets neither. */
async function restart(): Promise<void> {
  await app.kill()
  app = await startAppProcess({ issuer: sandbox.issuer, port: Number(new URL(app.url).port) })
}

async function begin(browser: CookieBrowser): Promise<string> {
  return answerOfPas((await browser.visit(`${app.url}/auth/login?return_to=/me`)).location)
}

const refusals = (): unknown[] => app.events.filter(({ type }) => type === 'sign_in_refused')
const warnings = (code: string): string[] =>
  app.events.flatMap((event) => (event.type === 'warning' && event.code === code ? [event.detail] : []))

test.each([
  ['en', en],
  ['ko', ko],
] as const)('S11 the app was restarted while somebody was at PAS: they are told so (%s)', async (language, texts) => {
  await start()
  const browser = new CookieBrowser()
  const callback = await begin(browser)
  await restart()
  const page = await browser.visit(callback, { headers: { 'Accept-Language': language } })
  expect(page.status).toBe(400)
  expect(page.text).toContain(`<h1>${texts.pages.attempt_lost.title}</h1>`)
  expect(page.text).not.toContain(texts.pages.attempt_expired.title)
  await until(() => refusals().length > 0)
  expect(refusals()).toEqual([
    expect.objectContaining({
      reason: 'attempt_lost',
      detail: expect.stringMatching(/begun \d+ s ago, .* the process was restarted since, or another one began it/),
    }),
  ])
  expect((await browser.go(buttonOf(page).href)).status).toBe(200)
  expect((await browser.visit(`${app.url}/me`)).status).toBe(200)
})

test('S11 the app was restarted a moment after somebody signed in: they sign in again without a page', async () => {
  await start()
  const browser = new CookieBrowser()
  await browser.visit(await begin(browser))
  await restart()
  const me = await browser.go(`${app.url}/me`)
  expect([me.status, me.url]).toEqual([200, `${app.url}/me`])
})

test('S11 two workers without a Redis: each warns at start, and a sign-in that the other began is not called too old', async () => {
  await start('cluster-script.mjs')
  await until(() => warnings('memory_store').length === 2)
  expect(warnings('memory_store')[0]).toMatch(/worker of node:cluster.*REDIS_URL/)
  const browser = new CookieBrowser()
  const page = await browser.visit(await begin(browser))
  expect(page.text).toContain(en.pages.attempt_lost.title)
})

test('S11 two workers without a Redis: a sign-in that the other one does not know ends on a page, not in a round', async () => {
  await start('cluster-script.mjs')
  const browser = new CookieBrowser()
  const toTheOther = (): Promise<unknown> => new CookieBrowser().visit(`${app.url}/`)
  let url = `${app.url}/auth/login?return_to=/me`
  for (const round of ['first', 'second']) {
    const callback = await answerOfPas((await browser.visit(url)).location)
    await toTheOther()
    const landed = await browser.visit(callback)
    expect([round, landed.status, landed.location]).toEqual([round, 303, `${app.url}/me`])
    const me = await browser.visit(landed.location)
    if (round === 'first') {
      expect(me.status).toBe(302)
      url = me.location
    } else {
      expect(me.status).toBe(503)
      expect(me.text).toContain(en.pages.sign_in_lost.title)
    }
  }
  await until(() => warnings('session_lost').length > 0)
})
