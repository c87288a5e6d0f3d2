import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import express, { type Express, type RequestHandler } from 'express'
import expressSession from 'express-session'
import express4 from 'express4'
import request from 'supertest'
import { denySignIn, type Ppoppo, type PpoppoSetup, ppoppo } from '../../src/index.js'
import { signInAs, toPlaywright } from '../../src/testing/index.js'

const ALEX = { sub: '01HZY3V9QK8E5R6T7W8X9Y0Z1A', ppnum: '12312345678' } as const
const OPTIONS = { clientId: 'test_login_client', baseUrl: 'http://localhost:3000', issuer: 'http://localhost:1' }
const SECURE = {
  baseUrl: 'https://app.example',
  sessionSecret: randomBytes(32).toString('hex'),
  vaultKeys: `k1:${randomBytes(32).toString('base64')}`,
  allowMemoryStore: true,
}
const redis = process.env['TEST_REDIS_URL']
const opened: Ppoppo[] = []

function open(options: PpoppoSetup = {}): Ppoppo {
  const auth = ppoppo({ ...OPTIONS, ...options })
  opened.push(auth)
  return auth
}

function withRoutes(app: Express, auth: Ppoppo): Express {
  app.get('/me', auth.requireSignIn(), (req, res) => {
    const { user, account, signIn } = req.ppoppo
    res.json({ user, account, scopes: signIn?.scopes })
  })
  return app
}

function appOf(auth: Ppoppo, createApp: () => Express = express): Express {
  return withRoutes(createApp().use(auth), auth)
}

afterAll(async () => {
  await Promise.all(opened.map((auth) => auth.close()))
})

describe('signInAs with an instance', () => {
  test.each([
    ['memory', {}],
    ['Redis', { redis: redis ?? '' }],
  ])('gives a cookie that a guarded route accepts, with the sign-in in %s', async (_store, options) => {
    const auth = open(options)
    const cookie = await signInAs(auth, { ...ALEX, account: { id: 7 } })
    const { body } = await request(appOf(auth)).get('/me').set('Cookie', cookie).expect(200)
    expect(body).toEqual({ user: ALEX, account: { id: 7 }, scopes: ['openid', 'profile'] })
  })

  test('gives a cookie that ends with the sign-out', async () => {
    const auth = open()
    const cookie = await signInAs(auth, ALEX)
    const app = appOf(auth)
    await request(app).post('/auth/logout').set('Cookie', cookie).set('Origin', OPTIONS.baseUrl).expect(200)
    await request(app).get('/me').set('Cookie', cookie).expect(401)
  })

  test('signs in several people beside each other', async () => {
    const auth = open()
    const [alex, kim] = await Promise.all([
      signInAs(auth, ALEX),
      signInAs(auth, { sub: '01HZY3V9QK8E5R6T7W8X9Y0Z1B', ppnum: '98765432101', accountType: 'ai_agent' }),
    ])
    const app = appOf(auth)
    const answers = await Promise.all([alex, kim].map((cookie) => request(app).get('/me').set('Cookie', cookie)))
    expect(answers.map(({ body }) => body.user)).toEqual([
      ALEX,
      { sub: '01HZY3V9QK8E5R6T7W8X9Y0Z1B', ppnum: '98765432101', accountType: 'ai_agent' },
    ])
  })

  test('calls onSignIn with an Express request unless an account is given', async () => {
    const auth = open({ onSignIn: (user, { req }) => ({ key: user.sub, browser: req.get('user-agent') }) })
    const cookie = await signInAs(auth, ALEX, { userAgent: 'my test' })
    const { body } = await request(appOf(auth)).get('/me').set('Cookie', cookie)
    expect(body.account).toEqual({ key: ALEX.sub, browser: 'my test' })
  })

  test('rejects with what onSignIn refuses', async () => {
    const auth = open({
      onSignIn: () => {
        throw denySignIn('This account has been closed.')
      },
    })
    await expect(signInAs(auth, ALEX)).rejects.toMatchObject({ code: 'sign_in_denied' })
  })

  test("signs in through the app's own session", async () => {
    const session = expressSession({
      secret: 'x'.repeat(32),
      resave: false,
      saveUninitialized: false,
      cookie: { secure: true },
    })
    const auth = open({ ...SECURE, session: false })
    const app = withRoutes(express().set('trust proxy', 1).use(session, auth), auth)
    const cookie = await signInAs(auth, ALEX, { session })
    await request(app).get('/me').set('Cookie', cookie).set('X-Forwarded-Proto', 'https').expect(200)
    const named = { code: 'session_missing', message: expect.stringContaining('{ session: sessions }') }
    await expect(signInAs(auth, ALEX)).rejects.toMatchObject(named)
  })

  test("finds the app's own session in the app of an agent, unless there are two", async () => {
    const session = (): RequestHandler =>
      expressSession({ secret: randomBytes(32).toString('hex'), resave: false, saveUninitialized: false })
    const auth = open({ session: false })
    const agent = request.agent(withRoutes(express().use(session(), auth), auth))
    await signInAs(agent, ALEX)
    await agent.get('/me').expect(200)
    const twice = request.agent(withRoutes(express().use('/a', session()).use(session(), auth), auth))
    await expect(signInAs(twice, ALEX)).rejects.toMatchObject({
      code: 'session_missing',
      message: expect.stringContaining('has 2 of express-session'),
    })
    const none = request.agent(withRoutes(express().use(auth), auth))
    await expect(signInAs(none, ALEX)).rejects.toMatchObject({ code: 'session_missing' })
  })

  test('signs in with a __Host- cookie where the app speaks https', async () => {
    const auth = open(SECURE)
    const cookie = await signInAs(auth, ALEX)
    expect(cookie).toMatch(/^__Host-ppoppo-\S+=s%3A\S+$/)
    await request(appOf(auth)).get('/me').set('Cookie', cookie).expect(200)
    expect(toPlaywright(cookie)).toEqual([
      {
        name: cookie.split('=')[0],
        value: cookie.slice(cookie.indexOf('=') + 1),
        url: 'https://app.example',
        httpOnly: true,
        secure: true,
        sameSite: 'Lax',
      },
    ])
  })

  test.each([
    ['no user', undefined, /"sub" must be a text/],
    ['an empty sub', { sub: '', ppnum: '12312345678' }, /"sub" must be a text/],
    ['a ppnum with hyphens', { sub: 'a', ppnum: '123-1234-5678' }, /"ppnum" must be a text of 11 digits/],
    ['an account that JSON cannot hold', { ...ALEX, account: 1n }, /JSON cannot represent/],
    ['an account type that is no text', { ...ALEX, accountType: 3 }, /"accountType"/],
    ['what no user has', { ...ALEX, email: 'a@b.test' }, /"email" does not belong to the user; known are: sub,/],
    ['an option in the user', { ...ALEX, scopes: ['openid'] }, /pass it third: signInAs\(auth, user, \{ scopes \}\)/],
  ])('refuses %s', async (_what, user, message) => {
    await expect(signInAs(open(), user as never)).rejects.toMatchObject({
      code: 'request_invalid',
      message: expect.stringMatching(message),
    })
  })

  test.each([
    ['a misspelt option', { scope: ['openid'] }, /"scope" is not an option; did you mean "scopes"\?/],
    ['scopes in one text', { scopes: 'openid profile' }, /"scopes" must be a list of texts/],
    ['tokens without an access token', { tokens: { refreshToken: 'rt_1' } }, /"tokens" must be \{ accessToken/],
    ['a user agent that is no text', { userAgent: 1 }, /"userAgent" must be a text/],
    ['options that are none', 'openid', /The third argument takes an object with auth,/],
  ])('refuses %s', async (_what, options, message) => {
    await expect(signInAs(open(), ALEX, options as never)).rejects.toMatchObject({
      code: 'request_invalid',
      message: expect.stringMatching(message),
    })
  })

  test.each([
    ['nothing', undefined],
    ['an Express app', express()],
    ['a text', 'auth'],
  ])('refuses %s instead of an instance, and says what to pass', async (_what, target) => {
    await expect(signInAs(target as never, ALEX)).rejects.toMatchObject({
      code: 'request_invalid',
      message: expect.stringMatching(/first argument/),
    })
  })
})

describe('signInAs with a supertest agent', () => {
  let auth: Ppoppo
  beforeAll(() => {
    auth = open()
  })

  test.each([
    ['Express 5', () => appOf(auth)],
    ['Express 4', () => appOf(auth, express4 as unknown as () => Express)],
    ['a mounted router', () => withRoutes(express().use('/', express.Router().use(auth)), auth)],
    ['auth in three parts', () => withRoutes(express().use(auth.session, auth.middleware, auth.router), auth)],
    ['a server', () => createServer(appOf(auth))],
  ])('finds the instance in the app: %s', async (_what, target) => {
    const agent = request.agent(target())
    await signInAs(agent, ALEX)
    const { body } = await agent.get('/me').expect(200)
    expect(body.user).toEqual(ALEX)
  })

  test('works with an https instance although supertest speaks http', async () => {
    const secure = open(SECURE)
    const agent = request.agent(appOf(secure))
    await signInAs(agent, ALEX)
    await agent.get('/me').expect(200)
  })

  test('refuses an app without an instance', async () => {
    await expect(signInAs(request.agent(express()), ALEX)).rejects.toThrow(/no instance of ppoppo\(\) mounted/)
  })

  test('asks which of two instances is meant, and takes the answer', async () => {
    const other = open({ clientId: 'other_client', mountPath: '/other' })
    const agent = request.agent(appOf(auth).use(other))
    await expect(signInAs(agent, ALEX)).rejects.toThrow(/2 instances/)
    await signInAs(agent, ALEX, { auth })
    await agent.get('/me').expect(200)
  })
})

test('toPlaywright refuses a cookie from elsewhere unless it is told the URL', () => {
  expect(() => toPlaywright('a=b')).toThrow(/URL of the app/)
  expect(toPlaywright('a=b', 'http://localhost:3000')).toMatchObject([{ name: 'a', url: 'http://localhost:3000' }])
})
