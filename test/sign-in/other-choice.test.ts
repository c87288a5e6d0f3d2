import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { en } from '../../src/pages/texts-en.js'
import { ko } from '../../src/pages/texts-ko.js'
import { beginAttempt, buttonOf, isSignedIn } from '../support/attempts.js'
import { createClock, MINUTE } from '../support/clock.js'
import type { Answer, CookieBrowser } from '../support/cookie-browser.js'
import { describeOnStores } from '../support/stores.js'
import { until } from '../support/until.js'
import { startWorld, type World } from '../support/world.js'

const ALEX = '777-0000-0001'
const ALEX_DIGITS = '77700000001'

function expectKept(page: Answer, returnTo: string): void {
  expect(page.status).toBe(409)
  expect(page.text).toContain(en.pages.still_signed_in.title)
  expect(page.text).toContain(ALEX)
  expect(buttonOf(page).href).toBe(returnTo)
  expect(page.text).toContain('<form class="actions" method="post" action="/auth/logout">')
  expect(page.headers.get('referrer-policy')).toBe('strict-origin')
  expect(page.headers.get('cache-control')).toContain('no-store')
}

describeOnStores('a person goes back to PAS and chooses another account', (storage) => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ options: { ...storage.options(), rateLimit: false } })
  })
  afterAll(() => world.close())
  beforeEach(() => {
    world.events.length = 0
  })

  /** The address that PAS sends the browser to, after it chose once more. */
  function withOtherCode(callback: string, code = 'another-code'): string {
    const url = new URL(callback)
    url.searchParams.set('code', code)
    return url.href
  }
  const exchanges = (): number => world.sandbox.control.counters.tokenAuthorizationCode
  const ppnumOf = async (browser: CookieBrowser): Promise<string> =>
    JSON.parse((await browser.visit(`${world.url}/me`)).text).user.ppnum

  test.each([
    ['en', en],
    ['ko', ko],
  ] as const)(
    'U12 a page shows who is still signed in, and offers to sign out or continue (%s)',
    async (language, texts) => {
      const browser = world.browser()
      const callback = await beginAttempt(world, browser, '/me?here')
      await browser.go(callback)
      const before = exchanges()
      const page = await browser.visit(withOtherCode(callback), { headers: { 'Accept-Language': language } })
      if (language === 'en') expectKept(page, `${world.url}/me?here`)
      for (const text of [texts.pages.still_signed_in.title, texts.signedInAs, texts.pages.logout_confirm.action])
        expect(page.text).toContain(text)
      expect(exchanges()).toBe(before)
      expect(world.events.at(-1)).toMatchObject({ type: 'sign_in_refused', reason: 'no_attempt' })
      expect(page.text).toContain(world.events.at(-1)?.correlationId)
      expect(await ppnumOf(browser)).toBe(ALEX_DIGITS)
      await browser.visit(`${world.url}/auth/logout`, { method: 'POST', headers: { Origin: world.url } })
      expect(await isSignedIn(world, browser)).toBe(false)
    },
  )

  test('C20 the same response again, or a cancelled one, redirects to return_to', async () => {
    const browser = world.browser()
    const callback = await beginAttempt(world, browser, '/me?here')
    await browser.go(callback)
    await browser.visit(withOtherCode(callback))
    const state = new URL(callback).searchParams.get('state')
    for (const url of [callback, `${world.url}/auth/callback?error=access_denied&state=${state}`]) {
      const again = await browser.visit(url)
      expect([again.status, again.location]).toEqual([303, `${world.url}/me?here`])
    }
  })

  test('U12 also in the tab of an earlier sign-in in the same browser', async () => {
    const browser = world.browser()
    const [first, second] = [await beginAttempt(world, browser, '/me?1'), await beginAttempt(world, browser, '/me?2')]
    await browser.go(first)
    await browser.go(second)
    expectKept(await browser.visit(withOtherCode(first)), `${world.url}/me?2`)
    expect((await browser.visit(first)).status).toBe(303)
  })

  test('U12 also while the first callback is still in progress', async () => {
    const browser = world.browser()
    const callback = await beginAttempt(world, browser, '/me?here')
    world.sandbox.control.inject({ endpoint: 'token', fault: { kind: 'delay', delayMs: 400 } })
    const impatient = browser.clone()
    const before = exchanges()
    const first = browser.visit(callback)
    await until(() => exchanges() > before, 'the code is exchanged')
    const page = await impatient.visit(withOtherCode(callback))
    expect((await first).status).toBe(303)
    expectKept(page, `${world.url}/me?here`)
    expect(await ppnumOf(impatient)).toBe(ALEX_DIGITS)
  })

  test('U12 also after a second sign-in that failed', async () => {
    const browser = await world.signedIn()
    const callback = await beginAttempt(world, browser, '/me?second')
    world.sandbox.control.inject({ endpoint: 'token', fault: { kind: 'status', status: 503 } })
    expect((await browser.visit(callback)).status).toBe(503)
    expectKept(await browser.visit(withOtherCode(callback)), `${world.url}/me`)
    // The failed page itself, by the back button.
    expect((await browser.visit(callback)).status).toBe(303)
  })

  test('U12 after a sign-out, such a response gets a page with a button to start again', async () => {
    const browser = world.browser()
    const callback = await beginAttempt(world, browser)
    await browser.go(callback)
    await browser.visit(`${world.url}/auth/logout`, { method: 'POST', headers: { Origin: world.url } })
    const page = await browser.visit(withOtherCode(callback))
    expect([page.status, page.text.includes(ALEX)]).toEqual([400, false])
  })

  test('C10 a response to another browser’s attempt changes and reveals nothing', async () => {
    const [stranger, browser] = [world.browser(), await world.signedIn()]
    const callback = await beginAttempt(world, stranger)
    expect((await browser.visit(callback)).status).toBe(303)
  })
})

describe('a person chooses an account in a second tab', () => {
  const clock = createClock()
  let world: World
  beforeEach(async () => {
    world = await startWorld({ runtime: clock.runtime })
  })
  afterEach(() => world.close())

  async function signedInBesideSlowTab(): Promise<{ readonly browser: CookieBrowser; readonly slow: string }> {
    const browser = world.browser()
    const slow = await beginAttempt(world, browser, '/me?slow')
    await browser.go(await beginAttempt(world, browser, '/me?here'))
    return { browser, slow }
  }

  test('U12 after more than ten minutes, a page shows who is still signed in', async () => {
    const { browser, slow } = await signedInBesideSlowTab()
    clock.advance(11 * MINUTE)
    expectKept(await browser.visit(slow), `${world.url}/me?here`)
    expect(world.events.at(-1)).toMatchObject({ type: 'sign_in_refused', reason: 'expired' })
  })

  test('U12 cancelling after more than ten minutes redirects to return_to', async () => {
    const { browser, slow } = await signedInBesideSlowTab()
    clock.advance(11 * MINUTE)
    const url = new URL(slow)
    url.searchParams.delete('code')
    url.searchParams.set('error', 'access_denied')
    expect((await browser.visit(url.href)).location).toBe(`${world.url}/me?here`)
  })
})

test('U12 staying signed in does not count as a failed callback in the rate limit', async () => {
  const world = await startWorld({ options: { rateLimit: { loginPerMinute: 100, failuresPerMinute: 3 } } })
  try {
    const browser = world.browser()
    const callback = new URL(await beginAttempt(world, browser, '/me?here'))
    await browser.go(callback.href)
    for (let round = 0; round < 5; round++) {
      callback.searchParams.set('code', `another-code-${round}`)
      expectKept(await browser.visit(callback.href), `${world.url}/me?here`)
    }
  } finally {
    await world.close()
  }
})
