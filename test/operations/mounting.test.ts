import { afterEach, describe, expect, jest, test } from '@jest/globals'
import express, { type Express } from 'express'
import express4 from 'express4'
import helmet from 'helmet'
import type { Ppoppo, PpoppoOptions } from '../../src/index.js'
import { startWorld, type World, type WorldOptions } from '../support/world.js'

jest.setTimeout(40_000)

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

  test('C45 behind a proxy that takes a prefix away', async () => {
    world = await startWorld({
      createApp,
      options: SUB,
      mount: (app, auth) => {
        // The hop that strips: what comes after it never sees `/sub`.
        app.use((req, _res, next) => {
          req.url = req.url.replace(/^\/sub(?=\/)/, '')
          req.originalUrl = req.url
          next()
        })
        app.use(auth)
      },
    })
    const browser = world.browser()
    const landed = await browser.go(`${world.url}/sub/auth/login?return_to=/sub/page`)
    expect([landed.status, landed.url]).toEqual([200, `${world.url}/sub/page`])
    expect((await browser.visit(`${world.url}/sub/auth/session`)).text).toContain('"signedIn":true')
    expect((await browser.visit(`${world.url}/sub/auth/logout`, { method: 'POST' })).status).toBe(303)
    expect((await browser.visit(`${world.url}/sub/auth/session`)).text).toBe('{"signedIn":false}')
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
    for (const path of ['/auth/callback', '/page']) {
      const answer = await world.browser().visit(world.url + path)
      expect([path, answer.status, JSON.parse(answer.text).code]).toEqual([path, 500, 'session_missing'])
    }
  })
})
