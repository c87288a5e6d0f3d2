import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { locationOf, startWorld, type World } from './support.js'

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
    'cannot send %s, and a page says so',
    async (path) => {
      const headers = { 'Sec-Fetch-Site': 'same-origin', Referer: `${world.url}/sign-ins` }
      const browser = world.browser()
      const sent = await browser.post(path, { id: 'x', display_name: 'x' }, headers).expect(303)
      // A page of our own origin in between: a form that is redirected off-site is stopped by `form-action 'self'`.
      const { text } = await browser.get(String(sent.headers['location']).slice(world.url.length)).expect(200)
      expect(text).toContain('what you sent was not kept')
      expect(text).toContain(`/auth/login?${new URLSearchParams({ return_to: `${world.url}/sign-ins` })}`)
    },
  )
})
