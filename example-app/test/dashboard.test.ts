import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { locationOf, startWorld, type World } from './support.js'
import { IPHONE } from './user-agents.js'

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
    expect((await browser.get('/dashboard')).text).toContain('AI agent account')
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

  test.each(['x'.repeat(41), 'a\u202eb', 'a\u0000b', '\u200b\u200b', '\u2060', '\u3164\u2800', 'a\u2028b'])(
    'refuses a name that cannot be shown (%#), and keeps what was typed',
    async (name) => {
      const browser = world.browser()
      await browser.signIn()
      const { text } = await browser.submit('/dashboard/name', { display_name: name })
      expect(text).toContain('aria-invalid="true"')
      expect((await browser.get('/api/me')).body).toMatchObject({ account: { displayName: null } })
    },
  )
})
