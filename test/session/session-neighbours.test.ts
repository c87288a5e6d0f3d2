import { describe, expect, test } from '@jest/globals'
import type { Express, RequestHandler } from 'express'
import expressSession from 'express-session'
import { startSandbox } from 'ppoppo-sandbox'
import type { Ppoppo } from '../../src/index.js'
import { ppoppo } from '../../src/index.js'
import { cookieNamesOf } from '../../src/session/cookie-names.js'
import { isSignedIn } from '../support/attempts.js'
import { describeOnStores } from '../support/stores.js'
import { COOKIES, startWorld, type World } from '../support/world.js'

const post = { method: 'POST', headers: { 'Sec-Fetch-Site': 'same-origin' } }
const appSession = (): RequestHandler =>
  expressSession({ name: 'app.sid', secret: 'the app’s own', resave: false, saveUninitialized: false })
const basketOf = async (world: World, browser: ReturnType<World['browser']>): Promise<string[]> =>
  JSON.parse((await browser.visit(`${world.url}/basket`)).text).basket

describeOnStores('C45 in the app’s own session', (storage) => {
  test.each([
    ['session: false', { session: false } as const],
    ['req.session is there already', {}],
  ])(
    'C45 %s: it holds only a pointer, and after sign-out a new one holds nothing for the next person',
    async (_name, more) => {
      const world = await startWorld({
        options: { ...storage.options(), ...more, keepAnonymous: ['basket'] },
        mount: (app, auth) => app.use(appSession(), auth),
        routes: (app) => {
          app.get('/keys', (req, res) => {
            res.json(Object.keys(req.session))
          })
        },
      })
      try {
        const browser = world.browser()
        await browser.visit(`${world.url}/basket?add=apple`)
        const before = browser.jar.get('app.sid')
        expect((await browser.go(`${world.url}/auth/login?return_to=/me`)).status).toBe(200)
        expect(browser.jar.get('app.sid')).not.toBe(before)
        expect([...browser.jar.keys()].filter((name) => /^ppoppo(-[\w-]{8})?$/.test(name))).toEqual([])
        expect(await basketOf(world, browser)).toEqual(['apple'])
        const keys: string[] = JSON.parse((await browser.visit(`${world.url}/keys`)).text)
        expect(keys.filter((key) => key.startsWith('ppoppo:'))).toHaveLength(1)

        const old = browser.clone()
        expect((await browser.visit(`${world.url}/auth/logout`, post)).status).toBe(303)
        expect([await isSignedIn(world, browser), await isSignedIn(world, old)]).toEqual([false, false])
        expect(browser.jar.get('app.sid')).not.toBe(old.jar.get('app.sid'))
        for (const tab of [browser, old]) {
          expect(await basketOf(world, tab)).toEqual([])
          expect(JSON.parse((await tab.visit(`${world.url}/keys`)).text)).toEqual(['cookie'])
        }
        world.sandbox.control.set({ autoSignIn: 'mina' })
        expect((await browser.go(`${world.url}/auth/login?return_to=/me`)).text).toContain('"77700000002"')
        expect(await basketOf(world, browser)).toEqual([])
        // Nobody signed in: no session is made for it.
        expect((await world.browser().visit(`${world.url}/auth/logout`, post)).cookies).toEqual([])
      } finally {
        await world.close()
      }
    },
  )

  test('C45 another express-session mounted after auth uses the library’s session; both orders work', async () => {
    const world = await startWorld({
      options: storage.options(),
      mount: (app, auth) => app.use(auth, appSession()),
    })
    try {
      const browser = await world.signedIn()
      await browser.visit(`${world.url}/basket?add=apple`)
      expect([browser.jar.has(COOKIES.session), browser.jar.has('app.sid')]).toEqual([true, false])
      expect([await isSignedIn(world, browser), await basketOf(world, browser)]).toEqual([true, ['apple']])
    } finally {
      await world.close()
    }
  })

  test('C45 req.session.regenerate() by other code (passport’s req.login) signs out, or keeps the sign-in that is copied over', async () => {
    const world = await startWorld({
      options: storage.options(),
      routes: (app) => {
        app.post('/login-of-passport', (req, res, next) => {
          const former = { ...req.session }
          req.session.regenerate((error: unknown) => {
            if (error) return next(error)
            if (req.query['keep']) {
              const { cookie: _cookie, ...kept } = former
              Object.assign(req.session, kept)
            }
            res.send('logged in')
          })
        })
      },
    })
    try {
      for (const [query, isIn] of [
        ['', false],
        ['?keep=1', true],
      ] as const) {
        const browser = await world.signedIn()
        const before = browser.jar.get(COOKIES.session)
        await browser.visit(`${world.url}/login-of-passport${query}`, post)
        expect(browser.jar.get(COOKIES.session)).not.toBe(before)
        expect(await isSignedIn(world, browser)).toBe(isIn)
        expect((await browser.go(`${world.url}/page`)).status).toBe(200)
      }
    } finally {
      await world.close()
    }
  })
})

describe('C45 a session that cannot be used', () => {
  test.each([
    ['none at all', (_req, _res, next) => next(), /There is no req.session here/],
    [
      'one like cookie-session’s',
      (req, _res, next) => {
        Object.assign(req, { session: { isNew: true } })
        next()
      },
      /has no regenerate\(\)/,
    ],
  ] as [string, RequestHandler, RegExp][])('C45 %s is one clear error', async (_name, session, message) => {
    const world = await startWorld({ options: { session: false }, mount: (app, auth) => app.use(session, auth) })
    try {
      // A login by itself needs no session, but its callback does: nobody is sent to PAS for nothing.
      for (const [path, method] of [
        ['/', 'GET'],
        ['/auth/login', 'GET'],
        ['/auth/login', 'POST'],
        ['/auth/callback', 'GET'],
      ] as const) {
        const answer = await world.browser().visit(world.url + path, { method })
        expect([path, answer.status, JSON.parse(answer.text).code]).toEqual([path, 500, 'session_missing'])
        expect(JSON.parse(answer.text).message).toMatch(message)
      }
      expect((await world.browser().visit(`${world.url}/auth/button.css`)).status).toBe(200)
    } finally {
      await world.close()
    }
  })

  test('C45 a session that stays away after it was there is an outage: a login still leads to PAS', async () => {
    const sessions = appSession()
    let isStoreConnected = true
    const world = await startWorld({
      options: { session: false },
      // As express-session does while its store is disconnected.
      mount: (app, auth) => app.use((req, res, next) => (isStoreConnected ? sessions(req, res, next) : next()), auth),
    })
    try {
      expect((await world.browser().visit(`${world.url}/`)).status).toBe(200)
      isStoreConnected = false
      const { location } = await world.browser().visit(`${world.url}/auth/login`)
      expect(location).toContain(`${world.sandbox.issuer}/oauth/authorize?`)
    } finally {
      await world.close()
    }
  })

  test('C45 a session that is mounted between the parts is there for the callback', async () => {
    const sessions = appSession()
    const world = await startWorld({
      options: { session: false },
      mount: (app, auth) => app.use(auth.session, sessions, auth.middleware, auth.router),
    })
    try {
      expect((await world.browser().go(`${world.url}/page`)).url).toBe(`${world.url}/page`)
    } finally {
      await world.close()
    }
  })
})

describeOnStores('C45 two instances with different clients in one process', (storage) => {
  async function twoShops(mount: (app: Express, shop: Ppoppo, club: Ppoppo) => void) {
    const sandbox = await startSandbox({ pasPort: 0, autoSignIn: 'alex' })
    const options = storage.options()
    let club: Ppoppo | undefined
    const world = await startWorld({
      sandbox,
      options: { ...options, clientId: 'shop_login_client', mountPath: '/shop/auth' },
      mount: (app, shop) => {
        app.use((req, _res, next) => {
          // The port is known only now.
          club ??= ppoppo({
            ...options,
            clientId: 'club_login_client',
            baseUrl: `http://${req.headers.host}`,
            issuer: sandbox.issuer,
            mountPath: '/club/auth',
            onEvent: () => {},
          })
          next()
        })
        const late: RequestHandler = (req, res, next) => club?.(req, res, next)
        mount(app, shop, late as Ppoppo)
        const tell: RequestHandler = (req, res) => void res.json({ isIn: req.ppoppo.isSignedIn })
        app.get(['/shop/me', '/club/me'], tell)
      },
    })
    const isIn = async (browser: ReturnType<World['browser']>, name: string): Promise<boolean> =>
      JSON.parse((await browser.visit(`${world.url}/${name}/me`)).text).isIn
    const close = async (): Promise<void> => {
      await club?.close()
      await world.close()
      await sandbox.close()
    }
    return { world, isIn, close }
  }

  test('C45 mounted side by side, both have a cookie and a sign-in, and signing out everywhere of one keeps the other', async () => {
    const { world, isIn, close } = await twoShops((app, shop, club) => {
      app.use('/shop', shop)
      app.use('/club', club)
    })
    try {
      const browser = world.browser()
      for (const name of ['shop', 'club'])
        expect((await browser.go(`${world.url}/${name}/auth/login?return_to=/${name}/me`)).text).toBe('{"isIn":true}')
      const names = ['shop', 'club'].map(
        (name) => cookieNamesOf({ clientId: `${name}_login_client`, isHttps: false }).session,
      )
      expect([...browser.jar.keys()].filter((name) => /^ppoppo(-[\w-]{8})?$/.test(name)).sort()).toEqual(names.sort())
      expect(new Set(names).size).toBe(2)
      expect([await isIn(browser, 'shop'), await isIn(browser, 'club')]).toEqual([true, true])
      await browser.visit(`${world.url}/shop/auth/logout?everywhere=1`, post)
      expect([await isIn(browser, 'shop'), await isIn(browser, 'club')]).toEqual([false, true])
    } finally {
      await close()
    }
  })

  test('C45 one after the other in one session, each ends its own sign-in and keeps the other’s', async () => {
    const { world, isIn, close } = await twoShops((app, shop, club) => {
      app.use(shop.session)
      app.use('/shop', shop)
      app.use('/club', club)
    })
    try {
      for (const [ends, stays] of [
        ['shop', 'club'],
        ['club', 'shop'],
      ] as const) {
        const browser = world.browser()
        for (const name of [ends, stays]) await browser.go(`${world.url}/${name}/auth/login?return_to=/${name}/me`)
        expect([await isIn(browser, ends), await isIn(browser, stays)]).toEqual([true, true])
        await browser.visit(`${world.url}/${ends}/auth/logout?everywhere=1`, post)
        expect([ends, await isIn(browser, ends), await isIn(browser, stays)]).toEqual([ends, false, true])
      }
    } finally {
      await close()
    }
  })
})
