import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import type { PpoppoOptions } from '../../src/index.js'
import { cookieNamesOf } from '../../src/session/cookie-names.js'
import { beginAttempt, isSignedIn } from '../support/attempts.js'
import { type Clock, createClock, MINUTE, SECOND } from '../support/clock.js'
import { PRODUCTION, productionRest } from '../support/config.js'
import { CookieBrowser } from '../support/cookie-browser.js'
import { describeOnStores } from '../support/stores.js'
import { startWorld, type World } from '../support/world.js'

const post = { method: 'POST', headers: { 'Sec-Fetch-Site': 'same-origin' } }
const namesOf = (clientId: string) => cookieNamesOf({ clientId, isHttps: false })

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ pasPort: 0, autoSignIn: 'alex' })
})
afterAll(() => sandbox.close())

let worlds: World[] = []
let clock: Clock = createClock()
afterEach(async () => {
  for (const world of worlds) await world.close()
  worlds = []
})

/** An app on a port of its own. */
async function app(clientId: string, options: PpoppoOptions = {}): Promise<World> {
  clock = createClock()
  const world = await startWorld({ sandbox, options: { clientId, ...options }, runtime: clock.runtime })
  worlds.push(world)
  return world
}

const signIn = async (world: World, browser: CookieBrowser): Promise<number> =>
  (await browser.go(`${world.url}/auth/login?return_to=/page`)).status
const basket = async (world: World, browser: CookieBrowser, query = ''): Promise<string[]> =>
  JSON.parse((await browser.visit(`${world.url}/basket${query}`)).text).basket

describeOnStores('two apps with different clients on one host', (storage) => {
  test('one browser is signed in to both, and signs out of each separately', async () => {
    const [shop, club] = [
      await app('shop_login_client', storage.options()),
      await app('club_login_client', storage.options()),
    ]
    const browser = new CookieBrowser()
    for (const world of [shop, club, shop]) expect(await signIn(world, browser)).toBe(200)
    expect([await isSignedIn(shop, browser), await isSignedIn(club, browser)]).toEqual([true, true])
    await basket(shop, browser, '?add=apple')
    await basket(club, browser, '?add=badge')
    await browser.visit(`${club.url}/auth/logout`, post)
    expect([await isSignedIn(shop, browser), await isSignedIn(club, browser)]).toEqual([true, false])
    expect([await basket(shop, browser), await basket(club, browser)]).toEqual([['apple'], []])
  })

  test('attempts of one app drop none of the other, and a sign-in to one causes no cookie warning in the other', async () => {
    const [shop, club] = [
      await app('shop_login_client', storage.options()),
      await app('club_login_client', storage.options()),
    ]
    const browser = new CookieBrowser()
    const begun = await beginAttempt(club, browser, '/page')
    for (let tab = 0; tab < 12; tab += 1) await beginAttempt(shop, browser)
    expect((await browser.visit(begun)).status).toBe(303)
    expect((await browser.visit(`${shop.url}/page`)).status).toBe(302)
    expect(
      [...browser.jar.keys()].filter((name) => name.startsWith(namesOf('shop_login_client').attempts)),
    ).toHaveLength(10)
  })
})

describeOnStores('a browser that still has a cookie by the name of version 0.1', (storage) => {
  const { session } = namesOf('shop_login_client')

  /** As version 0.1 left it. */
  async function formerBrowser(shop: World): Promise<CookieBrowser> {
    const browser = new CookieBrowser()
    expect(await signIn(shop, browser)).toBe(200)
    browser.jar.set('ppoppo', browser.jar.get(session) ?? '')
    browser.jar.delete(session)
    return browser
  }

  test('stays signed in, and gets the new cookie name with its first private response', async () => {
    const shop = await app('shop_login_client', storage.options())
    const browser = await formerBrowser(shop)
    const sent = browser.jar.get('ppoppo')
    expect(await isSignedIn(shop, browser)).toBe(true) // only looks
    expect(browser.jar.has(session)).toBe(false)
    expect((await browser.visit(`${shop.url}/page`)).text).toBe('page of 77700000001')
    // The former one stays, for servers that do not know the new name yet.
    expect([browser.jar.get(session), browser.jar.get('ppoppo')]).toEqual([sent, sent])
    expect((await browser.visit(`${shop.url}/page`)).cookies).toEqual([])
  })

  test.each([true, false])(
    'signs out of both (moved before: %s), and the next session there is kept',
    async (hasMoved) => {
      const shop = await app('shop_login_client', storage.options())
      const browser = await formerBrowser(shop)
      if (hasMoved) await browser.visit(`${shop.url}/page`)
      await browser.visit(`${shop.url}/auth/logout`, post)
      expect([...browser.jar.keys()].filter((name) => name === session || name === 'ppoppo')).toEqual([])
      expect([await basket(shop, browser, '?add=new'), await basket(shop, browser)]).toEqual([['new'], ['new']])
    },
  )

  test('signs in again: the former cookie is removed with its session', async () => {
    const shop = await app('shop_login_client', storage.options())
    const browser = await formerBrowser(shop)
    expect(await signIn(shop, browser)).toBe(200)
    expect([browser.jar.has('ppoppo'), await isSignedIn(shop, browser)]).toEqual([false, true])
  })

  test('another client’s cookie of that name is left alone, and the new name takes precedence', async () => {
    const secret = 'uN3xP8vQ2kL7wZ5tR9yB4mC6dF1gH0jK'
    const shared = { ...storage.options(), sessionSecret: secret }
    const [shop, club] = [await app('shop_login_client', shared), await app('club_login_client', shared)]
    const browser = await formerBrowser(shop)
    const former = browser.jar.get('ppoppo')
    expect(await isSignedIn(club, browser)).toBe(false)
    expect(await signIn(club, browser)).toBe(200)
    await browser.visit(`${club.url}/auth/logout`, post)
    expect([browser.jar.get('ppoppo'), await isSignedIn(shop, browser)]).toEqual([former, true])
    browser.jar.set(session, 's%3Aforged.signature')
    expect(await isSignedIn(shop, browser)).toBe(false)
  })

  test('an app that reads req.headers.cookie sees what the browser sent', async () => {
    const shop = await app('shop_login_client', storage.options())
    shop.app.get('/header', (req, res) => void res.send(req.headers.cookie))
    const browser = await formerBrowser(shop)
    browser.jar.set('other', '1')
    expect((await browser.visit(`${shop.url}/header`)).text).not.toContain(session)
    browser.jar.set('ppoppo', 's%3Aforged.signature')
    expect((await browser.visit(`${shop.url}/header`)).text).toMatch(/^ppoppo=s%3Aforged.signature; /)
  })

  test('an attempt that began before the deploy can finish after it', async () => {
    const shop = await app('shop_login_client', storage.options())
    const browser = new CookieBrowser()
    const callback = await beginAttempt(shop, browser, '/page')
    const { attempts, formerAttempts } = namesOf('shop_login_client')
    const [name = '', value = ''] = [...browser.jar].find(([each]) => each.startsWith(attempts)) ?? []
    browser.jar.delete(name)
    browser.jar.set(name.replace(attempts, formerAttempts), value)
    expect((await browser.go(callback)).text).toBe('page of 77700000001')
    expect([...browser.jar.keys()].filter((each) => each.includes('-tx-'))).toEqual([])
  })

  test('an explicit cookieName stays exactly as it is, and no other name is read', async () => {
    const shop = await app('shop_login_client', { ...storage.options(), session: { cookieName: 'sid' } })
    const browser = new CookieBrowser()
    expect(await signIn(shop, browser)).toBe(200)
    expect([...browser.jar.keys()].filter((name) => !name.includes('-'))).toEqual(['sid'])
    browser.jar.set('ppoppo', browser.jar.get('sid') ?? '')
    browser.jar.delete('sid')
    expect(await isSignedIn(shop, browser)).toBe(false)
  })
})

describeOnStores('cookies that somebody else has planted', (storage) => {
  const planted = (value: string): readonly string[] => [
    `ppoppo-landed=${value}`,
    `ppoppo-landed=${namesOf('shop_login_client').landed}`,
    `__Host-ppoppo-landed=${value}`,
    `${namesOf('shop_login_client').landed}=${namesOf('shop_login_client').landed}`,
    `${namesOf('shop_login_client').landed}=1`,
    `${namesOf('club_login_client').landed}=${value}`,
  ]

  test('only the landing cookie that was set can lead to the cookie_missing page', async () => {
    const shop = await app('shop_login_client', storage.options())
    const now = clock.runtime.now()
    for (const cookie of [
      ...planted(now.toString(36)),
      `${namesOf('shop_login_client').landed}=${(now - 2 * MINUTE).toString(36)}`,
      `${namesOf('shop_login_client').landed}=${(now + 365 * 24 * 60 * MINUTE).toString(36)}`,
    ]) {
      const answer = await new CookieBrowser().visit(`${shop.url}/page`, { headers: { Cookie: cookie } })
      expect([cookie, answer.status]).toEqual([cookie, 302])
    }
    const real = `${namesOf('shop_login_client').landed}=${now.toString(36)}`
    const ask = () => new CookieBrowser().visit(`${shop.url}/page`, { headers: { Cookie: real } })
    expect((await ask()).status).toBe(400)
    clock.advance(2 * MINUTE + SECOND)
    expect((await ask()).status).toBe(302)
  })

  test('on https a landing cookie without __Host- is ignored', async () => {
    const options = { ...productionRest(), ...storage.options(), allowMemoryStore: true, baseUrl: PRODUCTION.baseUrl }
    const { redis: _redis, ...rest } = { redis: '', ...options }
    const shop = await app('shop_login_client', storage.kind === 'redis' ? options : rest)
    const { landed } = namesOf('shop_login_client')
    const value = clock.runtime.now().toString(36)
    const ask = (Cookie: string) => new CookieBrowser().visit(`${shop.url}/page`, { headers: { Cookie } })
    expect((await ask(`${landed}=${value}`)).status).toBe(302)
    expect((await ask(`__Host-${landed}=${value}`)).status).toBe(400)
  })
})

describeOnStores('forty tabs', (storage) => {
  test('a response of login fits into nginx’s header buffer, however many cookies there are, and the newest attempts stay', async () => {
    const shop = await app('shop_login_client', storage.options())
    const { attempts } = namesOf('shop_login_client')
    const browser = new CookieBrowser()
    const began = clock.runtime.now()
    // Forty logins at once: each was answered before the browser had any of the cookies.
    for (let tab = 0; tab < 40; tab += 1)
      browser.jar.set(
        `${attempts}${String(tab).padStart(16, '0')}`,
        `${(began - tab * SECOND).toString(36)}.${'A'.repeat(22)}`,
      )
    const sizes: number[] = []
    for (let login = 0; login < 4; login += 1) {
      const answer = await browser.visit(`${shop.url}/auth/login?return_to=/page`)
      const lines = [...answer.headers].map(([name, value]) => `${name}: ${value}`).concat(answer.cookies)
      sizes.push(lines.join('\r\n').length)
      expect(answer.cookies.filter((line) => line.includes('01 Jan 1970')).length).toBeLessThanOrEqual(10)
    }
    expect(Math.max(...sizes)).toBeLessThan(4_096)
    const left = [...browser.jar.keys()].filter((name) => name.startsWith(attempts))
    expect(left).toHaveLength(10)
    expect(left).toContain(`${attempts}${'0'.repeat(16)}`)
  })
})
