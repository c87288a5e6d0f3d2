import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { createClock, HOUR, MINUTE, SECOND, timed } from '../support/clock.js'
import type { CookieBrowser } from '../support/cookie-browser.js'
import { COOKIES, startWorld, type World, type WorldOptions } from '../support/world.js'

type FaultRule = Parameters<Sandbox['control']['inject']>[0]
type Fault = FaultRule['fault']

const clock = createClock()
let sandbox: Sandbox
let world: World

beforeAll(async () => {
  sandbox = await startSandbox({ pasPort: 0, autoSignIn: 'alex' })
})
afterEach(async () => {
  await world.close()
  sandbox.control.reset()
})
afterAll(async () => {
  await sandbox.close()
})

/** Someone whose access token has expired, so that the next call to PAS is a refresh. */
async function expired(options: WorldOptions = {}): Promise<CookieBrowser> {
  world = await startWorld({ sandbox, runtime: clock.runtime, ...options })
  const browser = await world.signedIn()
  clock.advance(2 * HOUR)
  return browser
}

function inject(fault: Fault, times: FaultRule['times'] = 'until-cleared'): void {
  sandbox.control.inject({ endpoint: 'token', grantType: 'refresh_token', fault, times })
}

const status = async (browser: CookieBrowser, path: string): Promise<number> =>
  (await browser.visit(world.url + path)).status
const failures = () => world.events.filter((event) => event.type === 'refresh_failed')
const ends = () => world.events.filter((event) => event.type === 'sign_out')

const TRANSIENT: readonly (readonly [string, Fault])[] = [
  ['408', { kind: 'status', status: 408, error: 'invalid_grant' }],
  ['429', { kind: 'status', status: 429, error: 'slow_down', retryAfterSeconds: 1 }],
  ['500', { kind: 'status', status: 500, error: 'server_error' }],
  ['502', { kind: 'status', status: 502, error: 'invalid_grant' }],
  ['503', { kind: 'status', status: 503, error: 'temporarily_unavailable' }],
  ['HTML', { kind: 'garbage' }],
  ['a truncated answer', { kind: 'truncated' }],
  ['an empty answer', { kind: 'empty' }],
  ['a connection that breaks', { kind: 'cut' }],
  ['a reset', { kind: 'reset' }],
  ['a redirect', { kind: 'redirect' }],
  ['a huge answer', { kind: 'huge', megabytes: 5 }],
]

const LOUD: readonly (readonly [string, Fault])[] = [
  ['invalid_client', { kind: 'status', status: 401, error: 'invalid_client' }],
  ['unauthorized_client', { kind: 'status', status: 400, error: 'unauthorized_client' }],
  ['invalid_scope', { kind: 'status', status: 400, error: 'invalid_scope' }],
  ['404', { kind: 'status', status: 404, error: 'not_found' }],
]

describe('C34 what a failed refresh means', () => {
  test.each(TRANSIENT)(
    'C34 %s: still signed in, 503 for who needs the token, well again by itself',
    async (_, fault) => {
      const browser = await expired()
      inject(fault)
      const answer = await browser.visit(`${world.url}/token`)
      expect([answer.status, JSON.parse(answer.text).code]).toEqual([503, 'provider_unavailable'])
      expect([await status(browser, '/me'), await status(browser, '/page')]).toEqual([200, 200])
      expect(failures()[0]).toMatchObject({ code: 'provider_unavailable' })
      sandbox.control.clearFaults()
      expect(await status(browser, '/token')).toBe(200)
      expect(ends()).toEqual([])
    },
  )

  test('C34 without an answer the refresh ends after 5 s, and the person stays signed in', async () => {
    const browser = await expired()
    inject({ kind: 'hang' })
    const { result, tookMs, wallMs } = await timed(() => browser.visit(`${world.url}/token`))
    expect(result.status).toBe(503)
    expect(wallMs).toBeGreaterThan(4_500)
    expect(tookMs).toBeLessThan(7_000)
    sandbox.control.clearFaults()
    expect(await status(browser, '/token')).toBe(200)
  })

  test('C34 an answer without an access token keeps the person signed in', async () => {
    const browser = await expired()
    inject({ kind: 'missing-access-token' })
    expect(await status(browser, '/token')).toBeGreaterThanOrEqual(500)
    expect(await status(browser, '/me')).toBe(200)
    sandbox.control.clearFaults()
    expect(await status(browser, '/token')).toBe(200)
  })

  test.each(LOUD)('C34 %s keeps the person signed in, and raises an event', async (_, fault) => {
    const browser = await expired()
    inject(fault)
    const answer = await browser.visit(`${world.url}/token`)
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([503, 'provider_misconfigured'])
    expect(failures()[0]).toMatchObject({
      code: 'provider_misconfigured',
      detail: expect.stringContaining('PAS refused'),
    })
    expect(await status(browser, '/me')).toBe(200)
    expect(ends()).toEqual([])
  })

  test('C34 invalid_grant signs out every tab, and the next navigation signs in again', async () => {
    const browser = await expired()
    browser.jar.set(COOKIES.landed, Date.now().toString(36)) // within ten seconds of the callback
    const tab = browser.clone()
    sandbox.control.revokeUser('alex')
    const answer = await browser.visit(`${world.url}/token`)
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([401, 'signed_out'])
    for (const each of [browser, tab]) {
      const page = await each.visit(`${world.url}/page`)
      expect(page.status).toBe(302)
      expect(page.location).toBe(`${world.url}/auth/login?return_to=${encodeURIComponent('/page')}`)
      expect((await each.visit(`${world.url}/auth/session`)).text).toBe('{"signedIn":false}')
    }
    expect(ends()).toEqual([expect.objectContaining({ reason: 'revoked' })])
    // The sandbox forgot the grant, not the person: they may sign in again.
    expect((await browser.go(`${world.url}/page`)).text).toContain('page of')
  })

  test('C34 invalid_grant during a request signs out the rest of that request', async () => {
    const browser = await expired({
      routes: (app, auth) =>
        app.get('/after', auth.requireSignIn(), async (req, res) => {
          const code = await req.ppoppo.userinfo().catch((error: { code: string }) => error.code)
          res.json({
            code,
            status: req.ppoppo.status,
            isSignedIn: req.ppoppo.isSignedIn,
            user: req.ppoppo.user ?? null,
          })
        }),
    })
    sandbox.control.revokeUser('alex')
    const answer = await browser.visit(`${world.url}/after`)
    expect(JSON.parse(answer.text)).toEqual({ code: 'signed_out', status: 'signed-out', isSignedIn: false, user: null })
  })

  test('C34 the revocation of one person signs out nobody else', async () => {
    const alex = await expired()
    const mina = await world.signedIn('mina')
    clock.advance(2 * HOUR)
    sandbox.control.revokeUser('alex')
    expect([await status(alex, '/token'), await status(mina, '/token')]).toEqual([401, 200])
  })
})

describe('C35 the refresh token of a refresh answer', () => {
  test.each(['null', 'absent', 'rotate'] as const)(
    'C35 with refresh token %s the sign-in is refreshed again and again',
    async (refreshTokenAnswer) => {
      sandbox.control.set({ refreshTokenAnswer })
      const browser = await expired()
      for (let round = 1; round <= 3; round += 1) {
        expect(await status(browser, '/token')).toBe(200)
        expect(sandbox.control.counters.tokenRefresh).toBe(round)
        clock.advance(2 * HOUR)
      }
      expect(failures()).toEqual([])
    },
  )

  test('C35 a refresh with fewer scopes ends the sign-in, and the event says why', async () => {
    const browser = await expired()
    inject({ kind: 'narrower-scope' }, 1)
    expect(await status(browser, '/token')).toBe(401)
    expect((await browser.visit(`${world.url}/page`)).location).toContain('/auth/login')
    expect(ends()).toEqual([expect.objectContaining({ reason: 'scope_reduced' })])
  })

  test('C35 without any refresh token the sign-in lasts as long as the access token', async () => {
    const fetch = async (url: string | URL, init: RequestInit): Promise<Response> => {
      const answer = await globalThis.fetch(url, init)
      if (!String(url).endsWith('/oauth/token')) return answer
      const { refresh_token: _, ...rest } = (await answer.json()) as Record<string, unknown>
      return Response.json(rest, { status: answer.status })
    }
    const own = createClock({ fetch })
    world = await startWorld({ sandbox, runtime: own.runtime })
    const browser = await world.signedIn()
    own.advance(HOUR - 30 * SECOND)
    expect([await status(browser, '/token'), await status(browser, '/me')]).toEqual([200, 200])
    own.advance(MINUTE)
    expect(await status(browser, '/token')).toBe(401)
    expect((await browser.visit(`${world.url}/page`)).location).toContain('/auth/login')
    expect(ends()).toEqual([expect.objectContaining({ reason: 'not_renewable' })])
    expect(failures()).toEqual([])
  })
})
