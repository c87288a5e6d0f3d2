import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { PpoppoOptions } from '../../src/index.js'
import { beginAttempt, isSignedIn } from '../support/attempts.js'
import { describeOnStores } from '../support/stores.js'
import { COOKIES, startWorld, type World } from '../support/world.js'

const RANDOM_CALLBACKS = 1_000

/** The same callback, made wrong: what stands in for the query. `s` and `c` are a state and code that would do. */
const MALFORMED: readonly (readonly [string, (s: string, c: string) => string])[] = [
  ['nothing', () => ''],
  ['no code', (s) => `?state=${s}`],
  ['no state', (_s, c) => `?code=${c}`],
  ['an empty code', (s) => `?state=${s}&code=`],
  ['an empty state', (_s, c) => `?state=&code=${c}`],
  ['names without values', () => '?state&code'],
  ['two states', (s, c) => `?state=${s}&state=${s}&code=${c}`],
  ['two codes', (s, c) => `?state=${s}&code=${c}&code=${c}`],
  ['two errors', (s) => `?state=${s}&error=a&error=b`],
  ['a code and an error', (s, c) => `?state=${s}&code=${c}&error=access_denied`],
  ['arrays', (s, c) => `?state[]=${s}&code[]=${c}`],
  ['objects', (s, c) => `?state[a]=${s}&code[a]=${c}`],
  ['an array in addition to a string', (s, c) => `?state=${s}&state[]=${s}&code[]=${c}`],
  [
    'a state in other letters',
    (s, c) => `?state=${s.toLowerCase() === s ? s.toUpperCase() : s.toLowerCase()}&code=${c}`,
  ],
  ['a truncated state', (s, c) => `?state=${s.slice(1)}&code=${c}`],
  ['a state with a trailing NUL', (s, c) => `?state=${s}%00&code=${c}`],
  ['a state with a leading space', (s, c) => `?state=%20${s}&code=${c}`],
  ['binary data', () => '?state=%00%01%ff%fe&code=%80%81'],
  ['broken escapes', (s, c) => `?state=%&code=${c}%zz&x=${s}`],
  ['prototype keys', (_s, c) => `?__proto__[state]=x&constructor=1&code=${c}`],
  ['__proto__ as the state', (_s, c) => `?state=__proto__&code=${c}`],
  ['4 KB of state', (_s, c) => `?state=${'s'.repeat(4_000)}&code=${c}`],
  ['12 KB of code', (s) => `?state=${s}&code=${'c'.repeat(12_000)}`],
  ['12 KB of something else', (s, c) => `?state=${s}&code=${c}&x=${'y'.repeat(12_000)}`],
  ['a thousand parameters', (_s, c) => `?code=${c}${'&a=b'.repeat(1_000)}`],
  ['semicolons as separators', (s, c) => `?state=${s};code=${c}`],
]

/**
 * The same app on a server that takes longer headers than Node's 16 KB. Node itself refuses 64 KB of URL with a reset,
 * from version 24 on often before the client has read the 431, so what the app does with them is only seen here.
 */
async function listenWithRoom({ app }: World): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer({ maxHeaderSize: 128 * 1024 }, app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://localhost:${(server.address() as AddressInfo).port}`, server }
}

describeOnStores('callbacks that are none', (storage) => {
  let world: World
  let options: PpoppoOptions
  beforeAll(async () => {
    options = { ...storage.options(), rateLimit: false }
    world = await startWorld({ options })
    await world.signedIn()
  })
  afterAll(() => world.close())

  test('C21 malformed parameters get a 400 page, sign nobody in and consume no attempt', async () => {
    const browser = world.browser()
    const url = new URL(await beginAttempt(world, browser))
    const [state, code] = [url.searchParams.get('state') ?? '', url.searchParams.get('code') ?? '']
    const stored = await storage.contents(options)
    const before = world.sandbox.control.counters.token
    for (const [name, query] of MALFORMED) {
      const answer = await browser.visit(`${world.url}/auth/callback${query(state, code)}`)
      expect([name, answer.status, answer.cookies]).toEqual([name, 400, []])
    }
    const roomy = await listenWithRoom(world)
    const tooLong = await browser.visit(`${roomy.url}/auth/callback?state=${state}&code=${'c'.repeat(64 * 1024)}`)
    roomy.server.close()
    expect([tooLong.status, tooLong.cookies]).toEqual([400, []])
    expect(world.sandbox.control.counters.token).toBe(before)
    expect(await storage.contents(options)).toEqual(stored)
    expect(await isSignedIn(world, browser)).toBe(false)
    expect((await browser.go(url.href)).status).toBe(200)
  })

  test('C21 the app’s query parser setting does not affect the callback', async () => {
    world.app.set('query parser', () => ({ state: ['a'], code: { b: 'c' } }))
    const browser = world.browser()
    expect((await browser.go(await beginAttempt(world, browser))).status).toBe(200)
    world.app.set('query parser', 'simple')
  })

  test.each(['POST', 'PUT', 'DELETE', 'PATCH'])('C21 %s on the callback is answered with 405', async (method) => {
    const answer = await world.browser().visit(`${world.url}/auth/callback?state=a&code=b`, { method })
    expect([answer.status, answer.headers.get('allow'), answer.cookies]).toEqual([405, 'GET', []])
  })

  test(`C21 ${RANDOM_CALLBACKS} random callbacks create no sign-in`, async () => {
    const stored = await storage.contents(options)
    const before = { ...world.sandbox.control.counters }
    const statuses = new Set<number>()
    async function attack(): Promise<void> {
      for (let count = 0; count < RANDOM_CALLBACKS / 10; count += 1) {
        const state = randomBytes(32).toString('base64url')
        const code = randomBytes(count % 64).toString(count % 2 === 0 ? 'base64url' : 'latin1')
        const query = new URLSearchParams([
          [count % 3 === 0 ? 'error' : 'code', code],
          ['state', count % 5 === 0 ? randomBytes(32).toString('latin1') : state],
        ])
        const cookie = `${COOKIES.attempts}${randomBytes(12).toString('base64url')}=${Date.now().toString(36)}.${randomBytes(16).toString('base64url')}; ${COOKIES.session}=s%3A${state}.x`
        const answer = await fetch(`${world.url}/auth/callback?${query}`, { headers: { cookie }, redirect: 'manual' })
        await answer.arrayBuffer()
        statuses.add(answer.status)
        expect(answer.headers.getSetCookie()).toEqual([])
      }
    }
    await Promise.all(Array.from({ length: 10 }, attack))
    expect([...statuses]).toEqual([400])
    expect(world.sandbox.control.counters).toEqual(before)
    expect(await storage.contents(options)).toEqual(stored)
    await world.signedIn()
  })
})
