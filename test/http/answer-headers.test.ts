import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Answer, Visit } from '../support/cookie-browser.js'
import { startWorld, type World } from '../support/world.js'

const API = { Accept: 'application/json', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Site': 'same-origin' }
const SAME_ORIGIN = { 'Sec-Fetch-Site': 'same-origin' }

let world: World
beforeAll(async () => {
  world = await startWorld({ options: { rateLimit: false } })
})
afterAll(() => world.close())

/** Every kind of answer the library gives by itself: what is asked, the status and the content type. */
const ANSWERS: readonly (readonly [string, string, Visit, number, RegExp])[] = [
  ['nobody signed in', '/auth/session', { headers: API }, 200, /^application\/json/],
  ['another method', '/auth/session', { method: 'POST', headers: API }, 405, /^$/],
  ['a guard, for a script', '/me', { headers: API }, 401, /^application\/problem\+json/],
  ['a guard, for Turbo', '/me', { headers: { ...API, Accept: 'text/html' } }, 401, /^text\/html/],
  ['a guard, for a browser', '/me', {}, 302, /^text\/html/],
  ['login', '/auth/login', {}, 302, /^text\/html/],
  ['login under another host', '/auth/login', { headers: { Host: '127.0.0.1' } }, 302, /^text\/html/],
  ['login, prefetched', '/auth/login', { headers: { 'Sec-Purpose': 'prefetch' } }, 503, /^$/],
  ['a callback of nobody', '/auth/callback?state=a&code=b', {}, 400, /^text\/html/],
  ['sign-out, asked', '/auth/logout', {}, 200, /^text\/html/],
  ['sign-out', '/auth/logout', { method: 'POST', headers: SAME_ORIGIN }, 303, /^text\/html/],
  ['sign-out by a script', '/auth/logout', { method: 'POST', headers: API }, 200, /^application\/json/],
  [
    'sign-out by another site',
    '/auth/logout',
    { method: 'POST', headers: { ...API, 'Sec-Fetch-Site': 'cross-site' } },
    403,
    /^application\/problem\+json/,
  ],
]

describe('what every answer of the library carries', () => {
  const head = ({ status, headers }: Answer): readonly (string | number | null)[] => [
    status,
    headers.get('x-content-type-options'),
    headers.get('cross-origin-resource-policy'),
  ]

  test.each(ANSWERS)('A19 %s: nosniff and CORP', async (_name, path, visit, status, type) => {
    const answer = await world.browser().visit(world.url + path, visit)
    expect(head(answer)).toEqual([status, 'nosniff', 'same-origin'])
    expect(answer.headers.get('content-type') ?? '').toMatch(type)
  })

  test('A19 signed in, the JSON of /session and its sign-out', async () => {
    const browser = await world.signedIn()
    const session = await browser.visit(`${world.url}/auth/session`, { headers: API })
    expect([...head(session), JSON.parse(session.text).signedIn]).toEqual([200, 'nosniff', 'same-origin', true])
    const out = await browser.visit(`${world.url}/auth/logout`, { method: 'POST', headers: API })
    expect([...head(out), out.text]).toEqual([200, 'nosniff', 'same-origin', '{"signedOut":true}'])
  })

  test.each(['/auth/button.js', '/auth/button.css', '/auth/button'])('A19 %s is for other sites, too', async (path) => {
    expect(head(await world.browser().visit(world.url + path))).toEqual([200, 'nosniff', 'cross-origin'])
  })

  test('A19 the app’s own answers, guarded or not, stay as the app made them', async () => {
    const browser = await world.signedIn()
    for (const path of ['/', '/page', '/me', '/auth/other'])
      expect(head(await browser.visit(world.url + path)).slice(1)).toEqual(
        path === '/auth/other' ? ['nosniff', null] : [null, null],
      )
  })
})
