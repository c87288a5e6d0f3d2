import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { beginAttempt, buttonOf } from '../support/attempts.js'
import type { CookieBrowser } from '../support/cookie-browser.js'
import { COOKIES, startWorld, type World } from '../support/world.js'

describe('requireSignIn', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({
      options: { rateLimit: false },
      routes: (app, auth) => {
        app.post('/order', auth.requireSignIn(), (_req, res) => void res.send('ordered'))
        app.get('/fixed', auth.requireSignIn({ returnTo: '/page' }), (_req, res) => void res.send('fixed'))
        app.get('/foreign', auth.requireSignIn({ returnTo: '//e.example' }), (_req, res) => void res.send('foreign'))
      },
    })
  })
  afterAll(() => world.close())

  const loginFor = (returnTo: string): string => `${world.url}/auth/login?return_to=${encodeURIComponent(returnTo)}`

  test('C41 a navigation is redirected to the sign-in and back to the exact page', async () => {
    const browser = world.browser()
    const answer = await browser.visit(`${world.url}/me?a=1&b=%2F`)
    expect([answer.status, answer.location]).toEqual([302, loginFor('/me?a=1&b=%2F')])
    expect(answer.headers.get('cache-control')).toBe('private, no-store')
    const landed = await browser.go(answer.location)
    expect([landed.status, landed.url]).toEqual([200, `${world.url}/me?a=1&b=%2F`])
    expect(landed.headers.get('cache-control')).toBe('private, no-store')
  })

  test.each([
    ['a fetch', { 'Sec-Fetch-Mode': 'cors', Accept: '*/*' }],
    ['an image', { 'Sec-Fetch-Mode': 'no-cors', Accept: 'image/*' }],
    ['a program', { 'Sec-Fetch-Mode': '', Accept: 'application/json' }],
    ['a program without an Accept header', { 'Sec-Fetch-Mode': '', Accept: '' }],
    ['curl', { 'Sec-Fetch-Mode': '', Accept: '*/*' }],
    ['a navigation that accepts only JSON', { Accept: 'application/json' }],
  ])('C41 %s gets 401 problem+json', async (_name, headers) => {
    const answer = await world.browser().visit(`${world.url}/me`, { headers })
    expect([answer.status, answer.location, answer.cookies]).toEqual([401, '', []])
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(answer.headers.get('cache-control')).toContain('no-store')
    expect(JSON.parse(answer.text)).toMatchObject({
      type: 'pkg:npm/express-ppoppo#docs/errors/signed_out.md',
      status: 401,
      code: 'signed_out',
      detail: expect.stringContaining('/auth/login'),
      loginUrl: `${world.url}/auth/login`,
    })
  })

  const TURBO = {
    Accept: 'text/vnd.turbo-stream.html, text/html, application/xhtml+xml',
    'Sec-Fetch-Mode': 'cors',
    'Sec-Fetch-Dest': 'empty',
    'Sec-Fetch-Site': 'same-origin',
  }

  test('S13 a Turbo form of a signed-out person gets a page that links to the sign-in and back', async () => {
    const headers = { ...TURBO, Referer: `${world.url}/cart?a=1` }
    const answer = await world.browser().visit(`${world.url}/order`, { method: 'POST', form: { a: '1' }, headers })
    expect([answer.status, answer.location, answer.cookies]).toEqual([401, '', []])
    expect(answer.headers.get('content-type')).toMatch(/^text\/html/)
    expect(answer.headers.get('cache-control')).toContain('no-store')
    expect(answer.text).toContain('what you sent was not kept')
    expect(buttonOf(answer).href).toBe(
      `${world.url}/auth/login?${new URLSearchParams({ return_to: `${world.url}/cart?a=1` })}`,
    )
  })

  test.each([
    ['Turbo', TURBO],
    ['jQuery', { ...TURBO, Accept: 'text/html, */*; q=0.01' }],
    ['a fetch that names a charset', { ...TURBO, Accept: 'text/html; charset=utf-8' }],
    ['a fetch with Accept in capitals', { ...TURBO, Accept: 'image/png, TEXT/HTML;Level=1;Q=0.4' }],
    ['a fetch that accepts HTML and JSON equally, HTML first', { ...TURBO, Accept: 'text/html, application/json' }],
  ])('S13 a page fetched by %s gets a page that asks to sign in', async (_name, headers) => {
    const answer = await world.browser().visit(`${world.url}/me?a=1`, { headers })
    expect([answer.status, answer.location]).toEqual([401, ''])
    expect(answer.text).toContain('Please sign in')
    expect(answer.text).not.toContain('turbo-visit-control')
    expect(buttonOf(answer).searchParams.get('return_to')).toBe(`${world.url}/me?a=1`)
  })

  test.each([
    ['HTML last', 'application/json, text/html'],
    ['HTML with a lower weight', 'application/json, text/html;q=0.5'],
    ['HTML with weight 0', 'text/html;q=0, */*'],
    ['any type', '*/*'],
    ['any text', 'text/*'],
  ])('S13 a script that prefers JSON gets JSON: %s', async (_name, accept) => {
    const answer = await world.browser().visit(`${world.url}/me`, { headers: { ...TURBO, Accept: accept } })
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  })

  test('S13 a fragment returns to the page it was on: htmx is redirected to the sign-in, a Turbo frame gets a page', async () => {
    const htmx = {
      'Sec-Fetch-Mode': 'cors',
      Accept: '*/*',
      'HX-Request': 'true',
      'HX-Current-URL': `${world.url}/list?p=2`,
    }
    const sent = await world.browser().visit(`${world.url}/me`, { headers: htmx })
    expect([sent.status, sent.headers.get('hx-redirect')]).toEqual([401, loginFor('/list?p=2')])
    const boosted = await world.browser().visit(`${world.url}/me`, { headers: { ...htmx, 'HX-Boosted': 'true' } })
    expect(boosted.headers.get('hx-redirect')).toBe(loginFor('/me'))
    const foreign = { ...htmx, 'HX-Current-URL': 'https://evil.example/' }
    const home = await world.browser().visit(`${world.url}/me`, { headers: foreign })
    expect(home.headers.get('hx-redirect')).toBe(loginFor('/'))
    const frame = { ...TURBO, 'Turbo-Frame': 'cart', Referer: `${world.url}/list?p=3` }
    const page = await world.browser().visit(`${world.url}/me`, { headers: frame })
    expect(page.text).toContain('<meta name="turbo-visit-control" content="reload">')
    expect(buttonOf(page).searchParams.get('return_to')).toBe(`${world.url}/list?p=3`)
  })

  test('S23 every 401 has a WWW-Authenticate scheme for which no browser opens a dialog', async () => {
    const cases: readonly (readonly [string, string, Record<string, string>])[] = [
      ['GET', '/me', { 'Sec-Fetch-Mode': 'cors', Accept: '*/*' }],
      ['GET', '/me', { 'Sec-Fetch-Mode': '', Accept: 'application/json' }],
      ['HEAD', '/me', { 'Sec-Fetch-Mode': '', Accept: '*/*' }],
      ['GET', '/me', TURBO],
      ['POST', '/order', TURBO],
      ['POST', '/order', { 'Sec-Fetch-Mode': 'cors', Accept: 'application/json' }],
    ]
    for (const [method, path, headers] of cases) {
      const answer = await world.browser().visit(world.url + path, { method, headers })
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
        401,
        `Ppoppo realm="${world.url}", login="${world.url}/auth/login"`,
      ])
    }
  })

  test('C41 an old browser without Fetch Metadata is recognised by Accept', async () => {
    const answer = await world.browser().visit(`${world.url}/me`, { headers: { 'Sec-Fetch-Mode': '' } })
    expect(answer.location).toBe(loginFor('/me'))
  })

  test.each([
    ['the page the form was on', () => `${world.url}/cart?a=1`, '/cart?a=1'],
    ['home if the form was on another site', () => 'https://e.example/cart', '/'],
    ['home without a Referer', () => '', '/'],
    ['home if the origin only starts like ours', () => `${world.url}.e.example/cart`, '/'],
  ])('C41 a form is redirected to the sign-in by 303, and then to %s', async (_name, referer, place) => {
    const visit = { method: 'POST', form: { a: '1' }, headers: { Referer: referer() } }
    const answer = await world.browser().visit(`${world.url}/order`, visit)
    expect([answer.status, answer.location]).toEqual([303, `${loginFor(place)}&after_form=1`])
    // Off-site only by a click: Chromium stops a form's answer from leading there under `form-action 'self'`.
    const between = await world.browser().visit(answer.location)
    expect([between.status, between.location, between.cookies]).toEqual([200, '', []])
    expect(between.text).toContain('what you sent was not kept')
    expect(between.text).toContain(`href="${world.url}/auth/login?return_to=`)
    expect(between.text).not.toContain('after_form')
  })

  test.each([
    '/me?q=%EA%B0%80%EB%82%98',
    '/me?q=%ea%b0%80',
    '/me?q=%EA%B0',
    '/me?q=%FF%FE%80',
    '/me?q=%F0%9F%98%80%26%23%252F',
    '/me?q=%E2%80%A8%C2%A0%EF%BB%BF%C2%AD%CC%81',
    '/me?q=%E3%80%80%E2%80%AE',
  ])('S17 the escapes in %s are preserved on the way back', async (path) => {
    const landed = await world.browser().go(world.url + path)
    expect([landed.status, landed.url]).toEqual([200, world.url + path])
  })

  test('S17 non-ASCII letters are not escaped twice on the way to login', async () => {
    const path = `/me?q=${encodeURIComponent('가'.repeat(230))}`
    expect((await world.browser().visit(world.url + path)).location).toBe(loginFor(decodeURIComponent(path)))
  })

  test('the option returnTo is used, and a foreign one becomes home', async () => {
    expect((await world.browser().visit(`${world.url}/fixed`)).location).toBe(loginFor('/page'))
    expect((await world.browser().visit(`${world.url}/foreign`)).location).toBe(loginFor('/'))
  })

  test('an unknown option is rejected at once', () => {
    expect(() => world.auth.requireSignIn({ return_to: '/x' } as object)).toThrow('return_to')
  })

  /** A browser that has just landed. */
  async function landed(): Promise<CookieBrowser> {
    const browser = world.browser()
    await browser.visit(await beginAttempt(world, browser))
    return browser
  }

  test('a session cookie that does not arrive gets the cookie_missing page, not a redirect loop', async () => {
    const browser = await landed()
    browser.jar.delete(COOKIES.session)
    const answer = await browser.visit(`${world.url}/me?kept`)
    expect([answer.status, answer.location]).toEqual([400, ''])
    expect(answer.text).toContain('Your browser did not keep the sign-in')
    expect(answer.headers.get('cache-control')).toContain('no-store')
    expect(buttonOf(answer).searchParams.get('return_to')).toBe(`${world.url}/me?kept`)
    const api = await browser.visit(`${world.url}/me`, { headers: { Accept: 'application/json' } })
    expect(api.status).toBe(401)
    browser.jar.delete(COOKIES.landed) // ten seconds later
    expect((await browser.visit(`${world.url}/me`)).status).toBe(302)
  })

  test('within ten seconds of a sign-in, a sign-out causes no cookie_missing page', async () => {
    const browser = await landed()
    await browser.visit(`${world.url}/auth/logout`, { method: 'POST', headers: { Origin: world.url } })
    expect((await browser.visit(`${world.url}/me`)).location).toBe(loginFor('/me'))
  })

  test('within ten seconds of a sign-in, ending it elsewhere causes no cookie_missing page', async () => {
    const [browser, other] = [await landed(), await landed()]
    await other.visit(`${world.url}/auth/logout`, {
      method: 'POST',
      form: { everywhere: '1' },
      headers: { Origin: world.url },
    })
    expect((await browser.visit(`${world.url}/me`)).location).toBe(loginFor('/me'))
  })

  test('within ten seconds of a sign-in, a session lost by the store causes no cookie_missing page', async () => {
    const browser = await landed()
    browser.jar.set(COOKIES.session, 's%3Aforgotten.signature')
    expect((await browser.visit(`${world.url}/me`)).location).toBe(loginFor('/me'))
  })
})
