import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import expressSession from 'express-session'
import { beginAttempt } from '../support/attempts.js'
import type { CookieBrowser } from '../support/cookie-browser.js'
import { COOKIES, startWorld, type World } from '../support/world.js'

describe("requireSignIn on the app's own session, within ten seconds of a sign-in", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({
      options: { session: false },
      mount: (app, auth) => {
        app.use(expressSession({ secret: 's'.repeat(32), resave: false, saveUninitialized: false, name: 'app' }))
        app.use(auth)
      },
    })
  })
  afterAll(() => world.close())

  /** A browser that has just landed. */
  async function landed(): Promise<CookieBrowser> {
    const browser = world.browser()
    const answer = await browser.visit(await beginAttempt(world, browser))
    expect([answer.status, browser.jar.has('app'), browser.jar.has(COOKIES.landed)]).toEqual([303, true, true])
    return browser
  }

  test('a session cookie that does not arrive gets the cookie_missing page', async () => {
    const browser = await landed()
    browser.jar.delete('app')
    const answer = await browser.visit(`${world.url}/me`)
    expect(answer.status).toBe(400)
    expect(answer.text).toContain('Your browser did not keep the sign-in')
  })

  test('a sign-out causes no cookie_missing page', async () => {
    const browser = await landed()
    await browser.visit(`${world.url}/auth/logout`, { method: 'POST', headers: { Origin: world.url } })
    expect((await browser.visit(`${world.url}/me`)).status).toBe(302)
  })

  test('a sign-in ended elsewhere causes no cookie_missing page', async () => {
    const [browser, other] = [await landed(), await landed()]
    const visit = { method: 'POST', form: { everywhere: '1' }, headers: { Origin: world.url } }
    await other.visit(`${world.url}/auth/logout`, visit)
    expect((await browser.visit(`${world.url}/me`)).status).toBe(302)
  })
})
