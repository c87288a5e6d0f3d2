import { afterEach, expect, test } from '@jest/globals'
import type { Express } from 'express'
import { isSignedIn } from '../support/attempts.js'
import { type Clock, createClock, DAY, HOUR, MINUTE } from '../support/clock.js'
import type { Answer } from '../support/cookie-browser.js'
import { describeOnStores, type TestStorage } from '../support/stores.js'
import { startWorld, type World, type WorldOptions } from '../support/world.js'

const ours = ({ cookies }: Answer): readonly string[] =>
  cookies.filter((line) => /^(__Host-)?ppoppo(-[\w-]{8})?=/.test(line))

/** How long the browser keeps the cookie of a `Set-Cookie` line; `undefined`: until it is closed. */
function lifeOf(line: string | undefined): number | undefined {
  const [, expires] = /; Expires=([^;]+)/.exec(line ?? '') ?? []
  return expires === undefined ? undefined : Date.parse(expires) - Date.now()
}

function routes(app: Express): void {
  app.post('/cookie', (req, res) => {
    const { cookie } = req.session
    const { maxAge, inMs, sameSite } = req.query
    if (maxAge !== undefined) Reflect.set(cookie, 'maxAge', JSON.parse(String(maxAge)))
    if (inMs !== undefined) cookie.expires = new Date(Date.now() + Number(inMs))
    if (req.query['never']) Reflect.set(cookie, 'expires', false)
    if (sameSite) cookie.sameSite = 'strict'
    if (req.query['static']) res.set('Cache-Control', 'public, max-age=60')
    res.send('set')
  })
  app.get('/keys', (req, res) => {
    const all = [...Reflect.ownKeys(req.session).map(String), ...Object.keys(req.session.cookie)]
    const inLoop: string[] = []
    for (const key in req.session) inLoop.push(key)
    res.json({ keys: Object.keys(req.session), inLoop, all, text: JSON.stringify(req.session) })
  })
}

let world: World
let clock: Clock
afterEach(() => world.close())

async function start(storage: TestStorage, more: WorldOptions = {}): Promise<void> {
  clock = createClock()
  const options = { ...storage.options(), session: { idleMs: 30 * DAY } }
  const sandbox = { accessTokenTtlSeconds: 100 * 24 * 3600 }
  world = await startWorld({ options, runtime: clock.runtime, sandbox, routes, ...more })
}

describeOnStores('a session cookie that the app configures itself', (storage) => {
  test.each([
    ['maxAge=3600000', HOUR],
    [`maxAge=${7 * DAY}`, 7 * DAY],
    [`inMs=${2 * HOUR}`, 2 * HOUR],
    ['maxAge=null', undefined],
    ['never=1', undefined],
  ])('in a known session, %s reaches the browser at once, and once', async (query, life) => {
    await start(storage)
    const browser = await world.signedIn()
    await browser.visit(`${world.url}/me`)
    const before = [...browser.jar]
    const [line, ...more] = ours(await browser.visit(`${world.url}/cookie?${query}`, { method: 'POST' }))
    expect([line?.split(';').slice(1).includes(' HttpOnly'), more]).toEqual([true, []])
    if (life === undefined) expect(lifeOf(line)).toBeUndefined()
    else expect(Math.abs((lifeOf(line) ?? 0) - life)).toBeLessThan(MINUTE)
    // The same session, under the same id, signed in as before.
    expect([...browser.jar]).toEqual(before)
    expect([await isSignedIn(world, browser), ours(await browser.visit(`${world.url}/me`))]).toEqual([true, []])
    if (!query.startsWith('inMs'))
      expect(ours(await browser.visit(`${world.url}/cookie?${query}`, { method: 'POST' }))).toEqual([])
  })

  test('a shorter lifetime is renewed after a quarter of it', async () => {
    await start(storage)
    const browser = await world.signedIn()
    await browser.visit(`${world.url}/cookie?maxAge=${4 * HOUR}`, { method: 'POST' })
    clock.advance(30 * MINUTE)
    expect(ours(await browser.visit(`${world.url}/me`))).toEqual([])
    clock.advance(40 * MINUTE)
    const [renewed] = ours(await browser.visit(`${world.url}/me`))
    expect(Math.abs((lifeOf(renewed) ?? 0) - 4 * HOUR)).toBeLessThan(MINUTE)
  })

  test('other cookie settings reach the browser, too', async () => {
    await start(storage)
    const browser = await world.signedIn()
    const [line] = ours(await browser.visit(`${world.url}/cookie?sameSite=1`, { method: 'POST' }))
    expect(line).toMatch(/; SameSite=Strict/)
    expect(await isSignedIn(world, browser)).toBe(true)
  })

  test('a new session has the settings of the app, and a public response becomes private', async () => {
    await start(storage)
    const visitor = world.browser()
    await visitor.visit(`${world.url}/basket?add=apple`)
    const answer = await visitor.visit(`${world.url}/cookie?maxAge=3600000&static=1`, { method: 'POST' })
    expect(Math.abs((lifeOf(ours(answer)[0]) ?? 0) - HOUR)).toBeLessThan(MINUTE)
    expect(answer.headers.get('cache-control')).toBe('private, no-store')
    expect(JSON.parse((await visitor.visit(`${world.url}/basket`)).text).basket).toEqual(['apple'])
  })

  test('a cookie that the app configures stays Secure on https', async () => {
    await start(storage, {
      options: {
        ...storage.options(),
        baseUrl: 'https://app.example',
        sessionSecret: 'uN3xP8vQ2kL7wZ5tR9yB4mC6dF1gH0jK',
        vaultKeys: `k1:${Buffer.from([...Array(32).keys()].map((byte) => (byte * 37 + byte * byte * 11) & 255)).toString('base64')}`,
        allowMemoryStore: true,
      },
    })
    const visitor = world.browser()
    await visitor.visit(`${world.url}/basket?add=apple`)
    const [line] = ours(await visitor.visit(`${world.url}/cookie?maxAge=3600000`, { method: 'POST' }))
    expect(line).toMatch(/^__Host-ppoppo[^;]*; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax; Secure$/)
  })

  test('the only key of the library in a session is the pointer to the sign-in', async () => {
    await start(storage)
    const visitor = world.browser()
    await visitor.visit(`${world.url}/basket?add=apple`)
    const told = JSON.parse((await visitor.visit(`${world.url}/keys`)).text)
    expect([told.keys, told.inLoop]).toEqual([
      ['cookie', 'basket'],
      ['cookie', 'basket'],
    ])
    expect(JSON.parse(told.text)).toEqual({ cookie: expect.anything(), basket: ['apple'] })
    const browser = await world.signedIn()
    const { keys } = JSON.parse((await browser.visit(`${world.url}/keys`)).text)
    expect(keys).toEqual(['cookie', expect.stringMatching(/^ppoppo:[\w-]{8}$/)])
    expect(keys).not.toContain('ppoppo:cookie')
  })
})
