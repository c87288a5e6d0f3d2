import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { build } from 'esbuild'
import type { BrowserContext, Page } from 'playwright-core'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import request from 'supertest'
import { WebSocketServer } from 'ws'
import { clientScriptModule } from '../../scripts/client-script.mjs'
import { useSignIn } from '../../src/browser/react.js'
import { signInAs, toPlaywright } from '../../src/testing/index.js'
import { allowed } from '../support/allowed.js'
import { describeWithBrowser, launchBrowser, type TestBrowser } from '../support/browser.js'
import { until } from '../support/until.js'
import { startWorld, type World } from '../support/world.js'

const ALEX = { sub: '01HZY3V9QK8E5R6T7W8X9Y0Z1A', ppnum: '12312345678' }
const MAX_BYTES = 2_048
/** From a sign-out in one tab until the others show it. */
const CHANGE_MS = 2_000
const POLICY = "default-src 'none'; script-src 'self'; connect-src 'self' ws:"

/** A page as an app without a build step has it. */
const PLAIN = `
import { getState, refresh, signIn, signOut, subscribe } from '/auth/client.js'
const show = () => { document.title = JSON.stringify(getState()) }
subscribe(show)
show()
Object.assign(window, { refresh, signIn, signOut, getState })
window.socket = new WebSocket(location.origin.replace('http', 'ws'))
`
/** The same with React, bundled. */
const REACT = `
import { createElement } from 'react'
import { createRoot } from 'react-dom/client'
import { useSignIn } from 'express-ppoppo/react'
function App() {
  const { status, user, isStale, signOut } = useSignIn()
  return createElement('button', { onClick: () => signOut() }, [status, user?.ppnum, isStale].join(' '))
}
createRoot(document.body).render(createElement(App))
`

const REACT_ENTRY = fileURLToPath(new URL('../../src/browser/react.ts', import.meta.url))

/** Fails where something imports what only Node has. */
async function bundleForBrowsers(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    alias: { 'express-ppoppo/react': REACT_ENTRY },
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'silent',
  })
  return outputFiles[0]?.text ?? ''
}

let world: World
beforeAll(async () => {
  const react = await bundleForBrowsers(REACT)
  world = await startWorld({
    options: { session: { idleMs: 60_000 } },
    routes: (app) => {
      app.use(['/plain', '/react', '/plain.js', '/react.js'], (_req, res, next) => {
        res.set('Content-Security-Policy', POLICY)
        next()
      })
      for (const [name, script] of [
        ['plain', PLAIN],
        ['react', react],
      ] as const) {
        app.get(
          `/${name}`,
          (_req, res) => void res.send(`<!doctype html><body><script type="module" src="/${name}.js"></script>`),
        )
        app.get(`/${name}.js`, (_req, res) => void res.type('js').send(script))
      }
    },
  })
  const sockets = new WebSocketServer({ noServer: true })
  world.server.on('upgrade', async (req, socket, head) => {
    const visitor = await world.auth.fromUpgrade(req)
    if (!visitor.isSignedIn) return visitor.refuse()
    sockets.handleUpgrade(req, socket, head, (ws) =>
      ws.once(
        'close',
        visitor.onEnded(() => ws.close(4401)),
      ),
    )
  })
})
afterAll(() => world.close())

describe('/auth/client.js', () => {
  test('is a small module, the same for everybody, that any page may load', async () => {
    const answer = await request(world.app).get('/auth/client.js').expect(200)
    expect(Buffer.byteLength(answer.text)).toBeLessThanOrEqual(MAX_BYTES)
    expect(answer.text).toContain(`"${world.url}/auth"`)
    expect(answer.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=3600, stale-while-revalidate=86400',
      'x-content-type-options': 'nosniff',
      'access-control-allow-origin': '*',
    })
    await request(world.app).get('/auth/client.js').set('If-None-Match', String(answer.headers['etag'])).expect(304)
  })

  test('is made from client.ts (if not, run: node scripts/client-script.mjs)', async () => {
    const file = new URL('../../src/browser/client-script.generated.ts', import.meta.url)
    expect(readFileSync(file, 'utf8')).toBe(await clientScriptModule())
  })
})

describe('useSignIn()', () => {
  test('is unknown on a server, where it makes no request', () => {
    const App = () => createElement('p', null, useSignIn().status)
    expect(renderToString(createElement(App))).toBe('<p>unknown</p>')
  })
})

describeWithBrowser('a page that follows the sign-in', () => {
  let browser: TestBrowser
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser?.close())

  async function signedIn(): Promise<BrowserContext> {
    const context = await browser.newContext()
    await context.addCookies(toPlaywright(await signInAs(world.auth, ALEX)))
    return context
  }

  async function openPage(context: BrowserContext, name: string): Promise<Page> {
    const page = await context.newPage()
    await page.goto(`${world.url}/${name}`)
    return page
  }

  const stateOf = async (page: Page): Promise<Record<string, unknown>> => JSON.parse(await page.title())

  test('a sign-out in one tab changes the others, with and without React, and closes their socket', async () => {
    const context = await signedIn()
    const [one, two, three] = [
      await openPage(context, 'plain'),
      await openPage(context, 'plain'),
      await openPage(context, 'react'),
    ]
    await until(async () => (await stateOf(two))['status'] === 'signed-in')
    expect(await stateOf(two)).toMatchObject({ user: ALEX, isStale: false, expiresAt: expect.any(String) })
    await three.getByText('signed-in 12312345678 false').waitFor()
    await until(() => two.evaluate('socket.readyState === 1'), 'the socket is open')
    await two.evaluate("socket.addEventListener('close', ({ code }) => { window.closeCode = code })")

    const signedOutAt = performance.now()
    await one.evaluate('signOut()')
    expect(await stateOf(one)).toEqual({ status: 'signed-out', isStale: false })
    await until(async () => (await stateOf(two))['status'] === 'signed-out')
    await three.getByText('signed-out').waitFor()
    await until(() => two.evaluate('window.closeCode === 4401'), 'the socket is closed')
    expect(performance.now() - signedOutAt).toBeLessThan(await allowed(CHANGE_MS))
    await context.close()
  })

  test('with React, a click signs out, and a tab that comes to the front asks again', async () => {
    const context = await signedIn()
    const [react, plain] = [await openPage(context, 'react'), await openPage(context, 'plain')]
    await react.getByText('signed-in').click()
    await react.getByText('signed-out').waitFor()
    await until(async () => (await stateOf(plain))['status'] === 'signed-out')
    // Signed in again elsewhere: no tab has been notified.
    await context.addCookies(toPlaywright(await signInAs(world.auth, ALEX)))
    await plain.evaluate("dispatchEvent(new Event('focus'))")
    await until(async () => (await stateOf(plain))['status'] === 'signed-in')
    await react.getByText('signed-in').waitFor()
    await context.close()
  })

  test('without a network the known state stays, marked as possibly out of date', async () => {
    const context = await signedIn()
    const page = await openPage(context, 'plain')
    await until(async () => (await stateOf(page))['status'] === 'signed-in')
    await context.setOffline(true)
    await page.evaluate('refresh()')
    expect(await stateOf(page)).toMatchObject({ status: 'signed-in', user: ALEX, isStale: true })
    await expect(page.evaluate('signOut()')).rejects.toThrow()
    expect(await stateOf(page)).toMatchObject({ status: 'signed-in', isStale: true })
    await context.setOffline(false)
    await until(async () => (await stateOf(page))['isStale'] === false)
    await context.close()
  })

  test('signIn() comes back to its own page, by its full address where the routes are on another origin', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    const comesBackTo = async (origin: string, call: string): Promise<string | null> => {
      await page.goto(`${origin}/plain?a=1`)
      await until(() => page.evaluate("typeof signIn === 'function'"))
      const asked = page.waitForRequest('**/auth/login?*')
      await page.route('**/auth/login?*', (route) => route.fulfill({ body: '' }))
      await page.evaluate(call)
      return new URL((await asked).url()).searchParams.get('return_to')
    }
    const other = world.url.replace('localhost', '127.0.0.1')
    expect(other).not.toBe(world.url)
    expect(await comesBackTo(world.url, 'signIn()')).toBe('/plain?a=1')
    expect(await comesBackTo(world.url, "signIn('/b')")).toBe('/b')
    expect(await comesBackTo(other, 'signIn()')).toBe(`${other}/plain?a=1`)
    expect(await comesBackTo(other, "signIn('/b')")).toBe(`${other}/b`)
    // The login takes the app's home instead.
    for (const malformed of ['https://[', 'http://a:b', 'https://'])
      expect(await comesBackTo(world.url, `signIn('${malformed}')`)).toBe(malformed)
    expect(await comesBackTo(world.url, "signIn(new Event('click'))")).toBe('/plain?a=1')
    expect(await comesBackTo(world.url, 'signIn(null)')).toBe('/plain?a=1')
    await context.close()
  })

  test('asks before the sign-in expires, and right after it', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    let now = Date.parse('2026-11-29T12:00:00Z')
    await page.clock.install({ time: now })
    const elapsed = async (ms: number): Promise<void> => {
      now += ms
      await page.clock.fastForward(ms)
    }
    const endsAt = now + 60_000
    const asked: number[] = []
    await page.route('**/auth/session', (route) => {
      asked.push(endsAt - now)
      const expiresAt = new Date(endsAt).toISOString()
      return route.fulfill({ json: now < endsAt ? { signedIn: true, user: ALEX, expiresAt } : { signedIn: false } })
    })
    await page.goto(`${world.url}/plain`)
    await until(async () => (await stateOf(page))['status'] === 'signed-in')
    expect(new Set(asked)).toEqual(new Set([60_000]))
    await elapsed(56_000)
    await until(() => asked.includes(4_000), 'it asks before the end')
    // Once the answer has set the timer for the end.
    await until(async () => {
      if ((await stateOf(page))['status'] === 'signed-in') await elapsed(1_000)
      return (await stateOf(page))['status'] === 'signed-out'
    })
    await page.unrouteAll({ behavior: 'wait' })
    await context.close()
  })
})
