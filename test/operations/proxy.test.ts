import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { Express } from 'express'
import session from 'express-session'
import type { Ppoppo, PpoppoOptions } from '../../src/index.js'
import type { Answer, CookieBrowser } from '../support/cookie-browser.js'
import { startWorld, type World } from '../support/world.js'

let world: World
afterEach(() => world.close())

const ORIGIN = 'https://localhost'
/** What a TLS-terminating proxy in front of the app is configured with. */
const HTTPS: PpoppoOptions = {
  baseUrl: ORIGIN,
  sessionSecret: randomBytes(32).toString('base64url'),
  vaultKeys: `k1:${randomBytes(32).toString('base64')}`,
}

/** A browser outside the proxy: the hop to the app is plain http. */
async function signIn(browser: CookieBrowser, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const inside = (location: string): string => location.replace(ORIGIN, world.url)
  let answer = await browser.visit(`${world.url}/auth/login?return_to=/page`, { headers })
  for (let hops = 0; answer.location !== '' && hops < 8; hops += 1) {
    answer = await browser.visit(inside(answer.location), { headers })
  }
  return answer
}

function withAppSession(cookie: session.CookieOptions, trustProxy = false): (app: Express, auth: Ppoppo) => void {
  return (app, auth) => {
    if (trustProxy) app.set('trust proxy', 1)
    app.use(session({ secret: randomBytes(32).toString('hex'), resave: false, saveUninitialized: false, cookie }))
    app.use(auth)
  }
}

const blocked = () => world.events.filter((event) => event.type === 'warning' && event.code === 'secure_cookie_blocked')

describe('C40 behind a proxy that ends TLS', () => {
  test('C40 the library session works without "trust proxy", and every cookie is Secure', async () => {
    world = await startWorld({ options: HTTPS })
    const browser = world.browser()
    const lines: string[] = []
    let answer = await browser.visit(`${world.url}/auth/login?return_to=/page`)
    lines.push(...answer.cookies)
    while (answer.location !== '') {
      answer = await browser.visit(answer.location.replace(ORIGIN, world.url))
      lines.push(...answer.cookies)
    }
    expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('page of')])
    expect(lines.length).toBeGreaterThanOrEqual(3)
    for (const line of lines) expect(line).toMatch(/^__Host-.*Path=\/.*Secure|^__Host-.*Secure.*Path=\//)
    expect(blocked()).toEqual([])
  })

  test('C40 the app\'s own secure session without "trust proxy": one warning that names the setting', async () => {
    world = await startWorld({ options: { ...HTTPS, session: false }, mount: withAppSession({ secure: true }) })
    const browser = world.browser()
    await browser.visit(world.url)
    expect(blocked()).toHaveLength(1)
    expect(blocked()[0]).toMatchObject({ detail: expect.stringContaining('trust proxy') })
    const answer = await signIn(browser)
    // No round and round: a page that says that the cookie does not arrive.
    expect(answer.status).toBe(400)
    expect(answer.text).toMatch(/cookie/i)
    expect(blocked()).toHaveLength(1)
  })

  test('C40 the app\'s own secure session with "trust proxy" and X-Forwarded-Proto: works, no warning', async () => {
    world = await startWorld({ options: { ...HTTPS, session: false }, mount: withAppSession({ secure: true }, true) })
    const answer = await signIn(world.browser(), { 'X-Forwarded-Proto': 'https' })
    expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('page of')])
    expect(blocked()).toEqual([])
  })

  test("C40 the app's own session with secure: 'auto': works, no warning", async () => {
    world = await startWorld({ options: { ...HTTPS, session: false }, mount: withAppSession({ secure: 'auto' }) })
    expect((await signIn(world.browser())).text).toContain('page of')
    expect(blocked()).toEqual([])
  })

  test('C40 a secure session cookie on plain http, no proxy at all: a warning, too', async () => {
    world = await startWorld({ options: { session: false }, mount: withAppSession({ secure: true }) })
    await world.browser().visit(world.url)
    expect(blocked()).toHaveLength(1)
  })

  test('C40 Host and X-Forwarded-* change no address we send people to', async () => {
    world = await startWorld({ options: HTTPS })
    const headers = { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'http', 'X-Forwarded-Prefix': '/evil' }
    const guarded = await world.browser().visit(`${world.url}/page`, { headers })
    expect(guarded.location).toBe(`${ORIGIN}/auth/login?return_to=%2Fpage`)
  })
})
