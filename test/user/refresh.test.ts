import { afterEach, describe, expect, test } from '@jest/globals'
import { createClock, HOUR, MINUTE, SECOND, timed } from '../support/clock.js'
import { untilWorks } from '../support/until.js'
import { startWorld, type World, type WorldOptions } from '../support/world.js'

/** A token call this slow would be noticed by whoever waits for it. */
const SLOW_MS = 2.5 * SECOND
const AT_ONCE_MS = SLOW_MS / 2

let world: World
afterEach(() => world.close())

const clock = createClock()
async function start(options: WorldOptions = {}): Promise<World> {
  world = await startWorld({ runtime: clock.runtime, ...options })
  return world
}

const refreshes = (): number => world.sandbox.control.counters.tokenRefresh
const renewals = (): number => world.events.filter(({ type }) => type === 'token_refreshed').length

describe('C32 automatic refresh', () => {
  test('C32 the token is renewed a minute before it expires, and nobody waits while the old one is valid', async () => {
    await start()
    const browser = await world.signedIn()
    clock.advance(58 * MINUTE)
    expect((await browser.visit(`${world.url}/token`)).status).toBe(200)
    expect(refreshes()).toBe(0)

    clock.advance(90 * SECOND)
    world.sandbox.control.inject({ endpoint: 'token', fault: { kind: 'delay', delayMs: SLOW_MS } })
    for (const path of ['/me', '/token', '/userinfo', '/auth/session', '/']) {
      const { result, tookMs } = await timed(() => browser.visit(world.url + path))
      expect([path, result.status]).toEqual([path, 200])
      expect(tookMs).toBeLessThan(AT_ONCE_MS)
    }
    await untilWorks(async () => renewals() === 1)
    expect(refreshes()).toBe(1)
    const { signIn } = JSON.parse((await browser.visit(`${world.url}/me`)).text)
    expect(Date.parse(signIn.refreshedAt)).toBeGreaterThan(Date.parse(signIn.createdAt) + 59 * MINUTE)
  })

  test('C32 only requests that need a token wait for the renewal of an expired one', async () => {
    await start()
    const browser = await world.signedIn()
    clock.advance(2 * HOUR)
    world.sandbox.control.inject({ endpoint: 'token', fault: { kind: 'delay', delayMs: SLOW_MS } })
    const page = await timed(() => browser.visit(`${world.url}/page`))
    expect(page.result.status).toBe(200)
    expect(page.tookMs).toBeLessThan(AT_ONCE_MS)
    const token = await timed(() => browser.visit(`${world.url}/token`))
    expect(token.result.status).toBe(200)
    expect(token.wallMs).toBeGreaterThan(AT_ONCE_MS)
    expect(refreshes()).toBe(1)
  })

  test('C32 tokens that live two seconds are renewed, on the real clock', async () => {
    world = await startWorld({ sandbox: { accessTokenTtlSeconds: 2 } })
    const browser = await world.signedIn()
    const endAt = performance.now() + 4 * SECOND
    let visits = 0
    while (performance.now() < endAt) {
      expect((await browser.visit(`${world.url}/userinfo`)).status).toBe(200)
      visits += 1
    }
    expect(visits).toBeGreaterThan(3)
    expect(refreshes()).toBeGreaterThanOrEqual(2)
    expect(refreshes()).toBeLessThanOrEqual(5)
  })

  test('C32 after a 401 from userinfo there is one refresh and one retry', async () => {
    await start()
    const browser = await world.signedIn()
    const before = world.sandbox.control.counters.userinfo
    world.sandbox.control.expireAccessTokens()
    const answer = await browser.visit(`${world.url}/userinfo`)
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.text).email).toContain('@')
    expect(refreshes()).toBe(1)
    expect(world.sandbox.control.counters.userinfo - before).toBe(2)
  })

  test('C32 a 401 from userinfo for the new token too is an error without a third try, and keeps the sign-in', async () => {
    await start()
    const browser = await world.signedIn()
    const before = world.sandbox.control.counters.userinfo
    world.sandbox.control.inject({
      endpoint: 'userinfo',
      fault: { kind: 'status', status: 401, error: 'invalid_token' },
      times: 'until-cleared',
    })
    const answer = await browser.visit(`${world.url}/userinfo`)
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([503, 'provider_unavailable'])
    expect(refreshes()).toBe(1)
    expect(world.sandbox.control.counters.userinfo - before).toBe(2)
    expect((await browser.visit(`${world.url}/me`)).status).toBe(200)
  })

  test('C32 a request that runs for hours gets the current token at its end', async () => {
    const gate = deferred()
    const began = deferred()
    const tokens: string[] = []
    await start({
      routes: (app, auth) =>
        app.get('/long', auth.requireSignIn(), async (req, res) => {
          tokens.push(await req.ppoppo.accessToken())
          began.resolve()
          await gate.promise
          tokens.push(await req.ppoppo.accessToken())
          res.end()
        }),
    })
    const browser = await world.signedIn()
    const long = browser.visit(`${world.url}/long`)
    await began.promise
    clock.advance(2 * HOUR)
    await browser.visit(`${world.url}/token`)
    expect(refreshes()).toBe(1)
    clock.advance(2 * HOUR)
    gate.resolve()
    expect((await long).status).toBe(200)
    expect(refreshes()).toBe(2)
    expect(new Set(tokens).size).toBe(2)
  })

  test('C32 userinfo() asks PAS once per request, and once more only if that failed', async () => {
    await start({
      routes: (app, auth) =>
        app.get('/thrice', auth.requireSignIn(), async (req, res) => {
          const first = await req.ppoppo.userinfo().catch((error: { code: string }) => error.code)
          const [second, third] = await Promise.all([req.ppoppo.userinfo(), req.ppoppo.userinfo()])
          res.json({ first, isSame: second === third })
        }),
    })
    const browser = await world.signedIn()
    const before = world.sandbox.control.counters.userinfo
    world.sandbox.control.inject({ endpoint: 'userinfo', fault: { kind: 'status', status: 503 } })
    const answer = await browser.visit(`${world.url}/thrice`)
    expect(JSON.parse(answer.text)).toEqual({ first: 'provider_unavailable', isSame: true })
    expect(world.sandbox.control.counters.userinfo - before).toBe(2)
  })
})

describe('C33 one token call for all', () => {
  const N = 200

  test('C33 200 requests at expiry in one process share one token call', async () => {
    await start()
    const browser = await world.signedIn()
    clock.advance(2 * HOUR)
    const answers = await Promise.all(Array.from({ length: N }, () => browser.visit(`${world.url}/token`)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(refreshes()).toBe(1)
    expect(renewals()).toBe(1)
  })

  test('C33 200 requests that all get 401 from userinfo share one token call', async () => {
    await start()
    const browser = await world.signedIn()
    world.sandbox.control.expireAccessTokens()
    const answers = await Promise.all(Array.from({ length: N }, () => browser.visit(`${world.url}/userinfo`)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(refreshes()).toBe(1)
  })

  test('C33 if the shared call fails all requests get its error, and the next request works', async () => {
    await start()
    const browser = await world.signedIn()
    clock.advance(2 * HOUR)
    const fault = { kind: 'status', status: 503, delayMs: SECOND } as const
    world.sandbox.control.inject({ endpoint: 'token', fault })
    const answers = await Promise.all(Array.from({ length: 20 }, () => browser.visit(`${world.url}/token`)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]))
    expect(refreshes()).toBe(1)
    expect((await browser.visit(`${world.url}/token`)).status).toBe(200)
  })
})

interface Deferred {
  readonly promise: Promise<void>
  resolve(): void
}

function deferred(): Deferred {
  let resolve = (): void => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

describe('A15 the life of a token', () => {
  test('counts from before PAS was asked: an onSignIn that outlasts it returns no expired token', async () => {
    await start({ options: { onSignIn: () => clock.advance(2 * HOUR) } })
    const browser = await world.signedIn()
    expect((await browser.visit(`${world.url}/token`)).status).toBe(200)
    await untilWorks(async () => renewals() === 1)
    expect(refreshes()).toBe(1)
  })

  test('counts from before PAS was asked for a refresh too, so a slow answer does not extend it', async () => {
    await start({ sandbox: { accessTokenTtlSeconds: 60 } })
    const browser = await world.signedIn()
    clock.advance(2 * MINUTE)
    world.sandbox.control.inject({ endpoint: 'token', fault: { kind: 'delay', delayMs: SECOND } })
    const asked = browser.visit(`${world.url}/token`)
    await untilWorks(async () => refreshes() === 1)
    clock.advance(2 * MINUTE)
    expect((await asked).status).toBe(200)
    expect((await browser.visit(`${world.url}/token`)).status).toBe(200)
    expect(refreshes()).toBeGreaterThan(1)
  })
})
