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
