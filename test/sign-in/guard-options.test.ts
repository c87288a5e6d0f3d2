import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import express, { type Request } from 'express'
import request from 'supertest'
import { isPpoppoError, type RequireSignInOptions, type SignInDenial } from '../../src/index.js'
import { denialOf } from '../../src/sign-in/guard-denial.js'
import { buttonOf } from '../support/attempts.js'
import { createClock, HOUR, MINUTE } from '../support/clock.js'
import { startWorld, type World } from '../support/world.js'

const PROGRAM = { 'Sec-Fetch-Mode': '', Accept: 'application/json' }
const TURBO = { Accept: 'text/vnd.turbo-stream.html, text/html', 'Sec-Fetch-Mode': 'cors' }

describe('options of requireSignIn', () => {
  const clock = createClock()
  let world: World
  const seen: SignInDenial[] = []
  const guards: Record<string, RequireSignInOptions> = {
    recent: { maxAgeMs: 10 * MINUTE },
    scoped: { scopes: ['profile', 'email'] },
    admin: { when: (req) => req.query['admin'] === '1' },
    later: { when: async (req) => req.query['admin'] === '1' },
    broken: {
      when: () => {
        throw new Error('no database')
      },
    },
    vague: { when: (() => 'yes') as unknown as () => boolean },
    hooked: {
      when: () => false,
      onDenied: (req, res, next, denial) => {
        seen.push(denial)
        if (req.query['do'] === 'route') return next('route')
        if (req.query['do'] === 'next') return next()
        if (req.query['do'] === 'reject') return Promise.reject(new Error('no view'))
        res.status(denial.status).send('my own page')
      },
    },
  }
  /** All of them would pass somebody on if the guard handed them to Express. */
  const careless: Record<string, RequireSignInOptions> = {
    'next-null': { onDenied: (_req, _res, next) => next(null) },
    'next-false': { onDenied: (_req, _res, next) => next(false) },
    'rejects-nothing': { onDenied: () => Promise.reject() },
    'throws-route': {
      onDenied: () => {
        throw 'route'
      },
    },
    'when-rejects-nothing': { when: () => Promise.reject() },
    'when-throws-router': {
      when: () => {
        throw 'router'
      },
    },
  }
  beforeAll(async () => {
    world = await startWorld({
      runtime: clock.runtime,
      options: { rateLimit: false },
      routes: (app, auth) => {
        for (const [name, options] of Object.entries(guards))
          app.all(`/${name}`, auth.requireSignIn(options), (_req, res) => void res.send(`passed ${name}`))
        app.all('/hooked', (_req, res) => void res.send('another route'))
        for (const [name, options] of Object.entries(careless))
          app.use(`/${name}`, auth.requireSignIn({ when: () => false, ...options }))
        const toRoute = auth.requireSignIn({ when: () => false, onDenied: (_req, _res, next) => next('route') })
        app.get('/area/:page', (_req, _res, next) => next())
        app.use('/area', toRoute)
        app.get('/:area/page', (_req, res) => void res.send('secret'))
      },
    })
  })
  afterAll(() => world.close())

  test('a person whose sign-in is older than maxAgeMs signs in again, with prompt=login, and comes back to the page', async () => {
    const browser = await world.signedIn()
    expect((await browser.visit(`${world.url}/recent?a=1`)).text).toBe('passed recent')
    clock.advance(HOUR)
    const redirected = await browser.visit(`${world.url}/recent?a=1`)
    expect([redirected.status, redirected.location]).toEqual([
      302,
      `${world.url}/auth/login?return_to=${encodeURIComponent('/recent?a=1')}&prompt=login`,
    ])
    const toPas = await browser.visit(redirected.location)
    expect(new URL(toPas.location).searchParams.get('prompt')).toBe('login')
    const landed = await browser.go(redirected.location)
    expect([landed.url, landed.text]).toEqual([`${world.url}/recent?a=1`, 'passed recent'])
    expect((await browser.visit(`${world.url}/recent?a=1`)).status).toBe(200)
  })

  test('a program with an old sign-in gets 401 sign_in_too_old; other guards still let it pass', async () => {
    const browser = await world.signedIn()
    clock.advance(HOUR)
    const answer = await browser.visit(`${world.url}/recent`, { headers: PROGRAM })
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      401,
      `Ppoppo realm="${world.url}", login="${world.url}/auth/login"`,
    ])
    expect(JSON.parse(answer.text)).toMatchObject({
      code: 'sign_in_too_old',
      status: 401,
      loginUrl: `${world.url}/auth/login?prompt=login`,
    })
    expect((await browser.visit(`${world.url}/scoped`, { headers: PROGRAM })).status).toBe(200)
  })

  test('a form and a Turbo visit with an old sign-in get a page that links to a new sign-in', async () => {
    const browser = await world.signedIn()
    clock.advance(HOUR)
    const headers = { Referer: `${world.url}/page` }
    for (const visit of [
      { method: 'POST', form: { a: '1' }, headers },
      { headers: TURBO },
      { headers: { ...TURBO, 'HX-Request': 'true' } },
    ]) {
      const answer = await browser.visit(`${world.url}/recent`, visit)
      expect([answer.status, answer.location]).toEqual([401, ''])
      expect(answer.headers.get('www-authenticate')).toMatch(/^Ppoppo /)
      expect(answer.text).toContain('Please sign in again')
      expect(buttonOf(answer).searchParams.get('prompt')).toBe('login')
    }
  })

  test('a sign-in that lacks a scope gets 403 that names it; a browser signs in again', async () => {
    const old = await world.signedIn()
    const record = await old.visit(`${world.url}/me`)
    expect(JSON.parse(record.text).signIn.scopes).toContain('email')
    expect((await old.visit(`${world.url}/scoped`)).text).toBe('passed scoped')
    const req = { ppoppo: { signIn: { scopes: ['openid', 'profile'], createdAt: new Date() } } } as unknown as Request
    const denial = await denialOf(req, { scopes: ['profile', 'email'], wishes: {} }, Date.now())
    expect(denial).toEqual({ reason: 'scope_shortfall', status: 403, missing: ['email'] })
  })

  test('a program without the scope gets 403 with a challenge that names it, a browser the sign-in', async () => {
    const app = express()
    app.use((req, _res, next) => {
      const signIn = { scopes: ['openid', 'profile'], createdAt: new Date() }
      Reflect.set(req, 'ppoppo', { status: 'signed-in', isSignedIn: true, signIn })
      next()
    })
    app.get('/scoped', world.auth.requireSignIn({ scopes: ['profile', 'email'] }))
    const program = await request(app).get('/scoped').set('Accept', 'application/json')
    expect([program.status, program.get('www-authenticate')]).toEqual([
      403,
      `Ppoppo realm="${world.url}", login="${world.url}/auth/login", error="insufficient_scope", scope="email"`,
    ])
    expect(program.body).toMatchObject({ code: 'scope_shortfall', missing: ['email'] })
    const browser = await request(app).get('/scoped').set('Accept', 'text/html')
    expect([browser.status, browser.get('location'), browser.get('www-authenticate')]).toEqual([
      302,
      `${world.url}/auth/login?return_to=%2Fscoped`,
      undefined,
    ])
  })

  test.each(['admin', 'later'])(
    '%s: a person whom `when` does not let pass gets 403, as a page or as a problem',
    async (name) => {
      const browser = await world.signedIn()
      expect((await browser.visit(`${world.url}/${name}?admin=1`)).text).toBe(`passed ${name}`)
      const page = await browser.visit(`${world.url}/${name}`)
      expect([page.status, page.headers.get('content-type')]).toEqual([403, 'text/html; charset=utf-8'])
      expect(page.text).toContain('You do not have access to this page')
      const program = await browser.visit(`${world.url}/${name}`, { headers: PROGRAM })
      expect([program.status, program.headers.get('www-authenticate')]).toEqual([403, null])
      expect(JSON.parse(program.text)).toMatchObject({ code: 'forbidden', status: 403 })
      // Nobody is asked who is not signed in.
      const stranger = await world.browser().visit(`${world.url}/${name}?admin=1`, { headers: PROGRAM })
      expect(JSON.parse(stranger.text).code).toBe('signed_out')
    },
  )

  test('what `when` throws, or any result other than true or false, is an error, and nobody passes', async () => {
    const browser = await world.signedIn()
    expect(await browser.visit(`${world.url}/broken`)).toMatchObject({
      status: 500,
      text: expect.stringContaining('no database'),
    })
    expect(await browser.visit(`${world.url}/vague`)).toMatchObject({
      status: 500,
      text: expect.stringContaining('must return true or false'),
    })
  })

  test('a `when` that never answers is an error after ten seconds', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'performance'] })
    try {
      const settings = { scopes: [], wishes: {}, when: () => new Promise<boolean>(() => {}) }
      const outcome = denialOf({ ppoppo: {} } as Request, settings, 0).catch((error: unknown) => error)
      await jest.advanceTimersByTimeAsync(10_000)
      expect(isPpoppoError(await outcome, 'config_invalid')).toBe(true)
    } finally {
      jest.useRealTimers()
    }
  })

  test('onDenied answers instead; next() gives the usual answer and lets nobody pass', async () => {
    const browser = await world.signedIn()
    expect(await browser.visit(`${world.url}/hooked`)).toMatchObject({ status: 403, text: 'my own page' })
    expect((await browser.visit(`${world.url}/hooked?do=next`)).text).toContain('You do not have access to this page')
    expect((await browser.visit(`${world.url}/hooked?do=route`)).text).toBe('another route')
    expect(await browser.visit(`${world.url}/hooked?do=reject`)).toMatchObject({
      status: 500,
      text: expect.stringContaining('no view'),
    })
    const stranger = await world.browser().visit(`${world.url}/hooked`)
    expect([stranger.status, stranger.text]).toEqual([401, 'my own page'])
    expect(seen.map(({ reason }) => reason)).toEqual([...Array(4).fill('forbidden'), 'signed_out'])
  })

  test('nobody passes because onDenied or when ends in nothing, or in a word of Express', async () => {
    const browser = await world.signedIn()
    for (const name of [...Object.keys(careless), 'area']) {
      const { status, text } = await browser.visit(`${world.url}/${name}/page`)
      expect([name, status, text]).toEqual([
        name,
        /^next|area/.test(name) ? 403 : 500,
        expect.not.stringMatching(/secret/),
      ])
    }
  })

  test.each([
    [{ maxAgeMs: 5_000 }, '"maxAgeMs" must be a whole number of milliseconds, 60000 or more'],
    [{ maxAgeMs: '1h' }, '"maxAgeMs"'],
    [{ scopes: 'email' }, '"scopes" must be a list'],
    [{ scopes: ['email', 'poll'] }, '"scopes[1]" is not a scope that this app requests'],
    [{ when: true }, '"when" must be a function'],
    [{ onDenied: '/login' }, '"onDenied" must be a function'],
    [{ maxAge: 1 }, '"maxAge" is not an option; did you mean "maxAgeMs"?'],
  ])('%j is rejected when the guard is created', (options, message) => {
    expect(() => world.auth.requireSignIn(options as object)).toThrow(message)
  })
})
