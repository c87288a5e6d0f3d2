import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { PpoppoOptions } from '../../src/index.js'
import type { Answer, Visit } from '../support/cookie-browser.js'
import { startWorld, type World } from '../support/world.js'

let world: World
afterEach(() => world.close())

const warnings = (): readonly object[] =>
  world.events.filter((event) => event.type === 'warning' && event.code === 'other_host')

const login = (returnTo: string, visit: Visit = {}): Promise<Answer> =>
  world.browser().visit(`${world.url}/auth/login?return_to=${encodeURIComponent(returnTo)}`, visit)

/** Whether this login was sent to `baseUrl`; if not, it must have gone on to PAS. */
function isMoved(answer: Answer): boolean {
  if (answer.location.startsWith(`${world.sandbox.issuer}/oauth/authorize?`)) return false
  expect([answer.status, answer.cookies]).toEqual([302, []])
  expect(new URL(answer.location).pathname).toBe('/auth/login')
  return true
}

describe('a login on a host other than that of baseUrl', () => {
  beforeEach(async () => {
    world = await startWorld({ options: { rateLimit: false } })
  })

  test('S10 an app opened as 127.0.0.1: login redirects to baseUrl once, keeps the deep link, and raises a warning', async () => {
    const opened = world.url.replace('localhost', '127.0.0.1')
    const browser = world.browser()
    const first = await browser.visit(`${opened}/auth/login?return_to=${encodeURIComponent('/me?a=1&b=%2F')}`)
    expect([first.status, first.cookies, first.headers.get('cache-control')]).toEqual([302, [], 'no-store'])
    expect(first.location.startsWith(`${world.url}/auth/login?`)).toBe(true)
    const landed = await browser.go(first.location)
    expect([landed.status, landed.url]).toEqual([200, `${world.url}/me?a=1&b=%2F`])
    await browser.visit(`${opened}/auth/login`)
    expect(warnings()).toEqual([expect.objectContaining({ detail: expect.stringContaining(new URL(opened).host) })])
  })

  test('S10 signInButton() and the guard link to baseUrl, whatever host the page was opened on', async () => {
    const opened = world.url.replace('localhost', '127.0.0.1')
    expect(world.auth.signInButton({ returnTo: '/me' })).toContain(`href="${world.url}/auth/login?return_to=%2Fme"`)
    const guarded = await world.browser().visit(`${opened}/me?a`)
    expect(guarded.location).toBe(`${world.url}/auth/login?return_to=%2Fme%3Fa`)
    expect(warnings()).toEqual([])
  })

  test('S10 /auth/logout opened as 127.0.0.1 redirects to baseUrl once, and asks for confirmation there', async () => {
    const opened = world.url.replace('localhost', '127.0.0.1')
    const [browser, stranger] = [await world.signedIn(), world.browser()]
    const moved = await stranger.visit(`${opened}/auth/logout?return_to=${encodeURIComponent(`${opened}/me?a`)}`)
    expect([moved.status, moved.headers.get('cache-control')]).toEqual([302, 'no-store'])
    expect(moved.location.startsWith(`${world.url}/auth/logout?`)).toBe(true)
    const page = await browser.visit(moved.location)
    expect(page.text).toContain('Sign out?')
    expect(page.text).toContain(`name="return_to" value="${world.url}/me?a"`)
    // Behind a proxy that puts its own name into Host.
    const again = await stranger.visit(moved.location.replace('localhost', '127.0.0.1'))
    expect([again.status, again.text.includes('You are signed out')]).toEqual([200, true])
  })

  test('S10 a return_to on the host that was opened is kept, one on any other host is not', async () => {
    const opened = world.url.replace('localhost', '127.0.0.1')
    const placeOf = async (returnTo: string): Promise<string | null> => {
      const query = new URLSearchParams({ return_to: returnTo })
      const moved = await world.browser().visit(`${opened}/auth/login?${query}`)
      return new URL(moved.location).searchParams.get('return_to')
    }
    expect(await placeOf(`${opened}/me?a=1#b`)).toBe('/me?a=1#b')
    expect(await placeOf(`${world.url}/me`)).toBe('/me')
    for (const foreign of [
      'http://127.0.0.1:1/me',
      `${opened}//evil.example`,
      'https://evil.example/me',
      opened.replace('://', '://x@evil.example/'),
    ])
      expect([foreign, await placeOf(foreign)]).toEqual([foreign, '/'])
  })

  test('S10 a form is redirected to baseUrl by 303 and keeps its return_to', async () => {
    const opened = world.url.replace('localhost', '127.0.0.1')
    const browser = world.browser()
    const moved = await browser.visit(`${opened}/auth/login`, { method: 'POST', form: { return_to: '/me?posted' } })
    expect([moved.status, moved.cookies]).toEqual([303, []])
    expect((await browser.go(moved.location)).url).toBe(`${world.url}/me?posted`)
  })

  test('S10 a guarded form on a page of another host returns to that page', async () => {
    world.app.post('/order', world.auth.requireSignIn(), (_req, res) => void res.send('ordered'))
    const opened = world.url.replace('localhost', '127.0.0.1')
    const headers = { Referer: `${opened}/cart?a=1` }
    const answer = await world.browser().visit(`${opened}/order`, { method: 'POST', form: {}, headers })
    expect(new URL(answer.location).searchParams.get('return_to')).toBe('/cart?a=1')
  })

  test.each<[string, boolean, Visit]>([
    ['www', true, { headers: { Host: 'www.localhost' } }],
    ['an IP address', true, { headers: { Host: '192.0.2.1:3000' } }],
    ['IPv6', true, { headers: { Host: '[::1]:3000' } }],
    ['a trailing dot, which is another host for cookies', true, { headers: { Host: 'localhost.' } }],
    ['our host as a prefix', true, { headers: { Host: 'localhost.evil.example' } }],
    ['our host in capitals', false, { headers: { Host: 'LOCALHOST' } }],
    ['our host with another port, as behind a port mapping', false, { headers: { Host: 'localhost:8080' } }],
    ['our host without a port, like $host of nginx', false, { headers: { Host: 'localhost' } }],
    ['an unreadable host', false, { headers: { Host: ':::' } }],
    [
      'a proxy with its own name in Host, and ours beside it',
      false,
      { headers: { Host: 'internal:3000', 'X-Forwarded-Host': 'localhost' } },
    ],
    [
      'the same by RFC 7239',
      false,
      { headers: { Host: 'internal:3000', Forwarded: 'for=192.0.2.1;host="localhost:8080"' } },
    ],
    ['a forged X-Forwarded-Host', false, { headers: { 'X-Forwarded-Host': 'evil.example' } }],
    [
      'A20 an absolute target with our host, which counts',
      false,
      { headers: { Host: 'internal' }, target: 'http://localhost/auth/login' },
    ],
    ['A20 an absolute target with another host', true, { target: 'http://127.0.0.1/auth/login' }],
  ])('S10 %s: redirected to baseUrl %p', async (_name, expected, visit) => {
    expect(isMoved(await login('/me', visit))).toBe(expected)
    expect(warnings()).toHaveLength(expected ? 1 : 0)
  })

  test.each([
    ['internal:3000', {}],
    ['internal', { 'X-Forwarded-Host': 'another.internal' }],
    ['10.0.0.7', { Forwarded: 'host=unknown' }],
  ])('S10 a proxy that puts %s into Host causes one more redirect, and the person signs in', async (host, more) => {
    const browser = world.browser()
    const headers = { Host: host, ...more }
    let answer = await browser.visit(`${world.url}/me`, { headers })
    const hops: string[] = []
    while (answer.location !== '' && hops.length < 10) {
      hops.push(new URL(answer.location).pathname)
      const isOurs = answer.location.startsWith(world.url)
      answer = await browser.visit(answer.location, isOurs ? { headers } : {})
    }
    expect([answer.status, answer.url]).toEqual([200, `${world.url}/me`])
    expect(hops).toEqual(['/auth/login', '/auth/login', '/oauth/authorize', '/auth/callback', '/me'])
    expect(warnings()).toHaveLength(1)
  })

  test('S10 the X-Forwarded-Host of a trusted proxy overrides Host', async () => {
    world.app.set('trust proxy', 1)
    expect(isMoved(await login('/me', { headers: { 'X-Forwarded-Host': 'www.localhost' } }))).toBe(true)
    expect(isMoved(await login('/me', { headers: { Host: 'internal', 'X-Forwarded-Host': 'localhost' } }))).toBe(false)
    expect(isMoved(await login('/me', { headers: { 'X-Forwarded-Proto': 'http' } }))).toBe(false)
  })

  test('S10 at most ten made-up hosts are reported, and unusual text never', async () => {
    for (let index = 0; index < 15; index += 1) await login('/me', { headers: { Host: `h${index}.example` } })
    expect(warnings()).toHaveLength(10)
    const text = JSON.stringify(warnings())
    expect(text).toContain('h0.example')
    expect(text).not.toContain('h10.example')
  })

  test('S10 HEAD and a prefetch are not redirected', async () => {
    const headers = { Host: 'www.localhost' }
    expect((await login('/me', { method: 'HEAD', headers })).location).toBe('')
    expect((await login('/me', { headers: { ...headers, 'Sec-Purpose': 'prefetch' } })).location).toBe('')
    expect(warnings()).toEqual([])
  })
})

describe('a login by http while baseUrl is https', () => {
  const ORIGIN = 'https://localhost'
  const HTTPS: PpoppoOptions = {
    baseUrl: ORIGIN,
    sessionSecret: randomBytes(32).toString('base64url'),
    vaultKeys: `k1:${randomBytes(32).toString('base64')}`,
  }

  test('S10 reported by a trusted proxy: redirected to https once, because browsers would drop every cookie', async () => {
    world = await startWorld({ options: HTTPS })
    world.app.set('trust proxy', 1)
    const headers = { 'X-Forwarded-Proto': 'http' }
    const moved = await login('/me', { headers })
    expect(moved.location.startsWith(`${ORIGIN}/auth/login?`)).toBe(true)
    const again = await world.browser().visit(moved.location.replace(ORIGIN, world.url), { headers })
    expect(again.location.startsWith(`${world.sandbox.issuer}/oauth/authorize?`)).toBe(true)
    expect(warnings()).toEqual([expect.objectContaining({ detail: expect.stringContaining('"http://localhost') })])
  })

  test('S10 not reported by a trusted proxy: no redirect', async () => {
    world = await startWorld({ options: HTTPS })
    const answer = await login('/me', { headers: { 'X-Forwarded-Proto': 'http' } })
    expect(answer.location.startsWith(`${world.sandbox.issuer}/oauth/authorize?`)).toBe(true)
  })
})
