import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Express } from 'express'
import { isPpoppoError } from '../../src/errors.js'
import { systemRuntime } from '../../src/lib/runtime.js'
import { CookieBrowser } from '../support/cookie-browser.js'
import { describeWithRedis, redisForTests, type TestRedis } from '../support/redis.js'
import { startWorld, type World, type WorldOptions } from '../support/world.js'

/** Everything that came out of the library anywhere, and where. */
type Seen = { readonly where: string; readonly text: string }[]

/** All that a curious developer may print. */
const printed = (value: unknown): string =>
  `${inspect(value, { depth: 10, showHidden: true, getters: false })}\n${JSON.stringify(value) ?? ''}\n${String(value)}`

/** Keeps what goes to the terminal; Jest's own console goes there too. */
function listenToTerminal(seen: Seen): () => void {
  const kept = [process.stdout, process.stderr].map((stream) => {
    const { write } = stream
    stream.write = function spy(this: typeof stream, ...args: unknown[]): boolean {
      seen.push({ where: 'terminal', text: String(args[0]) })
      return Reflect.apply(write, this, args)
    } as typeof write
    return () => {
      stream.write = write
    }
  })
  const names = ['log', 'info', 'warn', 'error', 'debug'] as const
  const consoles = names.map((name) => {
    const former = console[name]
    console[name] = (...args: unknown[]) =>
      void seen.push({ where: `console.${name}`, text: args.map(printed).join(' ') })
    return () => {
      console[name] = former
    }
  })
  const onWarning = (warning: Error): void => void seen.push({ where: 'warning', text: printed(warning) })
  process.on('warning', onWarning)
  return () => {
    for (const restore of [...kept, ...consoles]) restore()
    process.off('warning', onWarning)
  }
}

/** The code verifiers, from the token calls; the calls themselves go on unchanged. */
function spyOnTokenCalls(verifiers: Set<string>): WorldOptions['runtime'] {
  return {
    ...systemRuntime,
    fetch(url, init) {
      const verifier = new URLSearchParams(String(init.body ?? '')).get('code_verifier')
      if (verifier) verifiers.add(verifier)
      return systemRuntime.fetch(url, init)
    },
  }
}

function routes(seen: Seen) {
  return (app: Express): void => {
    app.get('/print', (req, res) => {
      for (const [name, value] of Object.entries({ ppoppo: req.ppoppo, session: req.session, user: req.ppoppo.user }))
        seen.push({ where: `inspect ${name}`, text: printed(value) })
      seen.push({ where: 'inspect signIn', text: printed(req.ppoppo.signIn) })
      seen.push({ where: 'inspect store', text: printed(req.sessionStore) })
      res.send('printed')
    })
    app.get('/fails', async (req, res) => {
      const calls = [() => req.ppoppo.userinfo(), () => req.ppoppo.accessToken(), () => req.ppoppo.signIns()]
      for (const call of calls)
        await call().catch((error: unknown) => {
          if (!isPpoppoError(error)) throw error
          seen.push({
            where: `error ${error.code}`,
            text: `${printed(error)}\n${error.stack}\n${printed(error.cause)}`,
          })
        })
      res.send('failed')
    })
  }
}

/** A browser whose answers from the app are looked at; PAS may say its own tokens. */
function watched(world: World, seen: Seen): CookieBrowser {
  const browser = new CookieBrowser()
  const { visit } = browser
  browser.visit = async (url, options) => {
    const answer = await visit.call(browser, url, options)
    const isUserinfo = new URL(url).pathname === '/userinfo'
    if (url.startsWith(world.url)) {
      const headers = [...answer.headers].filter(([name]) => !(isUserinfo && name === 'etag'))
      const text = `${headers.join('\n')}\n${answer.cookies.join('\n')}\n${isUserinfo && answer.status === 200 ? '' : answer.text}`
      seen.push({ where: `answer ${options?.method ?? 'GET'} ${new URL(url).pathname}`, text })
    }
    return answer
  }
  return browser
}

const signInPath = '/auth/login?return_to=/me'
const post = { method: 'POST', headers: { 'Sec-Fetch-Site': 'same-origin' } }

/** A full life with everything going wrong on the way. */
async function live(world: World, seen: Seen, look: (when: string) => Promise<void>): Promise<void> {
  const { control } = world.sandbox
  const browser = watched(world, seen)
  const landed = await browser.go(world.url + signInPath)
  expect(landed.status).toBe(200)
  await look('signed in')
  for (const path of ['/print', '/userinfo', '/token', '/page', '/', '/auth/session', '/auth/logout', '/auth/button'])
    await browser.visit(world.url + path)

  for (const kind of ['status', 'garbage', 'truncated', 'empty', 'cut', 'reset', 'redirect', 'wrong-sub'] as const) {
    const fault = kind === 'status' ? ({ kind, status: 500 } as const) : ({ kind } as const)
    control.inject({ endpoint: 'userinfo', fault, times: 2 })
    await browser.visit(`${world.url}/fails`)
    await browser.visit(`${world.url}/userinfo`)
    control.clearFaults()
  }
  for (const kind of ['status', 'garbage', 'truncated', 'reset', 'missing-access-token'] as const) {
    const fault = kind === 'status' ? ({ kind, status: 401, error: 'invalid_client' } as const) : ({ kind } as const)
    control.expireAccessTokens()
    control.inject({ endpoint: 'token', fault, times: 2 })
    await browser.visit(`${world.url}/fails`)
    control.clearFaults()
  }
  // A rotated token that was lost on the way has ended the sign-in.
  expect((await browser.go(world.url + signInPath)).status).toBe(200)
  control.expireAccessTokens()
  expect((await browser.visit(`${world.url}/userinfo`)).status).toBe(200)
  await look('refreshed')

  const idTokenFaults = ['wrong-nonce', 'wrong-aud', 'alg-none', 'foreign-key', 'expired', 'wrong-at-hash'] as const
  const tokenFaults = ['garbage', 'truncated', 'narrower-scope', 'missing-id-token'] as const
  for (const kind of [...idTokenFaults, ...tokenFaults]) {
    control.inject({ endpoint: 'token', fault: { kind } })
    const refused = await watched(world, seen).go(world.url + signInPath)
    expect([kind, refused.status >= 400]).toEqual([kind, true])
    control.clearFaults()
  }
  control.set({ autoSignIn: 'deny' })
  await watched(world, seen).go(world.url + signInPath)
  control.set({ autoSignIn: 'alex' })
  await look('refused others')

  const other = watched(world, seen)
  await other.go(world.url + signInPath)
  control.revokeUser('alex')
  await other.visit(`${world.url}/fails`)
  await browser.visit(`${world.url}/auth/logout?everywhere=1`, post)
  await browser.visit(`${world.url}/me`)
  await browser.visit(`${world.url}/auth/callback?code=x&state=y`)
  await look('signed out')
}

function expectNothingIn(seen: Seen, world: World, verifiers: ReadonlySet<string>): void {
  const issued = world.sandbox.control.issuedTokens.map(({ kind, value }) => [kind, value] as const)
  expect(new Set(issued.map(([kind]) => kind)).size).toBe(4)
  expect(verifiers.size).toBeGreaterThan(5)
  const secrets = [
    ...issued,
    ...[...verifiers].map((value) => ['verifier', value] as const),
    ['e-mail', 'alex@example'] as const,
  ]
  const found = new Set<string>()
  for (const { where, text } of seen)
    for (const [kind, value] of secrets)
      for (const spelt of [value, encodeURIComponent(value), Buffer.from(value).toString('base64url').slice(0, -2)])
        if (text.includes(spelt)) found.add(`${kind} in ${where}`)
  expect([...found]).toEqual([])
}

async function scan(
  options: WorldOptions['options'],
  look: (seen: Seen, when: string) => Promise<void>,
): Promise<void> {
  const seen: Seen = []
  const verifiers = new Set<string>()
  const stopListening = listenToTerminal(seen)
  const world = await startWorld({
    options: { ...options, rateLimit: false },
    routes: routes(seen),
    sandbox: { refreshTokenAnswer: 'rotate', announceRevocation: true, sendIssuerParameter: true },
    runtime: spyOnTokenCalls(verifiers) ?? systemRuntime,
  })
  try {
    await live(world, seen, (when) => look(seen, when))
    for (const event of world.events) seen.push({ where: `event ${event.type}`, text: printed(event) })
    seen.push({ where: 'inspect auth', text: printed(world.auth) })
    stopListening()
    expect(seen.filter(({ where }) => where.startsWith('error ')).length).toBeGreaterThan(10)
    for (const type of ['sign_in', 'sign_in_refused', 'sign_out', 'refresh_failed', 'token_refreshed'])
      expect([type, world.events.some((event) => event.type === type)]).toEqual([type, true])
    expectNothingIn(seen, world, verifiers)
  } finally {
    stopListening()
    await world.close()
  }
}

describe('C24 nothing secret is readable (memory)', () => {
  test('C24 answers, cookies, events, terminal, errors and util.inspect hold no token, verifier or e-mail', () =>
    scan({}, async () => {}))
})

describeWithRedis('C24 nothing secret is readable (redis)', () => {
  let redis: TestRedis
  const prefixes: string[] = []
  beforeAll(async () => {
    redis = await redisForTests()
  })
  afterAll(() => {
    expect(prefixes).toHaveLength(1)
  })

  test('C24 nor does any key or value in Redis, session blobs and attempts included', async () => {
    const keyPrefix = redis.prefix()
    prefixes.push(keyPrefix)
    const kinds = new Set<string>()
    await scan({ redis: redis.url, keyPrefix }, async (seen, when) => {
      const keys = await redis.client.keys(`${keyPrefix}*`)
      for (const key of keys) {
        kinds.add(/:(signin|user|sess|tx|lock|notbefore|secret|limit):/.exec(key)?.[1] ?? key)
        const type = await redis.client.type(key)
        const value = type === 'zset' ? await redis.client.zrange(key, '0', '-1') : await redis.client.get(key)
        seen.push({ where: `redis ${key.slice(keyPrefix.length)} (${when})`, text: `${key} ${String(value)}` })
      }
      seen.push({ where: 'redis', text: String(keys.length) })
    })
    for (const kind of ['signin', 'user', 'sess', 'tx']) expect([kind, kinds.has(kind)]).toEqual([kind, true])
  })
})
