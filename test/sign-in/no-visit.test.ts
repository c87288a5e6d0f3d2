import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { PpoppoOptions } from '../../src/index.js'
import { beginAttempt, buttonOf, OWN_FETCH } from '../support/attempts.js'
import { nextOf } from '../support/cookie-browser.js'
import { describeOnStores } from '../support/stores.js'
import { startWorld, type World } from '../support/world.js'

const HTML = { Accept: 'text/html, application/xhtml+xml' }
const ANY = { Accept: '*/*' }
const HTMX = { 'HX-Request': 'true' }
/** As a browser opens a frame. */
const FRAME = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' }
/** Fetch Metadata of a browser that knows none. */
const SILENT = { 'Sec-Fetch-Mode': '', 'Sec-Fetch-Dest': '' }

/** Scripts of our own pages, and what each is answered with. */
const SCRIPTS: readonly (readonly [string, Readonly<Record<string, string>>, 'problem' | 'page' | 'htmx'])[] = [
  ['a fetch', { ...OWN_FETCH, ...ANY }, 'problem'],
  ['a fetch of JSON', { ...OWN_FETCH, Accept: 'application/json' }, 'problem'],
  ['a fetch in mode same-origin', { ...OWN_FETCH, 'Sec-Fetch-Mode': 'same-origin', ...ANY }, 'problem'],
  ['an image of our own', { ...OWN_FETCH, 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image', ...ANY }, 'problem'],
  ['an extension', { ...OWN_FETCH, 'Sec-Fetch-Site': 'none', ...ANY }, 'problem'],
  ['an XMLHttpRequest', { ...SILENT, ...ANY, 'X-Requested-With': 'XMLHttpRequest' }, 'problem'],
  ['a program that asks for JSON', { ...SILENT, Accept: 'application/json' }, 'problem'],
  ['axios in an old Safari', { ...SILENT, Accept: 'application/json, text/plain, */*' }, 'problem'],
  ['Turbo', { ...OWN_FETCH, ...HTML, 'X-Turbo-Request-Id': 'a' }, 'page'],
  ['Turbo in a frame of its own', { ...OWN_FETCH, ...HTML, 'Turbo-Frame': 'main' }, 'page'],
  ['Turbo in an old Safari', { ...SILENT, ...HTML, 'X-Turbo-Request-Id': 'a' }, 'page'],
  ['htmx', { ...OWN_FETCH, ...HTMX, ...ANY }, 'htmx'],
  ['htmx, boosted', { ...OWN_FETCH, ...HTMX, 'HX-Boosted': 'true', ...HTML }, 'htmx'],
  ['htmx in an old Safari', { ...SILENT, ...HTMX, ...ANY }, 'htmx'],
]

const FOREIGN_FRAMES: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['of another site', { ...FRAME, 'Sec-Fetch-Site': 'cross-site' }],
  ['of a sister domain', { ...FRAME, 'Sec-Fetch-Site': 'same-site' }],
  ['that a person clicked in', { ...FRAME, 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-User': '?1' }],
  ['of another site, as object', { ...FRAME, 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'object' }],
  ['of another site, as embed', { ...FRAME, 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'embed' }],
  ['of our own in another site', { ...FRAME, 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Storage-Access': 'none' }],
]

describeOnStores('who is no visitor begins no sign-in', (storage) => {
  let world: World
  let options: PpoppoOptions
  beforeAll(async () => {
    options = storage.options()
    world = await startWorld({ options })
    await world.signedIn()
  })
  afterAll(() => world.close())

  test.each(SCRIPTS)('C05 login by %s says where to navigate, and starts no attempt', async (_who, headers, kind) => {
    const browser = world.browser()
    const stored = await storage.contents(options)
    const answer = await browser.visit(`${world.url}/auth/login?return_to=/me%3Fa%3D1`, { headers })
    expect(answer.headers.get('cache-control')).toContain('no-store')
    expect([answer.cookies, answer.location]).toEqual([[], ''])
    expect(await storage.contents(options)).toEqual(stored)

    const loginUrl = `${world.url}/auth/login?return_to=${encodeURIComponent('/me?a=1')}`
    if (kind === 'problem') {
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        400,
        'application/problem+json; charset=utf-8',
      ])
      expect(JSON.parse(answer.text)).toMatchObject({ status: 400, code: 'navigation_required', loginUrl })
    } else if (kind === 'htmx') {
      expect([answer.status, answer.text, answer.headers.get('hx-redirect')]).toEqual([204, '', loginUrl])
    } else {
      expect([answer.status, buttonOf(answer).href, nextOf(answer)]).toEqual([200, loginUrl, loginUrl])
      expect(answer.text).toContain('<meta name="turbo-visit-control" content="reload">')
      expect(answer.text).toContain('target="_top"')
    }
    expect((await browser.go(loginUrl)).url).toBe(`${world.url}/me?a=1`)
  })

  test('C05 a login form sent by Turbo is redirected to that page with return_to', async () => {
    const browser = world.browser()
    const headers = { ...OWN_FETCH, ...HTML }
    const form = { return_to: '/me?b' }
    const sent = await browser.visit(`${world.url}/auth/login`, { method: 'POST', headers, form })
    expect([sent.status, sent.cookies]).toEqual([303, []])
    const page = await browser.visit(sent.location, { headers })
    expect([page.status, page.cookies]).toEqual([200, []])
    expect((await browser.go(buttonOf(page).href)).url).toBe(`${world.url}/me?b`)
  })

  test.each(FOREIGN_FRAMES)(
    'C05 a frame %s gets a page that may be framed, with a link to a new tab',
    async (_whose, headers) => {
      const browser = world.browser()
      const stored = await storage.contents(options)
      for (const path of ['/auth/login?return_to=/me', '/auth/callback?code=a&state=b']) {
        const answer = await browser.visit(world.url + path, { headers })
        expect([answer.status, answer.cookies, nextOf(answer)]).toEqual([200, [], ''])
        expect(answer.headers.get('content-security-policy')).toContain('frame-ancestors *')
        expect(answer.headers.get('x-frame-options')).toBeNull()
        expect(answer.headers.get('cross-origin-resource-policy')).toBe('cross-origin')
        expect(answer.text).not.toMatch(/<form|<script|<button/)
        expect(answer.text).toMatch(
          /<a class="button" rel="noopener nofollow" target="_blank" href="[^"]+\/auth\/login/,
        )
      }
      expect(await storage.contents(options)).toEqual(stored)
    },
  )

  test('C05 our own frame and a frame in our own page start a sign-in', async () => {
    for (const site of ['same-origin', 'none']) {
      const headers = { ...FRAME, 'Sec-Fetch-Site': site }
      const answer = await world.browser().visit(`${world.url}/auth/login`, { headers })
      expect([site, answer.status, answer.cookies.length]).toEqual([site, 302, 1])
    }
  })

  test('C05 a client that is not a browser, such as Node’s fetch, is redirected to PAS', async () => {
    const plain = await world.browser().visit(`${world.url}/auth/login`, { headers: { ...SILENT, ...ANY } })
    const node = await fetch(`${world.url}/auth/login`, { redirect: 'manual' })
    expect([plain.status, node.status]).toEqual([302, 302])
  })
})

describe('login requests that are not a navigation', () => {
  test('C43 they drop no open attempt and do not count towards the rate limit', async () => {
    const world = await startWorld({ options: { rateLimit: { loginPerMinute: 10 } } })
    try {
      const browser = world.browser()
      const callbacks: string[] = []
      for (let tab = 0; tab < 10; tab += 1) callbacks.push(await beginAttempt(world, browser, `/me?tab=${tab}`))
      const requests = [...SCRIPTS, ...FOREIGN_FRAMES].map(([, headers]) => headers)
      for (const headers of [...requests, { 'X-Sec-Purpose': 'prefetch' }]) {
        const answer = await browser.visit(`${world.url}/auth/login`, { headers })
        expect([answer.status === 429, answer.cookies]).toEqual([false, []])
      }
      for (const [tab, callback] of callbacks.entries()) {
        expect((await browser.go(callback)).url).toBe(`${world.url}/me?tab=${tab}`)
      }
    } finally {
      await world.close()
    }
  })
})
