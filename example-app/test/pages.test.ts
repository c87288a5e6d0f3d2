import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { locationOf, startWorld, type World } from './support.js'
import { FIREFOX, IPHONE } from './user-agents.js'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterEach(() => {
  world.sandbox.control.reset()
  // An error nobody foresaw is logged, and fails the test it happened in.
  expect(world.errors.splice(0)).toEqual([])
})
afterAll(() => world.close())

describe('a visitor', () => {
  test('sees the button, as a component and as plain HTML', async () => {
    const { text } = await world.browser().get('/').expect(200)
    expect(text).toContain('<ppoppo-sign-in return-to="/dashboard">')
    expect(text).toMatch(/href="[^"]*\/auth\/login\?return_to=%2Fdashboard/)
    expect(text).not.toContain('Sign out')
  })

  test.each(['/dashboard', '/sign-ins'])('who asks for %s is sent to sign in and comes back there', async (path) => {
    const browser = world.browser()
    const login = new URL(locationOf(await browser.get(path).expect(302)), world.url)
    expect(login.pathname).toBe('/auth/login')
    expect(login.searchParams.get('return_to')).toBe(path)
    expect(await browser.signIn(path)).toBe(path)
    await browser.get(path).expect(200)
  })

  test('gets 401 as JSON from the API', async () => {
    const { body } = await world.browser().get('/api/me').set('Accept', 'application/json').expect(401)
    expect(body).toMatchObject({ status: 401 })
  })

  test.each(['/dashboard/name', '/sign-ins/end', '/sign-ins/end-all'])(
    'cannot send %s, and is told so on a page',
    async (path) => {
      const headers = { 'Sec-Fetch-Site': 'same-origin', Referer: `${world.url}/sign-ins` }
      const { text } = await world.browser().post(path, { id: 'x', display_name: 'x' }, headers).expect(401)
      expect(text).toContain('What you sent was not saved')
      expect(text).toContain(`<ppoppo-sign-in return-to="${world.url}/sign-ins">`)
    },
  )
})

describe('the dashboard', () => {
  test('shows the number, sub, scopes, the live e-mail and when the token was refreshed', async () => {
    const browser = world.browser()
    await browser.signIn()
    const { text, headers } = await browser.get('/dashboard').expect(200)
    for (const shown of ['777-0000-0001', '01J9Z3K8Q2W4E6R8T0Y2V4X6A1', 'alex@example.test', '<li>email</li>']) {
      expect(text).toContain(shown)
    }
    expect(text).toMatch(/Access token refreshed<\/dt><dd><time datetime="\d{4}-/)
    expect(text).not.toContain('account</span>')
    expect(headers['cache-control']).toContain('no-store')
  })

  test('shows a new e-mail address at once, and an account type that is not a person’s', async () => {
    world.sandbox.control.set({ autoSignIn: 'robo' })
    const browser = world.browser()
    await browser.signIn()
    expect((await browser.get('/dashboard')).text).toContain('ai agent account')
    world.sandbox.control.updatePerson('robo', { email: 'new@example.test' })
    expect((await browser.get('/dashboard')).text).toContain('new@example.test')
  })

  test('shows a later time once the access token has been refreshed', async () => {
    const browser = world.browser()
    await browser.signIn()
    const refreshedAt = async () =>
      Date.parse(
        /refreshed<\/dt><dd><time datetime="([^"]+)"/.exec((await browser.get('/dashboard').expect(200)).text)?.[1] ??
          '',
      )
    const before = await refreshedAt()
    world.sandbox.control.expireAccessTokens()
    await refreshedAt()
    expect(await refreshedAt()).toBeGreaterThan(before)
    expect(world.sandbox.control.counters.tokenRefresh).toBe(1)
  })

  test('is there without the e-mail while Ppoppo is down', async () => {
    const browser = world.browser()
    await browser.signIn()
    world.sandbox.control.inject({
      endpoint: 'userinfo',
      fault: { kind: 'status', status: 503 },
      times: 'until-cleared',
    })
    const { text } = await browser.get('/dashboard').expect(200)
    expect(text).toContain('Can’t be fetched right now')
    expect(text).toContain('777-0000-0001')
    world.sandbox.control.clearFaults()
    expect((await browser.get('/dashboard')).text).toContain('alex@example.test')
  })

  test('keeps a name, shows it everywhere, and escapes it', async () => {
    const browser = world.browser()
    await browser.signIn()
    const saved = await browser.post('/dashboard/name', { display_name: '  <b>Álex</b> & co ' }).expect(303)
    expect(locationOf(saved)).toBe('/dashboard?notice=name-saved')
    for (const path of ['/', '/dashboard', '/sign-ins']) {
      const { text } = await browser.get(path)
      expect(text).toContain('&lt;b&gt;Álex&lt;/b&gt; &amp; co')
      expect(text).not.toContain('<b>Álex')
    }
    // Another browser, another sign-in, the same account.
    const other = world.browser(IPHONE)
    await other.signIn()
    expect((await other.get('/api/me')).body).toMatchObject({ account: { displayName: '<b>Álex</b> & co' } })
    await browser.post('/dashboard/name', { display_name: '' }).expect(303)
    expect((await browser.get('/api/me')).body).toMatchObject({ account: { displayName: null } })
  })

  test.each(['x'.repeat(41), 'a\u202eb', 'a\u0000b'])(
    'refuses a name that cannot be shown (%#), and keeps what was typed',
    async (name) => {
      const browser = world.browser()
      await browser.signIn()
      const { text } = await browser.post('/dashboard/name', { display_name: name }).expect(422)
      expect(text).toContain('aria-invalid="true"')
      expect((await browser.get('/api/me')).body).toMatchObject({ account: { displayName: null } })
    },
  )
})

describe('the list of sign-ins', () => {
  test('names browsers, ends one elsewhere, and then that browser is out', async () => {
    const [here, there] = [world.browser(FIREFOX), world.browser(IPHONE)]
    await here.signIn()
    await there.signIn()
    const { text } = await here.get('/sign-ins').expect(200)
    expect(text).toMatch(/Firefox on Windows\s*<span class="badge">This browser/)
    const id = /Safari on iOS[\s\S]*?name="id" value="([^"]+)"/.exec(text)?.[1] ?? ''
    expect(locationOf(await here.post('/sign-ins/end', { id }).expect(303))).toBe('/sign-ins?notice=sign-in-ended')
    await there.get('/dashboard').expect(302)
    await here.get('/dashboard').expect(200)
    // A second time there is nothing to end.
    const again = await here.post('/sign-ins/end', { id }).expect(404)
    expect(again.text).toContain('There is no such sign-in')
  })

  test('ends nobody else’s, nor nonsense', async () => {
    const alex = world.browser()
    await alex.signIn()
    const id = /name="id" value="([^"]+)"/.exec((await alex.get('/sign-ins')).text)?.[1] ?? ''
    world.sandbox.control.set({ autoSignIn: 'mina' })
    const mina = world.browser()
    await mina.signIn()
    await mina.post('/sign-ins/end', { id }).expect(404)
    await mina.post('/sign-ins/end', { id: '../../x' }).expect(404)
    await mina.post('/sign-ins/end').expect(404)
    await alex.get('/dashboard').expect(200)
  })

  test('ends this browser’s own, and leads to the front page', async () => {
    const browser = world.browser('Only/1.0')
    await browser.signIn()
    const id = /This browser[\s\S]*?name="id" value="([^"]+)"/.exec((await browser.get('/sign-ins')).text)?.[1] ?? ''
    expect(locationOf(await browser.post('/sign-ins/end', { id }).expect(303))).toBe('/?notice=signed-out')
    expect((await browser.get('/?notice=signed-out')).text).toContain('You are signed out.')
    await browser.get('/dashboard').expect(302)
  })

  test('ends all', async () => {
    const browsers = [world.browser(), world.browser(IPHONE)]
    for (const browser of browsers) await browser.signIn()
    expect(locationOf(await (browsers[0] ?? world.browser()).post('/sign-ins/end-all').expect(303))).toBe(
      '/?notice=signed-out-everywhere',
    )
    for (const browser of browsers) await browser.get('/dashboard').expect(302)
  })
})

describe('signing out', () => {
  test('ends the sign-in and comes back to the front page', async () => {
    const browser = world.browser()
    await browser.signIn()
    const { text } = await browser.get('/dashboard')
    expect(text).toContain('action="/auth/logout"')
    const out = await browser.post('/auth/logout', { return_to: '/?notice=signed-out' }).expect(303)
    expect(new URL(locationOf(out), world.url).search).toBe('?notice=signed-out')
    await browser.get('/dashboard').expect(302)
  })

  test('happens by itself when the account is deleted from our table', async () => {
    world.sandbox.control.set({ autoSignIn: 'mina' })
    const browser = world.browser()
    await browser.signIn()
    world.database.prepare('DELETE FROM users WHERE ppnum = ?').run('77700000002')
    await browser.get('/dashboard').expect(302)
    await browser.signIn()
    await browser.get('/dashboard').expect(200)
  })
})

describe('access revoked at Ppoppo', () => {
  test('leads to signing in again, not to an error', async () => {
    const browser = world.browser()
    await browser.signIn()
    world.sandbox.control.revokeUser('alex')
    const { status, text } = await browser.get('/dashboard')
    expect([302, 401]).toContain(status)
    if (status === 401) expect(text).toContain('<ppoppo-sign-in return-to="/dashboard">')
    await browser.get('/dashboard').expect(302)
  })
})
