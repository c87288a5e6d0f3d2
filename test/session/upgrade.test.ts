import { request } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { type AppProcess, startAppProcess } from '../support/app-process.js'
import { CookieBrowser } from '../support/cookie-browser.js'
import { describeOnStores } from '../support/stores.js'
import { COOKIES } from '../support/world.js'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ pasPort: 0, autoSignIn: 'alex' })
})
afterAll(() => sandbox.close())

let app: AppProcess
afterEach(() => app.end())
const start = async (options: object): Promise<void> => {
  app = await startAppProcess({ issuer: sandbox.issuer, ...options }, 'upgrade-script.mjs')
}

/** What the app says on an upgrade. */
interface Told {
  readonly status?: string
  readonly ppnum?: string
  readonly error?: string
  readonly basket?: readonly string[]
}

/** TLS ends at a proxy, which Express trusts. */
const BY_PROXY = { 'X-Forwarded-Proto': 'https' }

async function signedIn(): Promise<CookieBrowser> {
  const browser = new CookieBrowser()
  let landed = await browser.visit(`${app.url}/auth/login?return_to=/me`, { headers: BY_PROXY })
  while (landed.location !== '') landed = await browser.visit(landed.location, { headers: BY_PROXY })
  expect(landed.status).toBe(200)
  return browser
}

function upgrade(browser: CookieBrowser, query: Readonly<Record<string, string>> = {}): Promise<Told> {
  const Cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join('; ')
  const headers = { ...BY_PROXY, Connection: 'Upgrade', Upgrade: 'websocket', ...(Cookie === '' ? {} : { Cookie }) }
  return new Promise((resolve, reject) => {
    const asking = request(`${app.url}/socket?${new URLSearchParams(query)}`, {
      headers,
      agent: false,
      timeout: 90_000,
    })
    asking.on('response', (answer) => {
      let text = ''
      answer.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      answer.on('end', () => resolve(JSON.parse(text)))
    })
    asking.on('timeout', () => asking.destroy(new Error('the upgrade was never answered')))
    asking.on('error', reject).end()
  })
}

/** What reached the process as a whole, and what `onEvent` heard. */
async function faults(): Promise<{ uncaught: string[]; unhandled: string[]; events: { code?: string }[] }> {
  return JSON.parse((await new CookieBrowser().visit(`${app.url}/faults`)).text)
}

const ANSWERS = ['a bare ServerResponse', 'an empty object', 'what engine.io brings']

describeOnStores('an upgrade, which Express never sees', (storage) => {
  beforeEach(() => start(storage.options()))

  test.each(ANSWERS)('tells who is signed in, with %s for an answer', async (answer) => {
    const browser = await signedIn()
    for (const whole of ['', '1']) {
      expect(await upgrade(browser, { answer, whole })).toMatchObject({ status: 'signed-in', ppnum: '77700000001' })
      expect(await upgrade(new CookieBrowser(), { answer, whole })).toMatchObject({ status: 'signed-out' })
    }
    browser.jar.set(COOKIES.session, 's%3Aforged.signature')
    expect(await upgrade(browser, { answer })).toMatchObject({ status: 'signed-out' })
    expect(await faults()).toMatchObject({ uncaught: [], unhandled: [] })
  })

  test.each(ANSWERS)(
    'a message that signs out long after the handshake does, with %s for an answer',
    async (answer) => {
      const browser = await signedIn()
      expect(await upgrade(browser, { answer, deed: 'sign out' })).toMatchObject({ status: 'signed-out' })
      expect((await browser.visit(`${app.url}/me`)).status).toBe(302)
      expect(await faults()).toMatchObject({ uncaught: [], unhandled: [] })
    },
  )

  test('an existing session is saved; a new one, whose cookie cannot be sent, is not, with a warning', async () => {
    const saved = { error: 'undefined', basket: ['by socket'] }
    expect(await upgrade(await signedIn(), { deed: 'save' })).toMatchObject(saved)
    expect((await faults()).events).not.toContainEqual(expect.objectContaining({ code: 'session_not_saved' }))
    await upgrade(new CookieBrowser(), { deed: 'save', answer: 'an empty object' })
    expect((await faults()).events).toContainEqual(expect.objectContaining({ code: 'session_not_saved' }))
  })

  test.each(['throw', 'throw after save', 'throw after reload', 'throw after destroy', 'throw after regenerate'])(
    'what the app does then is its own: %s reaches uncaughtException once, as in plain Node',
    async (deed) => {
      const browser = await signedIn()
      const before = await faults()
      await upgrade(browser, { deed })
      const message = deed === 'throw' ? 'thrown by what comes after auth' : deed.replace('throw', 'thrown')
      const after = await faults()
      expect([before.uncaught, after.uncaught, after.unhandled]).toEqual([[], [message], []])
    },
  )

  test('for a visitor without a cookie, what the app throws is thrown once, and auth calls next() once', async () => {
    expect(await upgrade(new CookieBrowser(), { deed: 'throw', whole: '1' })).toMatchObject({ calls: 1 })
    expect(await faults()).toMatchObject({ uncaught: ['thrown by what comes after auth'], unhandled: [] })
  })
})

describe("an upgrade with the app's own session", () => {
  test('knows who is signed in, and raises no warning about a secure cookie', async () => {
    await start({ part: 'app' })
    const browser = await signedIn()
    for (const answer of ANSWERS.slice(0, 2))
      expect(await upgrade(browser, { answer })).toMatchObject({ status: 'signed-in', ppnum: '77700000001' })
    expect((await upgrade(browser, { deed: 'sign out' })).status).toBe('signed-out')
    const { uncaught, unhandled, events } = await faults()
    expect([uncaught, unhandled, events.filter(({ code }) => code === 'secure_cookie_blocked')]).toEqual([[], [], []])
  })
})
