import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type PpoppoOptions, ppoppo } from '../../src/index.js'
import { beginAttempt, buttonOf, NO_VISITS } from '../support/attempts.js'
import { nextOf } from '../support/cookie-browser.js'
import { describeOnStores } from '../support/stores.js'
import { startWorld, type World } from '../support/world.js'

describe('the authorization request', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ options: { rateLimit: false } })
  })
  afterAll(() => world.close())

  /** What the browser is told to ask PAS for. */
  async function requestOf(path = '/auth/login', headers: Record<string, string> = {}): Promise<URLSearchParams> {
    let answer = await world.browser().visit(world.url + path, { headers })
    expect(answer.status).toBe(302)
    // Under another host it is sent to ours first, once (S10).
    if (answer.location.startsWith(`${world.url}/auth/login?`))
      answer = await world.browser().visit(answer.location, { headers })
    expect(answer.location.startsWith(`${world.sandbox.issuer}/oauth/authorize?`)).toBe(true)
    return new URL(answer.location).searchParams
  }

  test('C01 PKCE is always S256, whatever the request contains, and no option changes it', async () => {
    const asked = await requestOf('/auth/login?code_challenge_method=plain&code_challenge=abc&response_type=token')
    expect(asked.getAll('code_challenge_method')).toEqual(['S256'])
    expect(asked.get('code_challenge')).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(asked.getAll('response_type')).toEqual(['code'])
    const options = { clientId: 'c', baseUrl: world.url, codeChallengeMethod: 'plain' }
    expect(() => ppoppo(options)).toThrow('codeChallengeMethod')
  })

  test('C02 the verifier is 256 new random bits in 43 characters, and PAS receives its hash', async () => {
    const sent: URLSearchParams[] = []
    const fetched = globalThis.fetch
    globalThis.fetch = (input, init) => {
      const form = new URLSearchParams(String(init?.body ?? ''))
      if (form.has('code_verifier')) sent.push(form)
      return fetched(input, init)
    }
    try {
      const verifiers = new Set<string>()
      for (let round = 0; round < 3; round += 1) {
        const browser = world.browser()
        const toPas = await browser.visit(`${world.url}/auth/login?return_to=/me`)
        expect((await browser.go(toPas.location)).status).toBe(200)
        const verifier = sent.at(-1)?.get('code_verifier') ?? ''
        expect(verifier).toMatch(/^[A-Za-z0-9_-]{43}$/)
        const challenge = createHash('sha256').update(verifier).digest('base64url')
        expect(new URL(toPas.location).searchParams.get('code_challenge')).toBe(challenge)
        verifiers.add(verifier)
      }
      expect(verifiers.size).toBe(3)
    } finally {
      globalThis.fetch = fetched
    }
  })

  test('C03 state and nonce are random, different, and new for each attempt', async () => {
    const seen = new Set<string>()
    for (let round = 0; round < 20; round += 1) {
      const asked = await requestOf()
      for (const name of ['state', 'nonce', 'code_challenge']) {
        expect(Buffer.from(asked.get(name) ?? '', 'base64url').length).toBeGreaterThanOrEqual(16)
        seen.add(asked.get(name) ?? '')
      }
    }
    expect(seen.size).toBe(60)
  })

  test.each([
    { Host: 'evil.example' },
    { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Port': '444' },
    { Forwarded: 'host=evil.example;proto=https' },
    { 'X-Original-URL': '/evil', 'X-Rewrite-URL': '/evil', 'X-Forwarded-Prefix': '/evil' },
    { Origin: 'https://evil.example', Referer: 'https://evil.example/' },
  ])('C04 redirect_uri ignores the headers %j', async (headers) => {
    world.app.set('trust proxy', true)
    const asked = await requestOf('/auth/login?redirect_uri=https://evil.example/', headers)
    world.app.set('trust proxy', false)
    expect(asked.getAll('redirect_uri')).toEqual([`${world.url}/auth/callback`])
  })

  test('C04 the redirect after a sign-in ignores Host, too', async () => {
    const browser = world.browser()
    const callback = await beginAttempt(world, browser, '/me')
    const landed = await browser.visit(callback, {
      headers: { Host: 'evil.example', 'X-Forwarded-Host': 'evil.example' },
    })
    expect([landed.status, landed.headers.get('location')]).toEqual([303, `${world.url}/me`])
  })

  test('a login by POST is redirected with 303', async () => {
    const browser = world.browser()
    const answer = await browser.visit(`${world.url}/auth/login`, { method: 'POST', form: { return_to: '/me?posted' } })
    expect(answer.status).toBe(303)
    expect((await browser.go(answer.location)).url).toBe(`${world.url}/me?posted`)
  })

  test.each([
    ['a browser', { 'Sec-Fetch-Site': 'same-origin' }],
    ['an old Safari', { 'Sec-Fetch-Mode': '', 'Sec-Fetch-Dest': '', Origin: 'null' }],
  ])('a login form from %s gets a page that redirects to PAS', async (_who, headers) => {
    const browser = world.browser()
    const form = { return_to: '/me?posted' }
    const page = await browser.visit(`${world.url}/auth/login`, { method: 'POST', headers, form })
    expect([page.status, page.headers.get('cache-control'), page.cookies.length]).toEqual([200, 'no-store', 1])
    expect(nextOf(page).startsWith(`${world.sandbox.issuer}/oauth/authorize?`)).toBe(true)
    expect(buttonOf(page).href).toBe(nextOf(page))
    expect((await browser.go(nextOf(page))).url).toBe(`${world.url}/me?posted`)
  })

  test.each(['PUT', 'DELETE', 'PATCH', 'TRACE'])('%s on login is answered with 405', async (method) => {
    const answer = await world.browser().visit(`${world.url}/auth/login`, { method })
    expect([answer.status, answer.headers.get('allow'), answer.cookies]).toEqual([405, 'GET, POST', []])
  })

  test('a large or binary login form gets a page, not an error', async () => {
    for (const form of ['a='.padEnd(64 * 1024, 'x'), '\0\xff%%%']) {
      const answer = await world
        .browser()
        .visit(`${world.url}/auth/login`, { method: 'POST', form: { return_to: form } })
      expect(answer.status).toBe(form.length > 8_192 ? 413 : 303)
    }
  })
})

describeOnStores('login requests that are not a navigation', (storage) => {
  let world: World
  let options: PpoppoOptions
  beforeAll(async () => {
    options = storage.options()
    world = await startWorld({ options })
    await world.signedIn()
  })
  afterAll(() => world.close())

  test.each(NO_VISITS)('C05 %s of login starts no attempt and affects no other', async (_name, method, headers) => {
    const browser = world.browser()
    const url = await beginAttempt(world, browser)
    const stored = await storage.contents(options)
    for (const path of ['/auth/login', '/auth/login?return_to=/me', '/auth/login/', '/auth/LOGIN']) {
      const answer = await browser.visit(world.url + path, { method, headers })
      expect([204, 503]).toContain(answer.status)
      expect(answer.headers.get('cache-control')).toContain('no-store')
      expect([answer.cookies, answer.text, answer.location]).toEqual([[], '', ''])
    }
    expect(await storage.contents(options)).toEqual(stored)
    expect((await browser.go(url)).status).toBe(200)
  })

  test('C05 a navigation from another site starts a sign-in', async () => {
    const headers = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' }
    const answer = await world.browser().visit(`${world.url}/auth/login`, { headers })
    expect([answer.status, answer.cookies.length]).toEqual([302, 1])
  })

  test('login writes no session', async () => {
    const answer = await world.browser().visit(`${world.url}/auth/login`)
    expect(answer.cookies).toHaveLength(1)
    expect(answer.cookies[0]).toMatch(
      /^ppoppo-tx-[\w-]{8}-[\w-]{16}=[0-9a-z]{8,10}\.[\w-]{22}; Max-Age=3600; Path=\/; Expires=.+; HttpOnly; SameSite=Lax$/,
    )
  })
})
