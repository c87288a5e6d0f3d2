import { afterEach, describe, expect, test } from '@jest/globals'
import express, { type Express } from 'express'
import express4 from 'express4'
import helmet from 'helmet'
import { type Ppoppo, type PpoppoOptions, ppoppo } from '../../src/index.js'
import type { Answer, Visit } from '../support/cookie-browser.js'
import { startWorld, type World, type WorldOptions } from '../support/world.js'

let world: World
afterEach(() => world.close())

const VERSIONS: readonly (readonly [string, () => Express])[] = [
  ['Express 5', express],
  ['Express 4', express4],
]

/** A person's way through: guard, sign-in, live data, session, sign-out, and the guard again. */
async function expectWholeStory({ auth = '/auth', app = '' } = {}): Promise<void> {
  const browser = world.browser()
  const landed = await browser.go(`${world.url}${app}/page`)
  expect([landed.status, landed.url]).toEqual([200, `${world.url}${app}/page`])
  expect((await browser.visit(`${world.url}${app}/userinfo`)).text).toContain('alex')
  expect((await browser.visit(`${world.url}${auth}/session`)).text).toContain('"signedIn":true')
  expect((await browser.visit(`${world.url}${auth}/logout`)).status).toBe(200)
  expect((await browser.visit(`${world.url}${auth}/logout`, { method: 'POST', form: {} })).status).toBe(303)
  expect((await browser.visit(`${world.url}${auth}/session`)).text).toBe('{"signedIn":false}')
  const again = await browser.visit(`${world.url}${app}/page`)
  expect([again.status, again.location]).toEqual([302, expect.stringContaining(`${auth}/login?return_to=`)])
  expect((await browser.visit(`${world.url}${auth}/button.js`)).status).toBe(200)
}

const HELMET = helmet()
const MOUNTS: readonly (readonly [string, (app: Express, auth: Ppoppo) => void])[] = [
  ['app.use(auth)', (app, auth) => app.use(auth)],
  ['its three parts one by one', (app, auth) => app.use(auth.session).use(auth.middleware).use(auth.router)],
  ['its router under its path', (app, auth) => app.use(auth.session).use(auth.middleware).use('/auth', auth.router)],
  ['helmet before', (app, auth) => app.use(HELMET).use(auth)],
  ['helmet after', (app, auth) => app.use(auth).use(HELMET)],
  ['a body parser before', (app, auth) => app.use(express.urlencoded({ extended: false })).use(auth)],
  ['twice', (app, auth) => app.use(auth).use(auth)],
]

describe.each(VERSIONS)('C45 %s', (_, createApp) => {
  test.each(MOUNTS)('C45 %s: the whole story', async (_name, mount) => {
    world = await startWorld({ createApp, mount })
    await expectWholeStory()
  })

  const SUB: PpoppoOptions = { mountPath: '/sub/auth' }
  const routesUnderSub: WorldOptions['routes'] = (app, auth) => {
    const sub = createApp()
    sub.use(auth)
    sub.get('/page', auth.requireSignIn(), (_req, res) => void res.send('page'))
    sub.get('/userinfo', auth.requireSignIn(), (req, res, next) => {
      req.ppoppo.userinfo().then((info) => res.json(info), next)
    })
    app.use('/sub', sub)
  }

  test('C45 an app under a sub-path', async () => {
    world = await startWorld({ createApp, options: SUB, mount: () => {}, routes: routesUnderSub })
    await expectWholeStory({ auth: '/sub/auth', app: '/sub' })
  })

  test("C45 app.use('/sub', auth), the guarded pages beside it", async () => {
    world = await startWorld({
      createApp,
      options: SUB,
      mount: (app, auth) => app.use('/sub', auth),
      routes: routesUnderSub,
    })
    await expectWholeStory({ auth: '/sub/auth', app: '/sub' })
  })

  test('A4 two apps in one process, one under a path: each signs in, and its routes stay its own', async () => {
    const shop = createApp()
    world = await startWorld({ createApp, mount: (app, auth) => app.use('/shop', shop).use(auth) })
    const { issuer } = world.sandbox
    const inShop = ppoppo({ clientId: 'shop_login_client', baseUrl: world.url, issuer, mountPath: '/shop/auth' })
    shop.use(inShop)
    shop.get('/page', inShop.requireSignIn(), (_req, res) => void res.send('page'))
    shop.get('/auth/about', (_req, res) => void res.send("the app's own"))
    try {
      const browser = world.browser()
      expect((await browser.go(`${world.url}/shop/page`)).text).toBe('page')
      expect((await browser.visit(`${world.url}/auth/session`)).text).toBe('{"signedIn":false}')
      expect((await browser.go(`${world.url}/page`)).url).toBe(`${world.url}/page`)
      expect((await browser.visit(`${world.url}/auth/session`)).text).toContain('"signedIn":true')
      expect((await browser.visit(`${world.url}/shop/auth/session`)).text).toContain('"signedIn":true')
      expect((await browser.visit(`${world.url}/shop/auth/about`)).text).toBe("the app's own")
    } finally {
      await inShop.close()
    }
  })

  test('A4 under a sub-path the app keeps its own /auth/login, /auth/session and /auth/logout', async () => {
    world = await startWorld({
      createApp,
      options: SUB,
      routes: (app) => {
        for (const path of ['/auth/login', '/auth/session', '/auth/logout', '/b/auth/login', '/ub/auth/session'])
          app.all(path, (_req, res) => void res.send("the app's own"))
      },
    })
    for (const path of ['/auth/login', '/auth/session', '/auth/logout', '/b/auth/login', '/ub/auth/session']) {
      for (const method of ['GET', 'POST'])
        expect([path, (await world.browser().visit(world.url + path, { method })).text]).toEqual([
          path,
          "the app's own",
        ])
    }
    expect((await world.browser().go(`${world.url}/page`)).url).toBe(`${world.url}/page`)
    expect((await world.browser().visit(`${world.url}/page`)).location).toContain('/sub/auth/login?return_to=%2Fpage')
  })

  test('A20 requests in absolute form are as any other, whatever host they name', async () => {
    world = await startWorld({ createApp })
    const browser = world.browser()
    const visit = (url: string, visit: Visit = {}): Promise<Answer> => {
      const { pathname, search } = new URL(url)
      return browser.visit(url, { ...visit, target: `http://LOCALHOST${pathname}${search}` })
    }
    let answer = await visit(`${world.url}/page?a=1`)
    expect(answer.location).toBe(`${world.url}/auth/login?return_to=%2Fpage%3Fa%3D1`)
    while (answer.location !== '')
      answer = await (answer.location.startsWith(world.url) ? visit(answer.location) : browser.visit(answer.location))
    expect([answer.status, answer.url]).toEqual([200, `${world.url}/page?a=1`])
    expect((await visit(`${world.url}/auth/session`)).text).toContain('"signedIn":true')
    expect((await visit(`${world.url}/auth/button.js`)).status).toBe(200)
    expect((await visit(`${world.url}/auth/logout?return_to=/basket`, { method: 'POST' })).location).toBe(
      `${world.url}/basket`,
    )
    const elsewhere = await browser.visit(`${world.url}/me?b`, { target: 'http://evil.example/me?b' })
    expect(elsewhere.location).toBe(`${world.url}/auth/login?return_to=%2Fme%3Fb`)
  })

  test('C45 what goes wrong reaches the error handler of the app', async () => {
    world = await startWorld({ createApp, mount: (app, auth) => app.use(auth.middleware).use(auth.session) })
    const early = await world.browser().visit(world.url)
    expect([early.status, JSON.parse(early.text).code]).toEqual([500, 'session_missing'])
  })

  test('C45 an error in an async handler of PAS calls reaches next(error)', async () => {
    world = await startWorld({ createApp })
    const browser = await world.signedIn()
    world.sandbox.control.inject({ endpoint: 'userinfo', fault: { kind: 'wrong-sub' } })
    const answer = await browser.visit(`${world.url}/userinfo`)
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([502, 'subject_mismatch'])
    expect((await browser.visit(`${world.url}/token`)).status).toBe(200)
  })

  test('C45 a router or guard without what it needs says so', async () => {
    world = await startWorld({ createApp, mount: (app, auth) => app.use(auth.session).use(auth.router) })
    for (const path of ['/auth/login', '/auth/callback', '/page']) {
      const answer = await world.browser().visit(world.url + path)
      expect([path, answer.status, JSON.parse(answer.text).code]).toEqual([path, 500, 'session_missing'])
    }
  })
})
