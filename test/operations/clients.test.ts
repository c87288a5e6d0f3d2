import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startWorld, type World } from '../support/world.js'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

/** `''`: the header is not sent. */
const HTML = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
const CASES: readonly (readonly [string, Readonly<Record<string, string>>, 'redirect' | 'page' | '401'])[] = [
  ['a navigation', { 'Sec-Fetch-Mode': 'navigate', Accept: HTML }, 'redirect'],
  ['an old browser without Sec-Fetch', { 'Sec-Fetch-Mode': '', Accept: HTML }, 'redirect'],
  // It names HTML, so somebody is to read it (S13); it cannot follow to another site.
  ['fetch() that accepts HTML', { 'Sec-Fetch-Mode': 'cors', Accept: HTML }, 'page'],
  ['fetch() of the own origin', { 'Sec-Fetch-Mode': 'same-origin', Accept: '*/*' }, '401'],
  ['an image', { 'Sec-Fetch-Mode': 'no-cors', Accept: 'image/avif,image/webp' }, '401'],
  ['curl', { 'Sec-Fetch-Mode': '', Accept: '*/*' }, '401'],
  ['a client of an API', { 'Sec-Fetch-Mode': '', Accept: 'application/json' }, '401'],
  ['no Accept at all', { 'Sec-Fetch-Mode': '', Accept: '' }, '401'],
]

describe('C41 who gets a redirect', () => {
  test.each(CASES)('C41 %s', async (_, headers, expected) => {
    const answer = await world.browser().visit(`${world.url}/page?x=1`, { headers })
    expect(answer.headers.get('cache-control')).toContain('no-store')
    if (expected === 'redirect') {
      expect([answer.status, answer.location]).toEqual([302, `${world.url}/auth/login?return_to=%2Fpage%3Fx%3D1`])
      return
    }
    expect(answer.status).toBe(401)
    if (expected === 'page') {
      expect([answer.headers.get('content-type'), answer.cookies]).toEqual(['text/html; charset=utf-8', []])
      return
    }
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
    expect(JSON.parse(answer.text)).toMatchObject({ status: 401, code: 'signed_out' })
    expect(answer.cookies).toEqual([])
  })

  test.each(CASES)('C41 signed in, %s gets the page', async (_, headers) => {
    const browser = await world.signedIn()
    expect((await browser.visit(`${world.url}/page`, { headers })).status).toBe(200)
  })
})
