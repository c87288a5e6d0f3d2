import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { PpoppoOptions } from '../../src/index.js'
import { beginAttempt, isSignedIn, NO_VISITS, shuffled } from '../support/attempts.js'
import type { CookieBrowser } from '../support/cookie-browser.js'
import { describeOnStores } from '../support/stores.js'
import { COOKIES, startWorld, type World } from '../support/world.js'

const attemptCookies = (browser: CookieBrowser): string[] =>
  [...browser.jar.keys()].filter((name) => name.startsWith(COOKIES.attempts))

describeOnStores('callbacks of many tabs and browsers', (storage) => {
  let world: World
  let options: PpoppoOptions
  beforeAll(async () => {
    options = { ...storage.options(), rateLimit: false }
    world = await startWorld({ options })
  })
  afterAll(() => world.close())

  const codeExchanges = (): number => world.sandbox.control.counters.tokenAuthorizationCode

  test('C07 eight tabs that start at the same time in a new browser all succeed, in any order', async () => {
    const browser = world.browser()
    const tabs = await Promise.all([...Array(8).keys()].map((tab) => beginAttempt(world, browser, `/me?tab=${tab}`)))
    expect(attemptCookies(browser)).toHaveLength(8)
    for (const { url, tab } of shuffled(tabs.map((url, tab) => ({ url, tab })))) {
      const landed = await browser.visit(url)
      expect([landed.status, landed.location]).toEqual([303, `${world.url}/me?tab=${tab}`])
      expect((await browser.visit(landed.location)).status).toBe(200)
    }
    expect(attemptCookies(browser)).toEqual([])
  })

  test('C07 eight tabs that also finish at the same time all succeed', async () => {
    const browser = world.browser()
    const tabs = await Promise.all([...Array(8).keys()].map((tab) => beginAttempt(world, browser, `/me?tab=${tab}`)))
    const landed = await Promise.all(tabs.map((url) => browser.visit(url)))
    expect(landed.map(({ location }) => location)).toEqual(tabs.map((_, tab) => `${world.url}/me?tab=${tab}`))
    expect((await browser.visit(`${world.url}/me`)).status).toBe(200)
  })

  test('C07 a tab can finish after another tab has signed in, and after it has signed out', async () => {
    const browser = world.browser()
    const [first, second, third] = [
      await beginAttempt(world, browser, '/me?1'),
      await beginAttempt(world, browser, '/me?2'),
      await beginAttempt(world, browser, '/me?3'),
    ]
    expect((await browser.go(first)).status).toBe(200)
    expect((await browser.go(second)).url).toBe(`${world.url}/me?2`)
    await browser.visit(`${world.url}/auth/logout`, { method: 'POST', headers: { Origin: world.url } })
    expect(await isSignedIn(world, browser)).toBe(false)
    expect((await browser.go(third)).url).toBe(`${world.url}/me?3`)
    expect(await isSignedIn(world, browser)).toBe(true)
  })

  test('C08 of simultaneous callbacks only one exchanges the code, and each gets a session cookie', async () => {
    const browser = world.browser()
    const url = await beginAttempt(world, browser, '/me?double')
    const before = codeExchanges()
    world.sandbox.control.inject({ endpoint: 'token', fault: { kind: 'delay', delayMs: 250 } })
    const twins = [browser, browser.clone(), browser.clone()]
    const landed = await Promise.all(twins.map((twin) => twin.visit(url)))
    expect(codeExchanges() - before).toBe(1)
    for (const answer of landed) expect([answer.status, answer.location]).toEqual([303, `${world.url}/me?double`])
    for (const twin of twins) expect((await twin.visit(`${world.url}/me`)).status).toBe(200)
    expect(new Set(twins.map((twin) => twin.jar.get(COOKIES.session))).size).toBe(3)
  })

  test('C08 if the first of two callbacks fails, the second gets a page and does not exchange the code again', async () => {
    const browser = world.browser()
    const url = await beginAttempt(world, browser)
    const before = codeExchanges()
    world.sandbox.control.inject({ endpoint: 'token', fault: { kind: 'status', status: 500, delayMs: 250 } })
    const twin = browser.clone()
    const answers = await Promise.all([browser.visit(url), twin.visit(url)])
    expect(codeExchanges() - before).toBe(1)
    expect(answers.map(({ status }) => status).sort()).toEqual([400, 503])
    expect(await isSignedIn(world, browser)).toBe(false)
    expect(await isSignedIn(world, twin)).toBe(false)
  })

  test('C08 a callback whose response was lost can be reloaded, and joins the same sign-in', async () => {
    const browser = world.browser()
    const url = await beginAttempt(world, browser, '/me?lost')
    const before = codeExchanges()
    await browser.clone().visit(url)
    expect((await browser.go(url)).url).toBe(`${world.url}/me?lost`)
    expect(codeExchanges() - before).toBe(1)
    expect(await isSignedIn(world, browser)).toBe(true)
  })

  test('C08 a sign-in that has been signed out meanwhile cannot be joined', async () => {
    const [browser, twin] = [world.browser(), world.browser()]
    const url = await beginAttempt(world, browser)
    for (const [name, value] of browser.jar) twin.jar.set(name, value)
    await browser.go(url)
    await browser.visit(`${world.url}/auth/logout`, { method: 'POST', headers: { Origin: world.url } })
    expect((await twin.visit(url)).status).toBe(400)
    expect(await isSignedIn(world, twin)).toBe(false)
  })

  test('C09 an eleventh open attempt drops the oldest', async () => {
    const browser = world.browser()
    const urls: string[] = []
    for (let tab = 0; tab < 11; tab += 1) urls.push(await beginAttempt(world, browser, `/me?tab=${tab}`))
    expect(attemptCookies(browser)).toHaveLength(10)
    const [oldest = '', second = ''] = urls
    const before = codeExchanges()
    expect((await browser.visit(oldest)).status).toBe(400)
    expect(codeExchanges()).toBe(before)
    expect((await browser.go(second)).url).toBe(`${world.url}/me?tab=1`)
    expect((await browser.go(urls.at(-1) ?? '')).url).toBe(`${world.url}/me?tab=10`)
  })

  test('C10 a valid callback in another browser is rejected and consumes nothing', async () => {
    const [browser, victim, stranger] = [world.browser(), await world.signedIn('mina'), world.browser()]
    const url = await beginAttempt(world, browser, '/me?mine')
    await beginAttempt(world, stranger)
    const before = codeExchanges()
    const stored = await storage.contents(options)
    const refused = await stranger.visit(url)
    expect(refused.status).toBe(400)
    expect(refused.cookies).toEqual([])
    expect(await isSignedIn(world, stranger)).toBe(false)
    // Whoever is signed in stays who they are (login CSRF).
    expect((await victim.visit(url)).status).toBe(303)
    expect(JSON.parse((await victim.visit(`${world.url}/me`)).text).user.ppnum).toBe('77700000002')
    expect(codeExchanges()).toBe(before)
    expect(await storage.contents(options)).toEqual(stored)
    expect((await browser.go(url)).url).toBe(`${world.url}/me?mine`)
  })

  test('C10 the cookie of one attempt does not match another attempt', async () => {
    const [browser, stranger] = [world.browser(), world.browser()]
    const url = await beginAttempt(world, browser)
    await beginAttempt(world, stranger)
    const [name = ''] = attemptCookies(browser)
    stranger.jar.set(name, stranger.jar.get(attemptCookies(stranger)[0] ?? '') ?? '')
    expect((await stranger.visit(url)).status).toBe(400)
    expect(await isSignedIn(world, stranger)).toBe(false)
    expect((await browser.go(url)).status).toBe(200)
  })

  test('C11 a forged error response cancels no attempt, neither from another browser nor with an unknown state', async () => {
    const [browser, stranger] = [world.browser(), world.browser()]
    const url = await beginAttempt(world, browser)
    const state = new URL(url).searchParams.get('state') ?? ''
    const forged = (of: string): string => `${world.url}/auth/callback?error=access_denied&state=${of}`
    const answer = await stranger.visit(forged(state))
    expect(answer.status).toBe(400)
    expect(answer.text).not.toContain('You did not sign in')
    expect((await browser.visit(forged('A'.repeat(43)))).status).toBe(400)
    expect((await browser.go(url)).status).toBe(200)
  })

  test.each(NO_VISITS)('C12 %s of the callback consumes no attempt', async (_name, method, headers) => {
    const browser = world.browser()
    const url = await beginAttempt(world, browser)
    const [stored, before] = [await storage.contents(options), codeExchanges()]
    const answer = await browser.visit(url, { method, headers })
    expect([204, 503]).toContain(answer.status)
    expect(answer.headers.get('cache-control')).toContain('no-store')
    expect([answer.cookies, answer.text, answer.location]).toEqual([[], '', ''])
    expect(await storage.contents(options)).toEqual(stored)
    expect(codeExchanges()).toBe(before)
    expect((await browser.go(url)).status).toBe(200)
  })

  test('C20 a callback reloaded after success redirects to return_to, still signed in', async () => {
    const browser = world.browser()
    const url = await beginAttempt(world, browser, '/me?here')
    await browser.go(url)
    const [before, cookie] = [codeExchanges(), browser.jar.get(COOKIES.session)]
    const again = await browser.visit(url)
    expect([again.status, again.location, again.cookies]).toEqual([303, `${world.url}/me?here`, []])
    expect(codeExchanges()).toBe(before)
    expect(browser.jar.get(COOKIES.session)).toBe(cookie)
    const denied = await browser.visit(`${world.url}/auth/callback?error=access_denied&state=${'B'.repeat(43)}`)
    expect([denied.status, denied.location]).toEqual([303, `${world.url}/me?here`])
    expect(await isSignedIn(world, browser)).toBe(true)
  })

  test('C20 a stale callback after sign-out gets a page with a button to start again', async () => {
    const browser = world.browser()
    const url = await beginAttempt(world, browser)
    await browser.go(url)
    await browser.visit(`${world.url}/auth/logout`, { method: 'POST', headers: { Origin: world.url } })
    const stale = await browser.visit(url)
    expect(stale.status).toBe(400)
    expect(stale.text).toContain('/auth/login')
    expect(stale.cookies).toEqual([])
  })
})
