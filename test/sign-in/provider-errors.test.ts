import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { PageKind } from '../../src/pages/text-types.js'
import { en } from '../../src/pages/texts-en.js'
import { ko } from '../../src/pages/texts-ko.js'
import { allowed } from '../support/allowed.js'
import { beginAttempt, buttonOf, isSignedIn } from '../support/attempts.js'
import type { Answer } from '../support/cookie-browser.js'
import { startWorld, type World } from '../support/world.js'

const HOSTILE = '"><script>alert(1)</script>'

const ERRORS: readonly (readonly [string, number, PageKind])[] = [
  ['access_denied', 403, 'access_denied'],
  ['account_setup_required', 403, 'account_setup_required'],
  ['invalid_client', 500, 'invalid_client'],
  ['unauthorized_client', 500, 'invalid_client'],
  ['invalid_redirect_uri', 500, 'invalid_redirect_uri'],
  ['invalid_scope', 500, 'invalid_scope'],
  ['invalid_request', 500, 'invalid_request'],
  ['invalid_grant', 400, 'code_refused'],
  ['server_error', 503, 'provider_unavailable'],
  ['temporarily_unavailable', 503, 'provider_unavailable'],
  ['unsupported_response_type', 502, 'provider_error'],
  ['login_required', 502, 'provider_error'],
  ['constructor', 502, 'provider_error'],
  ['__proto__', 502, 'provider_error'],
  [HOSTILE, 502, 'provider_error'],
]

describe('errors of PAS', () => {
  let world: World
  let caught = 0
  const opened: World[] = []
  beforeAll(async () => {
    world = await startWorld({
      options: { rateLimit: false },
      routes: (app) => {
        app.all('/caught', (_req, res) => {
          caught += 1
          res.json({ access_token: 'x', token_type: 'Bearer' })
        })
      },
    })
  })
  afterAll(async () => {
    for (const one of [world, ...opened]) await one.close()
  })
  afterEach(() => world.sandbox.control.reset())

  /** A sign-in that ends on a page. */
  async function ending(headers: Record<string, string> = {}): Promise<Answer> {
    const browser = world.browser()
    const url = await beginAttempt(world, browser, '/me?kept=1')
    world.events.length = 0
    const answer = await browser.visit(url, { headers })
    expect(answer.location).toBe('')
    expect(await isSignedIn(world, browser)).toBe(false)
    expect([...browser.jar.keys()]).toEqual([])
    expect(answer.text).not.toContain('<script')
    const reference = /<code>([0-9a-f]{16})<\/code>/.exec(answer.text)?.[1]
    expect(world.events).toContainEqual(expect.objectContaining({ type: 'sign_in_refused', correlationId: reference }))
    const button = buttonOf(answer)
    expect(button.pathname).toBe('/auth/login')
    expect((await browser.go(button.href)).url).toBe(`${world.url}/me?kept=1`)
    return answer
  }

  test.each(ERRORS)('C19 error %s has a page in English and Korean, with a button', async (error, status, kind) => {
    for (const [language, texts] of [
      ['en', en],
      ['ko', ko],
    ] as const) {
      const fault = { kind: 'callback-error', error, errorDescription: `${HOSTILE} said PAS` } as const
      world.sandbox.control.inject({ endpoint: 'authorize', fault })
      const answer = await ending({ 'Accept-Language': language })
      expect([answer.status, answer.headers.get('content-language')]).toEqual([status, language])
      expect(answer.text).toContain(texts.pages[kind].title)
      expect(answer.text).toContain(texts.pages[kind].action)
      expect(answer.text).not.toContain('said PAS')
      expect(answer.headers.get('referrer-policy')).toBe('no-referrer')
    }
  })

  test.each([
    ['deny', 'You did not sign in'],
    ['newcomer', 'Finish your Ppoppo registration first'],
  ])('C19 person "%s" gets a page of their own', async (person, title) => {
    world.sandbox.control.set({ autoSignIn: person })
    const browser = world.browser()
    const answer = await browser.go(`${world.url}/auth/login?return_to=/me`)
    expect(answer.status).toBe(403)
    expect(answer.text).toContain(title)
  })

  test('C19 a person who cancels a second sign-in stays signed in', async () => {
    const browser = await world.signedIn()
    world.sandbox.control.set({ autoSignIn: 'deny' })
    expect((await browser.go(`${world.url}/auth/login`)).status).toBe(403)
    expect(await isSignedIn(world, browser)).toBe(true)
  })

  test.each([
    [400, 'invalid_grant', 400, 'code_refused'],
    [401, 'invalid_client', 500, 'invalid_client'],
    [400, 'invalid_redirect_uri', 500, 'invalid_redirect_uri'],
    [400, 'invalid_request', 500, 'invalid_request'],
    [400, HOSTILE, 502, 'provider_error'],
    [403, 'access_denied', 403, 'access_denied'],
    [408, 'slow', 503, 'provider_unavailable'],
    [429, 'slow_down', 503, 'provider_unavailable'],
    [500, 'server_error', 503, 'provider_unavailable'],
    [503, 'temporarily_unavailable', 503, 'provider_unavailable'],
  ] as const)('C19 %s %s from the token endpoint gets a page', async (status, error, expected, kind) => {
    world.sandbox.control.inject({
      endpoint: 'token',
      fault: { kind: 'status', status, error, errorDescription: `${HOSTILE} said PAS` },
    })
    const answer = await ending()
    expect(answer.status).toBe(expected)
    expect(answer.text).toContain(en.pages[kind].title)
    expect(answer.text + JSON.stringify(world.events)).not.toContain('said PAS')
  })

  test.each(
    (['token', 'userinfo', 'jwks'] as const).flatMap((endpoint) =>
      (['garbage', 'truncated', 'empty', 'cut', 'reset', 'huge'] as const).map((kind) => [kind, endpoint] as const),
    ),
  )('C38 fault %s at %s signs nobody in, and gets a page', async (kind, endpoint) => {
    const fresh = await startWorldOnce(endpoint)
    fresh.sandbox.control.inject({ endpoint, fault: { kind } })
    const browser = fresh.browser()
    const answer = await browser.visit(await beginAttempt(fresh, browser))
    expect([502, 503]).toContain(answer.status)
    expect(answer.text).toContain(en.pages.provider_unavailable.title)
    expect(await isSignedIn(fresh, browser)).toBe(false)
  })

  /** The key set is kept, so its faults need an app that has none yet. */
  async function startWorldOnce(endpoint: string): Promise<World> {
    if (endpoint !== 'jwks') return world
    const fresh = await startWorld()
    opened.push(fresh)
    return fresh
  }
  test('C38 redirects of token and userinfo calls are not followed', async () => {
    for (const endpoint of ['token', 'userinfo'] as const) {
      world.sandbox.control.inject({ endpoint, fault: { kind: 'redirect', location: `${world.url}/caught` } })
      expect((await ending()).status).toBe(503)
    }
    expect(caught).toBe(0)
  })

  test('C38 every call to a PAS that hangs fails after its deadline', async () => {
    const began = Date.now()
    const ends = (['token', 'userinfo'] as const).map(async (endpoint) => {
      const hanging = await startWorld()
      opened.push(hanging)
      const browser = hanging.browser()
      const url = await beginAttempt(hanging, browser)
      hanging.sandbox.control.inject({ endpoint, fault: { kind: 'hang' } })
      return browser.visit(url)
    })
    for (const answer of await Promise.all(ends)) expect(answer.status).toBe(503)
    expect(Date.now() - began).toBeLessThan(await allowed(12_000))
  })

  test('C38 an access token that userinfo rejects creates no sign-in', async () => {
    world.sandbox.control.inject({ endpoint: 'userinfo', fault: { kind: 'status', status: 401 } })
    expect((await ending()).status).toBe(503)
  })
})
