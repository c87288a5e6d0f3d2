import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import expressSession from 'express-session'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import type { PpoppoOptions, SocketVisitor, UpgradeOptions } from '../../src/index.js'
import { systemRuntime } from '../../src/lib/runtime.js'
import { signInAs } from '../../src/testing/index.js'
import { allowed } from '../support/allowed.js'
import { describeWithOwnRedis, startRedis } from '../support/redis.js'
import { describeOnStores } from '../support/stores.js'
import { stays, until } from '../support/until.js'
import { startWorld, type World } from '../support/world.js'

const ALEX = { sub: '01HZY3V9QK8E5R6T7W8X9Y0Z1A', ppnum: '12312345678', account: { plan: 'pro' } }
const SOON_MS = 2_000

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ pasPort: 0 })
})
afterAll(() => sandbox.close())

const worlds: World[] = []
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close()
})

let offsetMs = 0
afterEach(() => {
  offsetMs = 0
})
const runtime = { ...systemRuntime, now: () => Date.now() + offsetMs }

async function start(options: PpoppoOptions = {}): Promise<World> {
  const world = await startWorld({ options, sandbox, runtime })
  worlds.push(world)
  return world
}

function upgrade(headers: IncomingMessage['headers']): IncomingMessage {
  return Object.assign(new IncomingMessage(new Socket()), { headers: { upgrade: 'websocket', ...headers } })
}

/** Somebody signs in and opens a socket. */
async function open(
  world: World,
  headers: IncomingMessage['headers'] = {},
  options?: UpgradeOptions,
): Promise<{ cookie: string; visitor: SocketVisitor }> {
  const cookie = await signInAs(world.auth, ALEX)
  return { cookie, visitor: await world.auth.fromUpgrade(upgrade({ cookie, ...headers }), options) }
}

/** Watches; @returns how often it was called */
function watch(visitor: SocketVisitor): () => number {
  if (!visitor.isSignedIn) throw new Error(visitor.error.message)
  let calls = 0
  visitor.onEnded(() => {
    calls += 1
  })
  return () => calls
}

function signOut(world: World, cookie: string, body = ''): Promise<Response> {
  const headers = { cookie, accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' }
  return fetch(`${world.url}/auth/logout`, { method: 'POST', headers, body })
}

describeOnStores('auth.fromUpgrade()', (storage) => {
  test('says who is signed in, as req.ppoppo does, and changes nothing', async () => {
    const options = storage.options()
    const world = await start(options)
    const cookie = await signInAs(world.auth, ALEX)
    const before = await storage.contents(options)
    const visitor = await world.auth.fromUpgrade(upgrade({ cookie, origin: world.url }))
    expect(visitor).toMatchObject({ status: 'signed-in', isSignedIn: true, account: { plan: 'pro' } })
    expect(visitor.user).toEqual({ sub: ALEX.sub, ppnum: ALEX.ppnum })
    const me = Object(
      await (await fetch(`${world.url}/me`, { headers: { cookie, accept: 'application/json' } })).json(),
    )
    expect(JSON.parse(JSON.stringify(visitor.signIn))).toEqual(me.signIn)
    expect(await storage.contents(options)).toEqual(before)
  })

  test('says that a visitor, or a forged cookie, is signed out', async () => {
    const { auth, url } = await start(storage.options())
    const forged = (await signInAs(auth, ALEX)).replace(/..$/, 'xx')
    for (const cookie of ['', forged]) {
      const visitor = await auth.fromUpgrade(upgrade({ cookie, origin: url }))
      expect(visitor).toMatchObject({
        status: 'signed-out',
        isSignedIn: false,
        error: { code: 'signed_out', status: 401 },
      })
      expect(visitor.user).toBeUndefined()
    }
  })

  test('reports the end of a sign-in once: here, by id, everywhere, in another process, by expiry', async () => {
    const options = { ...storage.options(), session: { idleMs: 60_000 } }
    const world = await start(options)
    const other = storage.kind === 'redis' ? await start({ ...options, baseUrl: world.url }) : world
    const [here, elsewhere, everywhere] = [await open(world), await open(world), await open(world)]
    const [one, two, three] = [watch(here.visitor), watch(elsewhere.visitor), watch(everywhere.visitor)]
    const stopped = watch(here.visitor)
    if (here.visitor.isSignedIn) here.visitor.onEnded(() => {})()

    await signOut(world, here.cookie)
    await until(one, 'the first has ended', await allowed(SOON_MS))
    expect([one(), two(), three(), stopped()]).toEqual([1, 0, 0, 1])

    await signOut(other, elsewhere.cookie)
    await until(two, 'the second has ended', await allowed(SOON_MS))
    expect([one(), two(), three()]).toEqual([1, 1, 0])

    await signOut(other, everywhere.cookie, 'everywhere=1')
    await until(three, 'the third has ended', await allowed(SOON_MS))

    if (storage.kind === 'memory') {
      const expiring = watch((await open(world)).visitor)
      offsetMs = 61_000
      await until(expiring, 'the fourth has expired', await allowed(SOON_MS))
    }
    expect([one(), two(), three()]).toEqual([1, 1, 1])
  })

  test('a callback that throws becomes an event, and the others are called', async () => {
    const world = await start(storage.options())
    const { cookie, visitor } = await open(world)
    if (!visitor.isSignedIn) throw visitor.error
    visitor.onEnded(() => {
      throw new Error('a mistake of the app')
    })
    visitor.onEnded(async () => Promise.reject(new Error('another mistake')))
    const called = watch(visitor)
    await signOut(world, cookie)
    await until(called, 'it has ended', await allowed(SOON_MS))
    await until(() => world.events.filter((event) => Reflect.get(event, 'code') === 'on_ended_failed').length === 2)
  })

  test('after unsubscribing, and after close(), nothing is called', async () => {
    const world = await start(storage.options())
    const { cookie, visitor } = await open(world)
    if (!visitor.isSignedIn) throw visitor.error
    let calls = 0
    const unsubscribe = visitor.onEnded(() => (calls += 1))
    unsubscribe()
    const reported = watch(visitor)
    await signOut(world, cookie)
    await until(reported, 'it has ended', await allowed(SOON_MS))
    const late = watch((await open(world)).visitor)
    await world.auth.close()
    expect(await world.auth.fromUpgrade(upgrade({ cookie }))).toMatchObject({
      status: 'unavailable',
      error: { code: 'closed', status: 503 },
    })
    await stays(() => calls === 0 && late() === 0, 'nothing is called', 1_200)
  })
})

describe('auth.fromUpgrade()', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ sandbox, options: { trustedOrigins: ['http://localhost:1'] } })
  })
  afterAll(() => world.close())

  test.each<[string, IncomingMessage['headers'], UpgradeOptions | undefined, string]>([
    ['the own origin', { origin: 'own' }, undefined, 'signed-in'],
    ['a trusted origin', { origin: 'http://localhost:1' }, undefined, 'signed-in'],
    ['a trusted origin where others are listed', { origin: 'http://localhost:1' }, { origins: [] }, 'cross-site'],
    ['a listed origin', { origin: 'https://spa.example' }, { origins: ['https://spa.example'] }, 'signed-in'],
    ['another origin', { origin: 'https://evil.example' }, undefined, 'cross-site'],
    ['a sandboxed frame', { origin: 'null' }, undefined, 'cross-site'],
    ['an origin that begins like ours', { origin: 'own0' }, undefined, 'cross-site'],
    ['a program', {}, undefined, 'signed-in'],
    ['polling from the own site', { 'sec-fetch-site': 'same-origin' }, undefined, 'signed-in'],
    ['an image on a sister domain', { 'sec-fetch-site': 'same-site' }, undefined, 'cross-site'],
    ['an image on another site', { 'sec-fetch-site': 'cross-site' }, undefined, 'cross-site'],
  ])('judges the origin of %s', async (_name, headers, options, status) => {
    const origin = headers.origin?.replace('own', world.url)
    const { visitor } = await open(world, origin === undefined ? headers : { ...headers, origin }, options)
    expect(visitor.status).toBe(status)
    if (status === 'cross-site') {
      expect(visitor).toMatchObject({ error: { code: 'cross_site', status: 403 } })
      expect(visitor.user).toBeUndefined()
    }
  })

  test.each<[string, unknown, unknown, RegExp]>([
    ['a socket of socket.io instead of its request', {}, undefined, /socket\.request/],
    ['a misspelt option', upgrade({}), { origin: 'https://spa.example' }, /did you mean "origins"/],
    ['an origin with a path', upgrade({}), { origins: ['https://spa.example/'] }, /without a path/],
    ['a session that is no middleware', upgrade({}), { session: {} }, /must be a middleware/],
  ])('rejects %s', async (_name, req, options, message) => {
    const call = world.auth.fromUpgrade(req as IncomingMessage, options as UpgradeOptions)
    await expect(call).rejects.toThrow(message)
    await expect(call).rejects.toMatchObject({ code: 'config_invalid' })
  })

  test("with the app's own session, it is read by the app's middleware, or must be there already", async () => {
    const session = expressSession({ secret: 'x'.repeat(32), resave: false, saveUninitialized: false })
    const own = await startWorld({
      sandbox,
      options: { session: false },
      mount: (app, auth) => app.use(session, auth),
    })
    worlds.push(own)
    const cookie = await signInAs(own.auth, ALEX, { session })
    expect(await own.auth.fromUpgrade(upgrade({ cookie }), { session })).toMatchObject({ status: 'signed-in' })
    expect(await own.auth.fromUpgrade(upgrade({}), { session })).toMatchObject({ status: 'signed-out' })
    await expect(own.auth.fromUpgrade(upgrade({ cookie }))).rejects.toMatchObject({ code: 'session_missing' })
    const broken = await own.auth.fromUpgrade(upgrade({ cookie }), {
      session: (_req, _res, next) => next(new Error('no database')),
    })
    expect(broken).toMatchObject({ status: 'unavailable', error: { code: 'store_unavailable', status: 503 } })
    // A rejection that nobody handles would end the process.
    const rejecting = own.auth.fromUpgrade(upgrade({ cookie }), { session: () => Promise.reject(new Error('a bug')) })
    await expect(rejecting).rejects.toThrow('a bug')
  })
})

describeWithOwnRedis('auth.fromUpgrade() while Redis is down', () => {
  test('says so, ends no socket, and reports one event; afterwards a sign-out is noticed', async () => {
    const redis = await startRedis()
    try {
      const world = await start({ redis: redis.url })
      const { cookie, visitor } = await open(world)
      const ended = watch(visitor)
      redis.pause()
      const met = await world.auth.fromUpgrade(upgrade({ cookie }))
      expect(met).toMatchObject({ status: 'unavailable', error: { code: 'store_unavailable', status: 503 } })
      const checks = (): number =>
        world.events.filter((event) => Reflect.get(event, 'operation') === 'socket check').length
      await until(checks, 'the outage is reported')
      redis.resume()
      await until(async () => (await signOut(world, cookie)).ok, 'the sign-out worked')
      await until(ended, 'it has ended')
      expect([ended(), checks()]).toEqual([1, 1])
    } finally {
      redis.resume()
      await redis.stop()
    }
  })
})
