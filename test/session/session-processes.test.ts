import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Express } from 'express'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { isSignedIn } from '../support/attempts.js'
import { createClock, DAY } from '../support/clock.js'
import { describeWithRedis, redisForTests, type TestRedis } from '../support/redis.js'
import { elapse, until } from '../support/until.js'
import { startWorld, type World, type WorldOptions } from '../support/world.js'

const post = { method: 'POST', headers: { 'Sec-Fetch-Site': 'same-origin' } }
const SECRET = 'uN3xP8vQ2kL7wZ5tR9yB4mC6dF1gH0jK'

/** Says how the answer is to go on, from outside. */
interface Pause {
  entered: () => void
  readonly opened: Promise<void>
}
const pauses = new Map<string, Pause>()

function routes(app: Express): void {
  app.get('/slow/:name', async (req, res) => {
    const pause = pauses.get(req.params.name)
    if (req.query['flush']) res.write('begun ')
    pause?.entered()
    await pause?.opened
    if (!req.query['quiet']) Object.assign(req.session, { basket: ['late'] })
    if (req.query['save']) await new Promise<void>((resolve) => void req.session.save(() => resolve()))
    res.end('done')
  })
}

/** Begins a request in `world` and stops it inside. */
async function begin(world: World, browser: ReturnType<World['browser']>, path: string) {
  const name = `p${pauses.size}`
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const entered = new Promise<void>((resolve) => pauses.set(name, { entered: resolve, opened }))
  const answer = browser.visit(`${world.url}/slow/${name}${path}`)
  await entered
  return { answer, open }
}

describeWithRedis('C28 two app instances that share nothing but Redis', () => {
  let redis: TestRedis
  let sandbox: Sandbox
  beforeAll(async () => {
    redis = await redisForTests()
    sandbox = await startSandbox({ pasPort: 0, autoSignIn: 'alex' })
  })
  afterAll(() => sandbox.close())

  async function twoInstances(more: WorldOptions = {}): Promise<[World, World, () => Promise<void>]> {
    const { options: moreOptions, ...rest } = more
    const options = { redis: redis.url, keyPrefix: redis.prefix(), sessionSecret: SECRET, ...moreOptions }
    const one = await startWorld({ options, sandbox, routes, ...rest })
    const two = await startWorld({ options, sandbox, routes, ...rest })
    return [one, two, async () => void (await Promise.all([one.close(), two.close()]))]
  }

  test.each(['?', '?save=1', '?flush=1'])(
    'C28 %s: signed out in one, a slow request in the other brings nothing back',
    async (path) => {
      const [one, two, close] = await twoInstances()
      try {
        const browser = await one.signedIn()
        const old = browser.clone()
        expect(await isSignedIn(two, browser)).toBe(true)
        const slow = await begin(two, old, path)
        await browser.visit(`${one.url}/auth/logout`, post)
        slow.open()
        expect((await slow.answer).cookies).toEqual([])
        for (const world of [one, two]) {
          expect(await isSignedIn(world, old)).toBe(false)
          const late = await old.visit(`${world.url}/basket?add=pear`)
          expect([late.cookies, JSON.parse(late.text).basket]).toEqual([[], ['pear']])
          expect(JSON.parse((await old.visit(`${world.url}/basket`)).text).basket).toEqual([])
        }
      } finally {
        await close()
      }
    },
  )

  test('C44 a slow response that would renew the cookie does not overwrite that of a newer sign-in', async () => {
    const clock = createClock()
    const [one, two, close] = await twoInstances({
      options: { session: { idleMs: 40 * DAY } },
      runtime: clock.runtime,
    })
    try {
      const browser = await one.signedIn()
      clock.advance(11 * DAY) // a quarter of idle has gone: this request renews
      const slow = await begin(two, browser.clone(), '?quiet=1')
      await browser.visit(`${one.url}/auth/logout`, post)
      await browser.go(`${one.url}/auth/login?return_to=/me`)
      clock.advance(5_000)
      slow.open()
      expect((await slow.answer).cookies).toEqual([])
      expect(await isSignedIn(two, browser)).toBe(true)
    } finally {
      await close()
    }
  })

  test('C22 a slow response does not renew the cookie: the next fast one does, or a slow one if all are slow', async () => {
    const clock = createClock()
    const [one, two, close] = await twoInstances({ options: { session: { idleMs: 40 * DAY } }, runtime: clock.runtime })
    try {
      const browser = await one.signedIn()
      clock.advance(11 * DAY)
      const slow = await begin(two, browser, '?quiet=1')
      clock.advance(5_000)
      slow.open()
      expect((await slow.answer).cookies).toEqual([])
      expect((await browser.visit(`${one.url}/me`)).cookies).toHaveLength(1)
      clock.advance(21 * DAY)
      const slower = await begin(two, browser, '?quiet=1')
      clock.advance(5_000)
      slower.open()
      expect((await slower.answer).cookies).toHaveLength(1)
      expect((await browser.visit(`${one.url}/me`)).cookies).toEqual([])
    } finally {
      await close()
    }
  })

  test('C28 a token refresh in flight in the other instance does not restore a sign-in that was signed out', async () => {
    sandbox.control.set({ accessTokenTtlSeconds: 1, refreshTokenAnswer: 'rotate', announceRevocation: true })
    const [one, two, close] = await twoInstances()
    try {
      const browser = await one.signedIn()
      const old = browser.clone()
      await elapse(1_100) // the life of the access token, by the clock of PAS
      sandbox.control.inject({
        endpoint: 'token',
        grantType: 'refresh_token',
        fault: { kind: 'delay', delayMs: 2_000 },
      })
      const refreshing = old.visit(`${two.url}/token`)
      await until(() => sandbox.control.counters.tokenRefresh > 0, 'the refresh is at PAS')
      await browser.visit(`${one.url}/auth/logout`, post)
      expect((await refreshing).status).not.toBe(200)
      for (const world of [one, two]) expect(await isSignedIn(world, old)).toBe(false)
    } finally {
      await close()
      sandbox.control.reset()
    }
  })

  test('C26 keys replaced in two deploys sign nobody out; records are re-encrypted in use, and a retired key means a new sign-in', async () => {
    const [former, latter] = ['former', 'latter'].map(
      (id) => `${id}:${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')}`,
    ) as [string, string]
    const clock = createClock()
    const shared = { redis: redis.url, keyPrefix: redis.prefix(), sessionSecret: SECRET, session: { idleMs: 40 * DAY } }
    const deploy = (vaultKeys: string[]) =>
      startWorld({ options: { ...shared, vaultKeys }, sandbox, runtime: clock.runtime })
    const before = await deploy([former])
    const during = await deploy([former, latter])
    const after = await deploy([latter, former])
    const retired = await deploy([latter])
    try {
      const [used, unused] = [await before.signedIn(), await before.signedIn()]
      const young = await after.signedIn()
      for (const browser of [used, unused, young])
        for (const world of [during, after]) expect(await isSignedIn(world, browser)).toBe(true)
      clock.advance(11 * DAY)
      expect((await used.visit(`${after.url}/me`)).status).toBe(200) // moves the idle expiry, so it is written
      expect(await isSignedIn(retired, used)).toBe(true)
      expect(await isSignedIn(during, used)).toBe(true)

      // The box with the old list deletes nothing, and says it once.
      for (let time = 0; time < 3; time += 1) expect(await isSignedIn(before, young)).toBe(false)
      expect(before.events.filter((event) => event.type === 'vault_unreadable')).toHaveLength(1)
      expect(await isSignedIn(after, young)).toBe(true)

      expect((await unused.visit(`${retired.url}/`)).text).toBe('home signed-out')
      expect(await isSignedIn(during, unused)).toBe(true)
      const landed = await unused.go(`${retired.url}/me`)
      expect([landed.status, landed.url]).toEqual([200, `${retired.url}/me`])
      expect((await unused.visit(`${retired.url}/auth/logout`, post)).status).toBe(303)
    } finally {
      await Promise.all([before, during, after, retired].map((world) => world.close()))
    }
  })
})
