import { afterEach, expect, test } from '@jest/globals'
import type { Express, RequestHandler } from 'express'
import expressSession from 'express-session'
import { isSignedIn } from '../support/attempts.js'
import type { CookieBrowser } from '../support/cookie-browser.js'
import { describeWithOwnRedis, startRedis } from '../support/redis.js'
import { describeOnStores, type TestStorage } from '../support/stores.js'
import { until } from '../support/until.js'
import { COOKIES, startWorld, type World, type WorldOptions } from '../support/world.js'

const post = { method: 'POST', headers: { 'Sec-Fetch-Site': 'same-origin' } }
const WHOSE = ['the library’s session', 'the app’s own session'] as const
type Whose = (typeof WHOSE)[number]
const cookieOf = (whose: Whose): string => (whose === 'the app’s own session' ? 'app.sid' : COOKIES.session)

/** Requests that wait, by the name in their query. */
const gates = new Map<string, { enter: () => void; readonly opened: Promise<void> }>()
const gateFor =
  (query: string): RequestHandler =>
  (req, _res, next) => {
    const one = gates.get(String(req.query[query]))
    one?.enter()
    if (one) void one.opened.then(() => process.nextTick(next))
    else next()
  }

function newGate(name: string): { readonly entered: Promise<void>; open(): void } {
  let [enter, open] = [(): void => {}, (): void => {}]
  const entered = new Promise<void>((resolve) => {
    enter = resolve
  })
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  gates.set(name, { enter, opened })
  return { entered, open }
}

/** How an app may log somebody out without asking us. */
function logouts(app: Express): void {
  app.post('/destroy', (req, res) => {
    req.session.destroy(() => {})
    res.json({ status: req.ppoppo.status, user: req.ppoppo.user ?? null })
  })
  app.post('/destroy-without-callback', (req, res) => {
    Reflect.apply(req.session.destroy, req.session, [])
    res.redirect(303, '/')
  })
  app.post('/destroy-then-answer', gateFor('inside'), (req, res) => {
    req.session.destroy((error: unknown) => void res.json({ error: error ? Reflect.get(Object(error), 'code') : null }))
  })
  app.post('/destroy-by-id', (req, res) => {
    req.sessionStore.destroy(req.sessionID, () => void res.send('gone'))
  })
  app.post('/destroy-after-reload', (req, res) => {
    req.session.reload(() => void req.session.destroy(() => void res.send('gone')))
  })
  app.post('/destroy-in-a-stream', (req, res) => {
    res.write('begun ')
    req.session.destroy(() => void res.end('gone'))
  })
  // As passport's req.logout and req.login do.
  app.post('/logout-of-passport', (req, res, next) => {
    const { cookie: _cookie, ...before } = req.session
    req.session.save((failed: unknown) => {
      if (failed) return next(failed)
      req.session.regenerate((error: unknown) => {
        if (error) return next(error)
        if (req.query['keepSessionInfo']) Object.assign(req.session, before)
        res.send('out')
      })
    })
  })
  app.get('/destroyed-before-the-guard', (req, _res, next) => req.session.destroy(() => next()))
}

let world: World
afterEach(() => world.close())

async function start(whose: Whose, storage: Pick<TestStorage, 'options'>, more: WorldOptions = {}): Promise<void> {
  const isOwn = whose === 'the library’s session'
  const appSession = expressSession({ name: 'app.sid', secret: 'its own', resave: false, saveUninitialized: false })
  world = await startWorld({
    mount: (app, auth) => app.use(isOwn ? auth.session : appSession, gateFor('gate'), auth.middleware, auth.router),
    ...more,
    routes: (app, auth) => {
      logouts(app)
      app.get('/sign-ins', (req, res, next) => {
        req.ppoppo.signIns().then((list) => res.json(list.length), next)
      })
      app.get('/destroyed-before-the-guard', auth.requireSignIn(), (_req, res) => void res.send('guarded'))
    },
    options: { ...storage.options(), ...(isOwn ? {} : { session: false }), ...more.options },
  })
}

const basket = async (browser: CookieBrowser, add = ''): Promise<string[]> =>
  JSON.parse((await browser.visit(`${world.url}/basket${add && `?add=${add}`}`)).text).basket
/** How many sign-ins a person has, as a browser of theirs is told. */
const signInsOf = async (browser: CookieBrowser): Promise<number> =>
  JSON.parse((await browser.visit(`${world.url}/sign-ins`)).text)

const endsOf = (reason: string): readonly unknown[] =>
  world.events.filter((event) => event.type === 'sign_out' && event.reason === reason)

describeOnStores('an app that ends the session itself', (storage) => {
  const own = 'the library’s session'
  for (const whose of WHOSE) {
    test.each([
      '/destroy',
      '/destroy-without-callback',
      '/destroy-then-answer',
      '/destroy-after-reload',
      '/destroy-in-a-stream',
      '/logout-of-passport',
      ...(whose === own ? ['/destroy-by-id'] : []),
    ])(
      `${whose}, %s: its sign-in ends for good and its refresh token is revoked; no other sign-in is affected`,
      async (path) => {
        await start(whose, storage, { sandbox: { announceRevocation: true } })
        const [browser, other, mina] = [await world.signedIn(), await world.signedIn(), await world.signedIn('mina')]
        const old = browser.clone()
        expect(await signInsOf(other)).toBe(2)
        const answer = await browser.visit(world.url + path, post)
        expect(answer.status).toBeLessThan(400)
        if (path === '/destroy') expect(JSON.parse(answer.text)).toEqual({ status: 'signed-out', user: null })
        await until(async () => (await signInsOf(other)) === 1)
        await until(() => world.sandbox.control.counters.revocation === 1)
        expect(endsOf('session_ended')).toHaveLength(1)
        for (const tab of [browser, old]) expect(await isSignedIn(world, tab)).toBe(false)
        expect([await isSignedIn(world, other), await isSignedIn(world, mina)]).toEqual([true, true])
      },
    )

    test(`${whose}: an app that moves its content into a new session keeps the sign-in`, async () => {
      await start(whose, storage, { sandbox: { announceRevocation: true } })
      const browser = await world.signedIn()
      const before = browser.jar.get(cookieOf(whose))
      await browser.visit(`${world.url}/logout-of-passport?keepSessionInfo=1`, post)
      expect(browser.jar.get(cookieOf(whose))).not.toBe(before)
      expect([await isSignedIn(world, browser), await signInsOf(browser)]).toEqual([true, 1])
      expect([endsOf('session_ended'), world.sandbox.control.counters.revocation]).toEqual([[], 0])
    })

    test(`${whose}, ended within ten seconds of a sign-in: a guarded page leads to the sign-in, not to the cookie_missing page`, async () => {
      await start(whose, storage)
      for (const path of ['/destroy', '/destroy-without-callback', '/destroy-in-a-stream', '/logout-of-passport']) {
        const browser = await world.signedIn()
        await browser.visit(world.url + path, post)
        const guarded = await browser.visit(`${world.url}/page`)
        expect([path, guarded.status, guarded.location]).toEqual([path, 302, expect.stringContaining('/auth/login')])
        expect((await browser.go(`${world.url}/page`)).status).toBe(200)
      }
      const browser = await world.signedIn()
      expect((await browser.visit(`${world.url}/destroyed-before-the-guard`)).status).toBe(302)
    })
  }

  test.each([
    ['/destroy', false],
    ['/destroy-without-callback', false],
    ['/destroy-then-answer', false],
    ['/destroy-in-a-stream', true],
    ['/destroy-by-id', true],
  ])(
    'after %s the cookie is removed where possible, and the next session in this browser is kept',
    async (path, stays) => {
      await start(own, storage)
      const browser = await world.signedIn()
      await basket(browser, 'old')
      await browser.visit(world.url + path, post)
      expect([path, browser.jar.has(COOKIES.session)]).toEqual([path, stays])
      expect(await basket(browser, 'new')).toEqual(['new'])
      expect(await basket(browser)).toEqual(['new'])
      expect((await browser.go(`${world.url}/page`)).text).toBe('page of 77700000001')
    },
  )

  test('a late response of a destroyed session does not remove a newer cookie', async () => {
    await start(own, storage)
    const browser = await world.signedIn()
    const old = browser.clone()
    const slow = newGate('late')
    const answering = old.visit(`${world.url}/destroy-then-answer?inside=late`, post)
    await slow.entered
    await browser.visit(`${world.url}/auth/logout`, post)
    await browser.go(`${world.url}/auth/login?return_to=/me`)
    slow.open()
    expect((await answering).cookies).toEqual([])
    expect(await isSignedIn(world, browser)).toBe(true)
  })
})

describeOnStores('a sign-in that was ended elsewhere', (storage) => {
  const ways: Readonly<Record<string, (browser: CookieBrowser, other: CookieBrowser) => Promise<unknown>>> = {
    'from another browser': (_browser, other) => other.visit(`${world.url}/auth/logout?everywhere=1`, post),
    'at PAS': async (browser) => {
      world.sandbox.control.revokeUser('alex')
      // The token is not good any more, so the next use of it finds out.
      await browser.visit(`${world.url}/userinfo`)
    },
  }
  for (const whose of WHOSE) {
    test.each(Object.keys(ways))(
      `${whose}, ended %s: what was in the session is not readable any more`,
      async (way) => {
        await start(whose, storage)
        const [browser, other] = [await world.signedIn(), await world.signedIn()]
        await basket(browser, 'secret')
        const before = browser.jar.get(cookieOf(whose))
        await ways[way]?.(browser, other)
        const tab = browser.clone()
        expect([await basket(browser), await basket(tab)]).toEqual([[], []])
        expect((await browser.visit(`${world.url}/`)).text).toBe('home signed-out')
        // And it has a session of its own again.
        expect(await basket(browser, 'new')).toEqual(['new'])
        expect([await basket(browser), browser.jar.get(cookieOf(whose)) === before]).toEqual([['new'], false])
        expect((await browser.go(`${world.url}/page`)).status).toBe(200)
      },
    )

    test(`${whose}: a request in progress while its browser signs in again changes nothing`, async () => {
      await start(whose, storage)
      const browser = await world.signedIn()
      const old = browser.clone()
      const slow = newGate('under way')
      const answering = old.visit(`${world.url}/basket?add=late&gate=under%20way`)
      await slow.entered
      await browser.go(`${world.url}/auth/login?return_to=/me`)
      slow.open()
      expect((await answering).cookies).toEqual([])
      expect([await isSignedIn(world, browser), await basket(browser)]).toEqual([true, []])
    })
  }
})

describeWithOwnRedis('a sign-in whose state is unknown', () => {
  for (const whose of WHOSE) {
    test(`${whose}: while Redis does not respond the session is kept, and works again afterwards`, async () => {
      const redis = await startRedis()
      await start(whose, { options: () => ({ redis: redis.url, sessionSecret: 'uN3xP8vQ2kL7wZ5tR9yB4mC6dF1gH0jK' }) })
      try {
        const browser = await world.signedIn()
        await basket(browser, 'apple')
        redis.pause()
        expect((await browser.visit(`${world.url}/page`)).status).toBe(503)
        redis.resume()
        await until(() => isSignedIn(world, browser))
        expect(await basket(browser)).toEqual(['apple'])
        if (whose !== 'the library’s session') return
        redis.pause()
        const failed = await browser.visit(`${world.url}/destroy-then-answer`, post)
        expect([JSON.parse(failed.text), failed.cookies]).toEqual([{ error: 'store_unavailable' }, []])
      } finally {
        redis.resume()
        await redis.stop()
      }
    })
  }

  test('a session whose record this server’s keys cannot open is kept for a server that can', async () => {
    const redis = await startRedis()
    const key = (id: string): string =>
      `${id}:${Buffer.from([...Array(32).keys()].map((byte) => (byte * 37 + byte * byte * 11 + id.length * 7) & 255)).toString('base64')}`
    const shared = { redis: redis.url, sessionSecret: 'uN3xP8vQ2kL7wZ5tR9yB4mC6dF1gH0jK' }
    await start('the library’s session', { options: () => ({ ...shared, vaultKeys: key('newer') }) })
    const stranger = await startWorld({ options: { ...shared, vaultKeys: key('old') } })
    try {
      const browser = await world.signedIn()
      await basket(browser, 'apple')
      expect((await browser.visit(`${stranger.url}/`)).text).toBe('home signed-out')
      expect(JSON.parse((await browser.visit(`${stranger.url}/basket`)).text).basket).toEqual(['apple'])
      expect([await isSignedIn(world, browser), await basket(browser)]).toEqual([true, ['apple']])
    } finally {
      await stranger.close()
      await redis.stop()
    }
  })
})
