import { afterEach, beforeEach, expect, test } from '@jest/globals'
import type { RequestPpoppo } from '../../src/index.js'
import { describeWithOwnRedis, startRedis } from '../support/redis.js'
import { describeOnStores } from '../support/stores.js'
import { startWorld, type World } from '../support/world.js'

/** What a call says: its value's type, or the code of its error. */
async function said(call: Promise<unknown>): Promise<string> {
  return call.then(
    (value) => typeof value,
    (error: { code?: string }) => error.code ?? String(error),
  )
}

/** What a request sees of its person. */
async function seen(ppoppo: RequestPpoppo): Promise<object> {
  const { status, isSignedIn, user } = ppoppo
  return { status, isSignedIn, user: user?.ppnum }
}

/** A request that stops in the middle, and goes on when told to. */
function createLongRequest(work: (ppoppo: RequestPpoppo) => Promise<object>): {
  readonly routes: NonNullable<Parameters<typeof startWorld>[0]>['routes']
  readonly begun: Promise<void>
  goOn(): void
} {
  let begin = (): void => {}
  let goOn = (): void => {}
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  const mayGoOn = new Promise<void>((resolve) => {
    goOn = resolve
  })
  return {
    begun,
    goOn: () => goOn(),
    routes: (app, auth) => {
      app.get('/long', auth.requireSignIn(), (req, res, next) => {
        begin()
        mayGoOn.then(() => work(req.ppoppo)).then((answer) => res.json(answer), next)
      })
    },
  }
}

describeOnStores('S22 a request that runs for long', (storage) => {
  let world: World
  afterEach(() => world.close())

  async function answerAfter(
    change: (world: World) => Promise<unknown>,
    work: (ppoppo: RequestPpoppo) => Promise<object>,
  ): Promise<Record<string, unknown>> {
    const long = createLongRequest(work)
    world = await startWorld({ options: storage.options(), ...(long.routes ? { routes: long.routes } : {}) })
    const browser = await world.signedIn()
    const answer = browser.visit(`${world.url}/long`)
    await long.begun
    await change(world)
    long.goOn()
    return JSON.parse((await answer).text)
  }

  /** The same person signs out everywhere, in another browser. */
  async function signOutElsewhere(current: World): Promise<void> {
    const other = await current.signedIn()
    const answer = await other.visit(`${current.url}/auth/logout`, { method: 'POST', form: { everywhere: '1' } })
    expect(answer.status).toBe(303)
  }

  test.each<[string, (ppoppo: RequestPpoppo) => Promise<unknown>]>([
    ['accessToken()', (ppoppo) => ppoppo.accessToken()],
    ['userinfo()', (ppoppo) => ppoppo.userinfo()],
    ['signIns()', (ppoppo) => ppoppo.signIns()],
    ['endSignIn()', (ppoppo) => ppoppo.endSignIn('x')],
  ])('learns of a sign-out elsewhere from %s', async (_name, call) => {
    const answer = await answerAfter(signOutElsewhere, async (ppoppo) => ({
      said: await said(call(ppoppo)),
      ...(await seen(ppoppo)),
    }))
    expect(answer).toEqual({ said: 'signed_out', status: 'signed-out', isSignedIn: false })
  })

  test('learns of a sign-out from recheck(), and knows it from then on', async () => {
    const answer = await answerAfter(signOutElsewhere, async (ppoppo) => ({
      before: await seen(ppoppo),
      first: await ppoppo.recheck(),
      second: await ppoppo.recheck(),
      ...(await seen(ppoppo)),
      token: await said(ppoppo.accessToken()),
    }))
    expect(answer).toEqual({
      before: { status: 'signed-in', isSignedIn: true, user: '77700000001' },
      first: 'signed-out',
      second: 'signed-out',
      status: 'signed-out',
      isSignedIn: false,
      token: 'signed_out',
    })
  })

  test('learns of a sign-out even if it had asked userinfo() before', async () => {
    let before: unknown
    const long = createLongRequest(async (ppoppo) => ({ before, after: await said(ppoppo.userinfo()) }))
    world = await startWorld({
      options: storage.options(),
      routes: (app, auth) => {
        app.use('/long', (req, _res, next) => {
          said(req.ppoppo.userinfo()).then((answer) => {
            before = answer
            next()
          }, next)
        })
        long.routes?.(app, auth)
      },
    })
    const browser = await world.signedIn()
    const answer = browser.visit(`${world.url}/long`)
    await long.begun
    await signOutElsewhere(world)
    long.goOn()
    expect(JSON.parse((await answer).text)).toEqual({ before: 'object', after: 'signed_out' })
  })

  test('continues without a sign-out, and sees newer tokens', async () => {
    const answer = await answerAfter(
      (current) => current.signedIn('mina'),
      async (ppoppo) => ({
        first: await ppoppo.recheck(),
        token: await said(ppoppo.accessToken()),
        ...(await seen(ppoppo)),
      }),
    )
    expect(answer).toEqual({
      first: 'signed-in',
      token: 'string',
      status: 'signed-in',
      isSignedIn: true,
      user: '77700000001',
    })
  })
})

describeOnStores('S22 recheck() where nobody is signed in', (storage) => {
  let world: World
  beforeEach(async () => {
    world = await startWorld({
      options: storage.options(),
      routes: (app) => {
        app.get('/recheck', (req, res, next) => {
          req.ppoppo.recheck().then((status) => res.json({ status }), next)
        })
      },
    })
  })
  afterEach(() => world.close())

  test('resolves to signed-out', async () => {
    expect((await world.browser().visit(`${world.url}/recheck`)).text).toBe('{"status":"signed-out"}')
  })
})

describeWithOwnRedis('S22 a request that runs for long while Redis goes away', () => {
  test('gets store_unavailable from every call, and nobody is signed out', async () => {
    const server = await startRedis()
    const long = createLongRequest(async (ppoppo) => ({
      calls: await Promise.all([said(ppoppo.recheck()), said(ppoppo.accessToken()), said(ppoppo.userinfo())]),
      ...(await seen(ppoppo)),
    }))
    const world = await startWorld({ options: { redis: server.url }, ...(long.routes ? { routes: long.routes } : {}) })
    try {
      const browser = await world.signedIn()
      const answer = browser.visit(`${world.url}/long`)
      await long.begun
      server.pause()
      long.goOn()
      expect(JSON.parse((await answer).text)).toEqual({
        calls: ['store_unavailable', 'store_unavailable', 'store_unavailable'],
        status: 'signed-in',
        isSignedIn: true,
        user: '77700000001',
      })
    } finally {
      server.resume()
      await world.close()
      await server.stop()
    }
  })
})
