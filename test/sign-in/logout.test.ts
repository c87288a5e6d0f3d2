import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { isSignedIn } from '../support/attempts.js'
import { timed } from '../support/clock.js'
import { describeWithOwnRedis, startRedis } from '../support/redis.js'
import { describeOnStores } from '../support/stores.js'
import { until } from '../support/until.js'
import { startWorld, type World } from '../support/world.js'

const SAME_ORIGIN = { 'Sec-Fetch-Site': 'same-origin' }

describe('C30 origin of a sign-out', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  test('C30 GET asks for confirmation; GET, HEAD, OPTIONS and other methods change nothing', async () => {
    const browser = await world.signedIn()
    const before = [...browser.jar]
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH']) {
      const answer = await browser.visit(`${world.url}/auth/logout?everywhere=1`, { method, headers: SAME_ORIGIN })
      expect([method, answer.status, answer.cookies]).toEqual([method, answer.status < 300 ? answer.status : 405, []])
    }
    expect((await browser.visit(`${world.url}/auth/logout`)).text).toMatch(/<form[^>]+method="post"/i)
    expect([...browser.jar]).toEqual(before)
    expect(await isSignedIn(world, browser)).toBe(true)
  })

  test.each([
    ['Sec-Fetch-Site cross-site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['Sec-Fetch-Site same-site', { 'Sec-Fetch-Site': 'same-site' }],
    ['Sec-Fetch-Site nonsense', { 'Sec-Fetch-Site': 'same-origin, cross-site' }],
    ['cross-site with our Origin', { 'Sec-Fetch-Site': 'cross-site', Origin: 'ours' }],
    ['another Origin', { Origin: 'https://evil.example' }],
    ['Origin null', { Origin: 'null' }],
    ['our host on another port', { Origin: 'http://localhost:1' }],
    ['our Origin by https', { Origin: 'https' }],
    ['our Origin as a prefix', { Origin: 'prefix' }],
  ])('C30 a POST from another origin is rejected: %s', async (_name, given: Record<string, string>) => {
    const made: Record<string, string> = {
      ours: world.url,
      https: world.url.replace('http:', 'https:'),
      prefix: `${world.url}.evil.example`,
    }
    const origin = given['Origin']
    const headers = { ...given, ...(origin === undefined ? {} : { Origin: made[origin] ?? origin }) }
    const browser = await world.signedIn()
    const page = await browser.visit(`${world.url}/auth/logout?everywhere=1`, { method: 'POST', headers })
    const api = await browser.visit(`${world.url}/auth/logout`, {
      method: 'POST',
      headers: { ...headers, Accept: '*/*' },
    })
    expect([page.status, page.cookies, api.status, api.cookies]).toEqual([403, [], 403, []])
    expect(api.headers.get('content-type')).toMatch(/application\/problem\+json/)
    expect(await isSignedIn(world, browser)).toBe(true)
  })

  test.each([
    ['same-origin', { 'Sec-Fetch-Site': 'same-origin' }],
    ['Sec-Fetch-Site none', { 'Sec-Fetch-Site': 'none' }],
    ['our Origin', { Origin: 'ours' }],
    ['no browser', {}],
  ])('C30 a POST from our own origin is accepted: %s', async (_name, given: Record<string, string>) => {
    const headers = 'Origin' in given ? { Origin: world.url } : given
    const browser = await world.signedIn()
    const answer = await browser.visit(`${world.url}/auth/logout`, { method: 'POST', headers })
    expect([answer.status, answer.location]).toEqual([303, `${world.url}/`])
    expect(await isSignedIn(world, browser)).toBe(false)
  })

  test('C31 guarded pages and refusals are not cached, and are not shown after sign-out', async () => {
    const browser = await world.signedIn()
    for (const path of ['/page', '/me', '/userinfo']) {
      const answer = await browser.visit(`${world.url}${path}`)
      expect([path, answer.headers.get('cache-control')]).toEqual([path, 'private, no-store'])
    }
    const out = await browser.visit(`${world.url}/auth/logout`, { method: 'POST', headers: SAME_ORIGIN })
    expect(out.headers.get('cache-control')).toBe('no-store')
    const back = await browser.visit(`${world.url}/page`)
    expect([back.status, back.text.includes('7770')]).toEqual([302, false])
    expect(back.headers.get('cache-control')).toMatch(/no-store/)
  })

  test('C30 a sign-out answers JSON to an API client and redirects a person to return_to on the site, also if nobody is signed in', async () => {
    const out = async (query: string, accept?: string) => {
      const browser = await world.signedIn()
      const headers = { ...SAME_ORIGIN, ...(accept ? { Accept: accept, 'Sec-Fetch-Mode': 'cors' } : {}) }
      return browser.visit(`${world.url}/auth/logout${query}`, { method: 'POST', headers })
    }
    const json = await out('?return_to=/bye', 'application/json')
    expect([json.status, JSON.parse(json.text)]).toEqual([200, { signedOut: true }])
    expect((await out('?return_to=/bye%3Fa=1')).location).toBe(`${world.url}/bye?a=1`)
    for (const evil of ['https://evil.example/', '//evil.example', '/.//evil.example', 'javascript:alert(1)'])
      expect([evil, (await out(`?return_to=${encodeURIComponent(evil)}`)).location]).toEqual([evil, `${world.url}/`])
    const nobody = world.browser()
    const basket = await nobody.visit(`${world.url}/basket?add=apple`)
    expect(basket.cookies).toHaveLength(1)
    const idle = await nobody.visit(`${world.url}/auth/logout`, { method: 'POST', headers: SAME_ORIGIN })
    expect([idle.status, idle.cookies]).toEqual([303, []])
    expect(JSON.parse((await nobody.visit(`${world.url}/basket`)).text).basket).toEqual(['apple'])
  })

  test('C29 everywhere=1 as form field, query or JSON signs out everywhere; 0 and false only this browser', async () => {
    for (const [send, isEverywhere] of [
      [{ form: { everywhere: '1' } }, true],
      [{ form: { everywhere: '0' } }, false],
      [{ form: { everywhere: '' } }, false],
    ] as const) {
      const [one, two] = [await world.signedIn(), await world.signedIn()]
      await one.visit(`${world.url}/auth/logout`, { method: 'POST', headers: SAME_ORIGIN, ...send })
      expect([await isSignedIn(world, one), await isSignedIn(world, two)]).toEqual([false, !isEverywhere])
    }
  })
})

describeOnStores('sign-out and PAS', (storage) => {
  test('C28 if PAS announces revocation, the refresh token is revoked; a PAS that fails or hangs does not prevent the sign-out', async () => {
    const world = await startWorld({ options: storage.options(), sandbox: { announceRevocation: true } })
    try {
      const out = async () => {
        const browser = await world.signedIn()
        const { result, tookMs } = await timed(() =>
          browser.visit(`${world.url}/auth/logout`, { method: 'POST', headers: SAME_ORIGIN }),
        )
        expect([result.status, await isSignedIn(world, browser)]).toEqual([303, false])
        return tookMs
      }
      const before = world.sandbox.control.counters.revocation
      await out()
      await until(() => world.sandbox.control.counters.revocation - before === 1)
      expect(world.events.filter((event) => event.type === 'revocation_failed')).toEqual([])
      world.sandbox.control.inject({
        endpoint: 'revocation',
        fault: { kind: 'status', status: 500 },
        times: 'until-cleared',
      })
      await out()
      world.sandbox.control.clearFaults()
      world.sandbox.control.inject({ endpoint: 'revocation', fault: { kind: 'hang' }, times: 'until-cleared' })
      expect(await out()).toBeLessThan(6_000)
      expect(world.events.filter((event) => event.type === 'revocation_failed')).toHaveLength(2)
    } finally {
      await world.close()
    }
  })

  test('C24 if PAS announces an end_session_endpoint, a page redirects there without a token in the URL', async () => {
    const world = await startWorld({ options: storage.options(), sandbox: { announceEndSession: true } })
    try {
      const browser = await world.signedIn()
      const page = await browser.visit(`${world.url}/auth/logout?return_to=/bye`, {
        method: 'POST',
        headers: SAME_ORIGIN,
      })
      expect([page.status, await isSignedIn(world, browser)]).toEqual([200, false])
      expect(page.text).toContain(`${world.sandbox.issuer}/oauth/logout`)
      expect(page.text).not.toMatch(/id_token_hint/)
      for (const { value } of world.sandbox.control.issuedTokens) expect(page.text).not.toContain(value)
    } finally {
      await world.close()
    }
  })
})

describeWithOwnRedis('sign-out while the store is down', () => {
  test('C37 a person and an API client get 503 "still signed in", and still are once Redis is back', async () => {
    const redis = await startRedis()
    const world = await startWorld({ options: { redis: redis.url } })
    try {
      const browser = await world.signedIn()
      const before = [...browser.jar]
      redis.pause()
      for (const accept of ['text/html', 'application/json']) {
        const { result, tookMs } = await timed(() =>
          browser.visit(`${world.url}/auth/logout`, { method: 'POST', headers: { ...SAME_ORIGIN, Accept: accept } }),
        )
        expect([result.status, result.cookies]).toEqual([503, []])
        expect(result.text).toMatch(/still signed in/i)
        expect(result.headers.get('retry-after')).toMatch(/^\d+$/)
        expect(tookMs).toBeLessThan(2_500)
      }
      redis.resume()
      expect([...browser.jar]).toEqual(before)
      await until(() => isSignedIn(world, browser), 'the person is signed in')
    } finally {
      redis.resume()
      await world.close()
      await redis.stop()
    }
  })
})
