import { afterEach, beforeEach, expect, test } from '@jest/globals'
import express, { type Express } from 'express'
import express4 from 'express4'
import helmet from 'helmet'
import type { Ppoppo, PpoppoOptions } from '../../src/index.js'
import { MAX_RETURN_TO_LENGTH } from '../../src/login-link/return-to.js'
import { buttonOf } from '../support/attempts.js'
import type { CookieBrowser } from '../support/cookie-browser.js'
import { describeWithNginx, type Nginx, reserveNginx } from '../support/nginx.js'
import { startWorld, type World } from '../support/world.js'

let world: World
let nginx: Nginx
beforeEach(async () => {
  nginx = await reserveNginx()
})
afterEach(async () => {
  await nginx.close()
  await world.close()
})

interface Setup {
  readonly options: PpoppoOptions
  readonly mount: (app: Express, auth: Ppoppo, createApp: () => Express) => void
  /** nginx's `server` block, given the app's port. */
  readonly server: (port: number) => string
  readonly announceEndSession?: boolean
}

/** @returns the origin as visitors have it: nginx's */
async function start(setup: Setup, createApp: () => Express = express): Promise<string> {
  const { origin } = nginx
  world = await startWorld({
    createApp,
    sandbox: { announceEndSession: setup.announceEndSession ?? false },
    options: { baseUrl: origin, ...setup.options },
    mount: (app, auth) => setup.mount(app, auth, createApp),
  })
  await nginx.start(setup.server(Number(new URL(world.url).port)))
  return origin
}

/** The app's own pages, in front of which nginx may have taken a prefix away. */
function pages(app: Express, auth: Ppoppo): Express {
  app.use(helmet()).use(auth)
  app.get('/', (req, res) => void res.send(`home ${req.ppoppo.status}`))
  app.get('/deep', auth.requireSignIn(), (req, res) => void res.send(`deep ${req.originalUrl}`))
  app.post('/order', auth.requireSignIn(), (_req, res) => void res.send('ordered'))
  app.get('/button', (req, res) => void res.send(auth.signInButton({ returnTo: req.originalUrl })))
  return app
}

const atRoot: Setup['mount'] = (app, auth) => void pages(app, auth)
const underShop: Setup['mount'] = (app, auth, createApp) => void app.use('/shop', pages(createApp(), auth))

/** With a slash at the end nginx takes the location's prefix away. `Host` is `127.0.0.1:<port>`, as it is by default. */
const strips = (port: number): string => `location /shop/ { proxy_pass http://127.0.0.1:${port}/; }`
const keeps = (port: number): string => `location /shop/ { proxy_pass http://127.0.0.1:${port}; }`

/** Deep link, sign-in, deep link, sign-out, home: and nowhere outside of `base`. */
async function expectWholeStory(origin: string, base = '/shop'): Promise<void> {
  const browser = world.browser()
  const deep = `${origin}${base}/deep?a=1&b=%2F%2Fx`
  const guarded = await browser.visit(deep)
  expect([guarded.status, guarded.location]).toEqual([
    302,
    `${origin}${base}/auth/login?return_to=${encodeURIComponent(deep.slice(origin.length))}`,
  ])
  const landed = await browser.go(deep)
  expect([landed.status, landed.url, landed.text]).toEqual([200, deep, expect.stringContaining('/deep?a=1&b=%2F%2Fx')])
  expect((await browser.visit(`${origin}${base}/auth/session`)).text).toContain('"signedIn":true')
  await expectHomes(browser, origin, base)
  const home = await browser.go(`${origin}${base}/auth/logout`, { method: 'POST', form: {} })
  expect([home.status, home.url, home.text]).toEqual([200, `${origin}${base}/`, 'home signed-out'])
}

/** Whatever says "home" or "again" stays in the app. */
async function expectHomes(browser: CookieBrowser, origin: string, base: string): Promise<void> {
  const confirm = await browser.visit(`${origin}${base}/auth/logout`)
  expect(confirm.text).toContain(`action="${base}/auth/logout"`)
  expect(confirm.text).toContain(`href="${origin}${base}/"`)
  const again = buttonOf(await world.browser().visit(`${origin}${base}/auth/callback?state=x&code=y`))
  expect(again.href.split('?')[0]).toBe(`${origin}${base}/auth/login`)
  expect((await world.browser().go(again.href)).url).toBe(`${origin}${base}/`)
  const referer = { Referer: `${origin}${base}/button` }
  const form = await world.browser().visit(`${origin}${base}/order`, { method: 'POST', form: {}, headers: referer })
  expect(new URL(form.location).searchParams.get('return_to')).toBe(`${base}/button`)
  const [, href = ''] = /href="([^"]+)"/.exec((await browser.visit(`${origin}${base}/button`)).text) ?? []
  expect((await world.browser().go(href.replaceAll('&amp;', '&'))).url).toBe(`${origin}${base}/button`)
}

describeWithNginx('behind nginx', () => {
  test.each([
    ['Express 5', express],
    ['Express 4', express4 as typeof express],
  ])('S4 which strips the prefix, %s: every way leads back into the app', async (_name, createApp) => {
    const origin = await start({ options: { basePath: '/shop' }, mount: atRoot, server: strips }, createApp)
    await expectWholeStory(origin)
  })

  test.each([
    ['Express 5', express],
    ['Express 4', express4 as typeof express],
  ])('X5 which keeps the prefix, %s: every way leads back into the app', async (_name, createApp) => {
    const origin = await start({ options: { mountPath: '/shop/auth' }, mount: underShop, server: keeps }, createApp)
    await expectWholeStory(origin)
  })

  test('S4 which keeps the prefix, and a basePath that may be stripped', async () => {
    const origin = await start({ options: { basePath: '/shop' }, mount: underShop, server: keeps })
    await expectWholeStory(origin)
  })

  test('S4 which strips a part of the prefix, the rest is a mount path in Express', async () => {
    const origin = await start({
      options: { basePath: '/gate/shop', strippedPrefix: '/gate' },
      mount: underShop,
      server: (port) => `location /gate/ { proxy_pass http://127.0.0.1:${port}/; }`,
    })
    await expectWholeStory(origin, '/gate/shop')
  })

  test('S4 which strips: a page whose own path begins like the prefix is come back to, where that is said', async () => {
    const origin = await start({
      options: { basePath: '/shop', strippedPrefix: '/shop' },
      mount: (app, auth) => {
        app.use(auth)
        app.get('/shop/shop', auth.requireSignIn(), (_req, res) => void res.send('a shop in a shop'))
      },
      server: strips,
    })
    const landed = await world.browser().go(`${origin}/shop/shop/shop?x`)
    expect([landed.status, landed.url]).toEqual([200, `${origin}/shop/shop/shop?x`])
  })

  test('S4 which strips: PAS is told the app’s home as the place to come back to after sign-out', async () => {
    const options = { basePath: '/shop' }
    const origin = await start({ options, mount: atRoot, server: strips, announceEndSession: true })
    const browser = world.browser()
    await browser.go(`${origin}/shop/deep`)
    const page = await browser.visit(`${origin}/shop/auth/logout`, { method: 'POST', form: {} })
    expect(buttonOf(page).searchParams.get('post_logout_redirect_uri')).toBe(`${origin}/shop/`)
    expect((await browser.go(buttonOf(page).href)).text).toBe('home signed-out')
  })

  test.each([
    ['of 230 Hangul syllables', encodeURIComponent('가'.repeat(230))],
    ['as long as any that is kept', 'a'.repeat(MAX_RETURN_TO_LENGTH - 'http://localhost:12345/shop/deep?q='.length)],
  ])(
    'S17 a deep link %s, beside helmet and cookies: nginx passes all headers, and it is come back to',
    async (_name, q) => {
      const origin = await start({ options: { basePath: '/shop' }, mount: atRoot, server: strips })
      const deep = `${origin}/shop/deep?q=${q}`
      expect(deep.length).toBeGreaterThan(2_100)
      const landed = await world.browser().go(deep)
      expect([landed.status, landed.url]).toEqual([200, deep])
    },
  )

  test('A4 two apps on one host, one of them under a path: each signs in, and the other’s routes are its own', async () => {
    const { origin } = nginx
    world = await startWorld({ options: { baseUrl: origin, clientId: 'blog_login_client' } })
    const { sandbox } = world
    const shop = await startWorld({
      sandbox,
      options: { baseUrl: origin, clientId: 'shop_login_client', mountPath: '/shop/auth' },
      mount: (app, auth) => underShop(app, auth, express),
      routes: (app) => void app.get(['/auth/login', '/auth/session'], (_req, res) => void res.send("the app's own")),
    })
    try {
      const [blogPort, shopPort] = [new URL(world.url).port, new URL(shop.url).port]
      const blog = `location / { proxy_pass http://127.0.0.1:${blogPort}; }`
      await nginx.start(`${blog}\n${keeps(Number(shopPort))}`)
      const browser = world.browser()
      expect((await browser.go(`${origin}/page`)).url).toBe(`${origin}/page`)
      expect((await browser.go(`${origin}/shop/deep`)).url).toBe(`${origin}/shop/deep`)
      expect((await browser.visit(`${origin}/auth/session`)).text).toContain('"signedIn":true')
      expect((await browser.visit(`${origin}/shop/auth/session`)).text).toContain('"signedIn":true')
      expect((await browser.visit(`${shop.url}/auth/login`)).text).toBe("the app's own")
    } finally {
      await shop.close()
    }
  })
})
