import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { afterEach, describe, expect, test } from '@jest/globals'
import expressSession, { MemoryStore, type SessionData } from 'express-session'
import type { PpoppoOptions } from '../../src/index.js'
import { beginAttempt, isSignedIn } from '../support/attempts.js'
import type { CookieBrowser } from '../support/cookie-browser.js'
import { describeOnStores } from '../support/stores.js'
import { COOKIES, startWorld, type World } from '../support/world.js'

let world: World
afterEach(() => world.close())

const sessionOf = (browser: CookieBrowser): string => browser.jar.get(COOKIES.session) ?? ''

describeOnStores('the session at sign-in', (storage) => {
  async function start(options: PpoppoOptions = {}): Promise<void> {
    world = await startWorld({ options: { ...storage.options(), ...options } })
  }
  const basketOf = async (browser: CookieBrowser): Promise<unknown> =>
    JSON.parse((await browser.visit(`${world.url}/basket`)).text).basket

  test('C17 each sign-in creates a new session id, and the old ids are invalid', async () => {
    await start()
    const browser = world.browser()
    await browser.visit(`${world.url}/basket?add=apple`)
    const ids = [sessionOf(browser)]
    const old = [browser.clone()]
    for (const round of [1, 2]) {
      expect((await browser.go(`${world.url}/auth/login?return_to=/me?${round}`)).status).toBe(200)
      ids.push(sessionOf(browser))
      if (round === 1) old.push(browser.clone())
    }
    expect(new Set(ids).size).toBe(3)
    for (const before of old) {
      expect(await isSignedIn(world, before)).toBe(false)
      expect(await basketOf(before)).toEqual([])
    }
    expect(await isSignedIn(world, browser)).toBe(true)
    expect(world.events).toContainEqual(expect.objectContaining({ type: 'sign_out', reason: 'replaced' }))
  })

  test('C17 a session id that was planted before the sign-in is useless after it', async () => {
    await start()
    const [attacker, victim] = [world.browser(), world.browser()]
    await attacker.visit(`${world.url}/basket?add=trap`)
    victim.jar.set(COOKIES.session, sessionOf(attacker))
    await victim.go(`${world.url}/auth/login?return_to=/me`)
    expect(sessionOf(victim)).not.toBe(sessionOf(attacker))
    expect(await isSignedIn(world, attacker)).toBe(false)
    expect(await isSignedIn(world, victim)).toBe(true)
    expect(await basketOf(victim)).toEqual([])
  })

  test('C17 only the keys in keepAnonymous are kept', async () => {
    await start({ keepAnonymous: ['basket', 'toString', 'missing'] })
    const browser = world.browser()
    await browser.visit(`${world.url}/basket?add=apple`)
    await browser.go(`${world.url}/auth/login?return_to=/me`)
    expect(await basketOf(browser)).toEqual(['apple'])
    await browser.visit(`${world.url}/basket?add=pear`)
    await browser.go(`${world.url}/auth/login?return_to=/me`)
    expect(await basketOf(browser)).toEqual(['apple', 'pear'])
    expect(await isSignedIn(world, browser)).toBe(true)
  })

  test('C17 a second person in the same browser is signed in, and the first is signed out', async () => {
    await start()
    const browser = await world.signedIn('alex')
    const before = browser.clone()
    world.sandbox.control.set({ autoSignIn: 'mina' })
    const me = await browser.go(`${world.url}/auth/login?return_to=/me`)
    expect(JSON.parse(me.text).user.ppnum).toBe('77700000002')
    expect(await isSignedIn(world, before)).toBe(false)
  })
})

/** A store that takes its time, and can fail. */
class SlowStore extends MemoryStore {
  readonly written: string[] = []
  isFailing = false

  override set(sid: string, session: SessionData, done: (error?: unknown) => void = () => {}): void {
    const isFailing = this.isFailing
    setTimeout(() => {
      if (isFailing) return done(new Error('disk full'))
      super.set(sid, session, (error) => {
        this.written.push(sid)
        done(error)
      })
    }, 150)
  }
}

describe("the app's own slow session store", () => {
  let store: SlowStore
  async function start(): Promise<void> {
    store = new SlowStore()
    world = await startWorld({
      options: { session: false },
      mount: (app, auth) => {
        app.use(expressSession({ secret: 's'.repeat(32), store, resave: false, saveUninitialized: false, name: 'app' }))
        app.use(auth)
      },
    })
  }

  test('C18 the session is written before the first byte of the redirect is sent', async () => {
    await start()
    const browser = world.browser()
    const url = await beginAttempt(world, browser)
    const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const [answer] = (await once(get(url, { headers: { cookie }, agent: false }), 'response')) as [IncomingMessage]
    expect([answer.statusCode, store.written.length]).toEqual([303, 1])
    const line = (answer.headers['set-cookie'] ?? []).find((one) => one.startsWith('app=')) ?? ''
    expect(decodeURIComponent(line)).toContain(store.written[0] ?? 'nothing')
    answer.resume()
  })

  test('C18 a failed write gets a 503 page instead of a redirect, and leaves no sign-in', async () => {
    await start()
    const browser = world.browser()
    const url = await beginAttempt(world, browser)
    store.isFailing = true
    const answer = await browser.visit(url)
    expect([answer.status, answer.location]).toEqual([503, ''])
    expect(answer.text).toContain('We cannot sign you in right now')
    expect(world.events).toContainEqual(expect.objectContaining({ reason: 'store_unavailable' }))
    expect(JSON.stringify(world.events)).not.toContain('"sign_in"')
    store.isFailing = false
    expect(await isSignedIn(world, browser)).toBe(false)
  })
})
