import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { isSignedIn } from '../support/attempts.js'
import { startWorld, type World } from '../support/world.js'

const SPA = 'https://spa.app.example'
const SAME_SITE = { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty', Accept: '*/*' }
const CORS = ['access-control-allow-origin', 'access-control-allow-credentials']

let world: World
beforeAll(async () => {
  world = await startWorld({ options: { trustedOrigins: [SPA] } })
})
afterAll(() => world.close())

const corsOf = (headers: Headers): (string | null)[] => CORS.map((name) => headers.get(name))

test('a script of a trusted origin may read the session and sign out', async () => {
  const browser = await world.signedIn()
  const headers = { ...SAME_SITE, Origin: SPA }
  const session = await browser.visit(`${world.url}/auth/session`, { headers })
  expect([JSON.parse(session.text).signedIn, ...corsOf(session.headers)]).toEqual([true, SPA, 'true'])
  const out = await browser.visit(`${world.url}/auth/logout`, { method: 'POST', headers })
  expect([out.status, JSON.parse(out.text), ...corsOf(out.headers)]).toEqual([200, { signedOut: true }, SPA, 'true'])
  for (const answer of [session, out]) expect(answer.headers.get('vary')).toMatch(/\bOrigin\b/)
  expect(await isSignedIn(world, browser)).toBe(false)
})

test('a script of a trusted origin can read error responses, too', async () => {
  const browser = await world.signedIn()
  const headers = { ...SAME_SITE, Origin: SPA, 'Content-Type': 'text/plain' }
  const answer = await browser.visit(`${world.url}/auth/logout`, { method: 'POST', headers, form: { everywhere: '1' } })
  expect([answer.status, ...corsOf(answer.headers)]).toEqual([415, SPA, 'true'])
})

test.each([
  ['/auth/logout', 'POST'],
  ['/auth/session', 'GET'],
])('a trusted origin’s preflight of %s is answered, with any header', async (path, method) => {
  const headers = {
    Origin: SPA,
    'Access-Control-Request-Method': method,
    'Access-Control-Request-Headers': 'content-type,traceparent',
  }
  const answer = await world.browser().visit(world.url + path, { method: 'OPTIONS', headers })
  expect([answer.status, ...corsOf(answer.headers)]).toEqual([204, SPA, 'true'])
  expect(answer.headers.get('access-control-allow-methods')).toBe(method)
  expect(answer.headers.get('access-control-allow-headers')).toBe('content-type,traceparent')
})

test.each(['https://other.app.example', `${SPA}.evil.example`, 'http://spa.app.example', `${SPA}:8443`, 'null'])(
  'an origin that is not listed is rejected, and can read nothing: %s',
  async (origin) => {
    const browser = await world.signedIn()
    const headers = { ...SAME_SITE, Origin: origin }
    for (const [path, method] of [
      ['/auth/logout', 'POST'],
      ['/auth/logout', 'OPTIONS'],
      ['/auth/session', 'GET'],
    ] as const) {
      const asked = method === 'OPTIONS' ? { ...headers, 'Access-Control-Request-Method': 'POST' } : headers
      const answer = await browser.visit(world.url + path, { method, headers: asked })
      expect([path, method, ...corsOf(answer.headers)]).toEqual([path, method, null, null])
      expect(answer.status === 200).toBe(method === 'GET')
    }
    expect(await isSignedIn(world, browser)).toBe(true)
  },
)

test.each([
  ['https://evil.example/page', 403],
  ['https://spa.app.example.evil.example/', 403],
  ['//evil.example/page', 403],
  ['about:blank', 403],
  [`${SPA}/page`, 200],
  ['ours', 200],
])('C30 a sign-out with only a Referer: %s gets %i', async (referer, status) => {
  const browser = await world.signedIn()
  const headers = { Accept: '*/*', Referer: referer === 'ours' ? `${world.url}/me` : referer }
  const answer = await browser.visit(`${world.url}/auth/logout`, { method: 'POST', headers })
  expect([answer.status, await isSignedIn(world, browser)]).toEqual([status, status === 403])
})
