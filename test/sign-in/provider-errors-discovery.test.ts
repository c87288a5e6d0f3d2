import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import type { PpoppoOptions } from '../../src/index.js'
import { en } from '../../src/pages/texts-en.js'
import { allowed } from '../support/allowed.js'
import { buttonOf } from '../support/attempts.js'
import { startWorld, type World } from '../support/world.js'

describe('PAS discovery', () => {
  let sandbox: Sandbox
  beforeAll(async () => {
    sandbox = await startSandbox({ pasPort: 0, autoSignIn: 'alex' })
  })
  afterAll(() => sandbox.close())
  beforeEach(() => sandbox.control.reset())

  /** An app that has not looked for PAS yet. */
  async function withApp<T>(work: (world: World) => Promise<T>, options: PpoppoOptions = {}): Promise<T> {
    const world = await startWorld({ sandbox, options })
    try {
      return await work(world)
    } finally {
      await world.close()
    }
  }

  test('C38 without a discovery document, the documented endpoints are used', () =>
    withApp(async (world) => {
      sandbox.control.inject({ endpoint: 'discovery', fault: { kind: 'status', status: 404 }, times: 'until-cleared' })
      await world.signedIn()
      expect(world.events.map(({ type }) => type)).not.toContain('provider_fault')
    }))

  test.each([
    { kind: 'status', status: 500 },
    { kind: 'status', status: 503, retryAfterSeconds: 10 },
    { kind: 'status', status: 400 },
    { kind: 'garbage' },
    { kind: 'truncated' },
    { kind: 'empty' },
    { kind: 'cut' },
    { kind: 'reset' },
    { kind: 'huge' },
    { kind: 'redirect' },
  ] as const)(
    'C38 discovery fault %j gets a 503 page that keeps return_to, and login works once PAS recovers',
    (fault) =>
      withApp(async (world) => {
        sandbox.control.inject({ endpoint: 'discovery', fault })
        const browser = world.browser()
        const answer = await browser.visit(`${world.url}/auth/login?return_to=/me?kept`)
        expect(answer.status).toBe(503)
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
        expect(answer.cookies).toEqual([])
        expect(answer.text).toContain(en.pages.provider_unavailable.title)
        expect(world.events).toContainEqual(expect.objectContaining({ type: 'provider_fault', operation: 'login' }))
        expect((await browser.go(buttonOf(answer).href)).url).toBe(`${world.url}/me?kept`)
      }),
  )

  test('C38 another issuer in the document: nobody is redirected there, and the event says what to do', () =>
    withApp(async (world) => {
      sandbox.control.inject({ endpoint: 'discovery', fault: { kind: 'wrong-issuer' } })
      expect((await world.browser().visit(`${world.url}/auth/login`)).status).toBe(503)
      const fault = { type: 'provider_fault', code: 'provider_misconfigured' }
      expect(world.events).toContainEqual(
        expect.objectContaining({ ...fault, detail: expect.stringMatching(/announces .*PPOPPO_AUTH_URL/) }),
      )
    }))

  test('C38 an issuer that differs by a slash is reported', () =>
    withApp(
      async (world) => {
        expect((await world.browser().visit(`${world.url}/auth/login`)).status).toBe(503)
        const detail = expect.stringContaining('slash for slash')
        expect(world.events).toContainEqual(expect.objectContaining({ code: 'provider_misconfigured', detail }))
      },
      { issuer: `${sandbox.issuer}/` },
    ))

  test('C38 a PAS that hangs fails after its deadline, once for all concurrent logins', () =>
    withApp(async (world) => {
      sandbox.control.inject({ endpoint: 'discovery', fault: { kind: 'hang' } })
      const began = Date.now()
      const visits = [1, 2, 3].map(() => world.browser().visit(`${world.url}/auth/login`))
      expect((await Promise.all(visits)).map(({ status }) => status)).toEqual([503, 503, 503])
      expect(Date.now() - began).toBeLessThan(await allowed(9_000))
      expect(sandbox.control.counters.discovery).toBe(1)
    }))

  test('C38 PAS down at startup: the app starts, login gets 503, and works once PAS is up', async () => {
    const gone = await startSandbox({ pasPort: 0 })
    await gone.close()
    const world = await startWorld({ sandbox: gone })
    const browser = world.browser()
    expect((await browser.visit(`${world.url}/`)).status).toBe(200)
    expect((await browser.visit(`${world.url}/auth/login`)).status).toBe(503)
    const back = await startSandbox({ pasPort: gone.port, autoSignIn: 'alex' })
    expect((await browser.go(`${world.url}/auth/login?return_to=/me`)).status).toBe(200)
    await back.close()
    expect((await browser.visit(`${world.url}/me`)).status).toBe(200)
    await world.close()
  })
})
