import { afterEach, describe, expect, test } from '@jest/globals'
import { denySignIn, type PpoppoOptions, ppoppo } from '../../src/index.js'
import { promptOf } from '../../src/provider/prompt.js'
import { buttonOf } from '../support/attempts.js'
import { DEV, faultsOf } from '../support/config.js'
import { startWorld, type World, type WorldOptions } from '../support/world.js'

let world: World | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
})

/** What PAS is asked, when a browser opens `path`. */
async function askedBy(path: string, headers: Record<string, string> = {}): Promise<URLSearchParams> {
  const { url = '', browser = () => undefined as never } = world ?? {}
  const visitor = browser()
  let answer = await visitor.visit(path.startsWith('http') ? path : url + path, { headers })
  while (answer.location.startsWith(url)) answer = await visitor.visit(answer.location)
  expect(answer.location.startsWith(`${world?.sandbox.issuer}/oauth/authorize?`)).toBe(true)
  return new URL(answer.location).searchParams
}

async function start(
  authorizationParams: PpoppoOptions['authorizationParams'],
  more: WorldOptions = {},
): Promise<World> {
  const options = {
    rateLimit: false,
    ...(authorizationParams ? { authorizationParams } : {}),
    ...more.options,
  } as const
  world = await startWorld({ ...more, options })
  return world
}

describe('authorizationParams', () => {
  test('X11 the parameters of the option are sent with every login, in addition to ours', async () => {
    await start({ ui_locales: 'ko en', acr_values: 'urn:a b&c=d', 'x-vendor': '1' })
    const asked = await askedBy('/auth/login')
    expect([asked.get('ui_locales'), asked.get('acr_values'), asked.get('x-vendor')]).toEqual([
      'ko en',
      'urn:a b&c=d',
      '1',
    ])
    expect([asked.get('response_type'), asked.get('code_challenge_method')]).toEqual(['code', 'S256'])
  })

  test('X11 a function returns the parameters of one login, synchronously, asynchronously, or none', async () => {
    await start(async (req) => (req.query['plan'] ? { plan: String(req.query['plan']) } : undefined))
    expect((await askedBy('/auth/login?plan=pro')).get('plan')).toBe('pro')
    expect((await askedBy('/auth/login')).has('plan')).toBe(false)
  })

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new TypeError('of the app')
      },
    ],
    [
      'rejects',
      async () => {
        throw new TypeError('of the app')
      },
    ],
    ['returns a reserved one', () => ({ redirect_uri: 'https://evil.example/' })],
    ['returns a value that is not a string', () => ({ ui_locales: 7 })],
    ['returns a string instead of an object', () => 'ui_locales=ko'],
  ])('X11 a function that %s leads to the error handler of the app and no attempt', async (_name, given) => {
    const { url, browser } = await start(given as () => undefined)
    const answer = await browser().visit(`${url}/auth/login`)
    expect([answer.status, answer.location, answer.cookies]).toEqual([500, '', []])
    expect(answer.text).not.toContain('evil')
  })

  test.each([
    ['client_id', 'follows from the option "clientId"'],
    ['redirect_uri', 'follows from the option "mountPath"'],
    ['scope', 'follows from the option "scope"'],
    ['resource', 'follows from the option "resource"'],
    ...['response_type', 'response_mode', 'state', 'nonce', 'code_challenge', 'code_challenge_method', 'iss'].map(
      (name) => [name, 'is reserved'] as const,
    ),
    ...['request', 'request_uri', 'registration', 'id_token_hint', 'client_secret', 'STATE', 'Nonce'].map(
      (name) => [name, 'is reserved'] as const,
    ),
    ['max_age', 'must be a whole number of seconds'],
    ['ui_locales', 'must be a string'],
  ])('X11 %s is rejected at startup, by name and without its value', (name, problem) => {
    const value = name === 'ui_locales' ? 'se\ncret' : 'secret-value'
    const faults = faultsOf({ ...DEV, authorizationParams: { [name]: value } })
    expect(faults).toEqual([expect.stringContaining(problem)])
    expect(faults[0]).toMatch(new RegExp(`^"authorizationParams\\.${name}" `))
    expect(faults[0]).not.toContain('secret-value')
  })

  test('X11 a value that is not an object of parameters is rejected at startup, and an invalid name is not quoted', () => {
    for (const wrong of ['a=b', 7, null, [], true])
      expect(faultsOf({ ...DEV, authorizationParams: wrong })).toHaveLength(1)
    expect(faultsOf({ ...DEV, authorizationParams: { 'pa ss=word': 'x' } })[0]).toContain(
      '"authorizationParams.(odd name)"',
    )
  })
})

describe('preferences in a login link', () => {
  test('X11 prompt, login_hint and ui_locales are passed to PAS, and no other parameter', async () => {
    await start(undefined)
    const asked = await askedBy(
      '/auth/login?prompt=login&login_hint=123-1234-5678&ui_locales=ko%20en-GB&acr_values=x&max_age=0&redirect_uri=https://evil.example&scope=all&x=y',
    )
    expect([asked.get('prompt'), asked.get('login_hint'), asked.get('ui_locales')]).toEqual([
      'login',
      '123-1234-5678',
      'ko en-GB',
    ])
    for (const name of ['acr_values', 'max_age', 'x']) expect([name, asked.has(name)]).toEqual([name, false])
    expect(asked.getAll('redirect_uri')).toEqual([`${world?.url}/auth/callback`])
    expect(asked.get('scope')).toBe('openid profile email')
  })

  test.each([
    'prompt=none',
    'prompt=login%20none',
    'prompt=',
    'prompt=login&prompt=consent',
    'prompt[]=login',
    `login_hint=${'x'.repeat(257)}`,
    'login_hint=a%0Ab',
    'ui_locales=ko,en',
    'ui_locales=%3Cscript%3E',
  ])('X11 invalid preference %.40s is ignored', async (query) => {
    await start(undefined)
    const asked = await askedBy(`/auth/login?${query}`)
    for (const name of ['prompt', 'login_hint', 'ui_locales']) expect([name, asked.has(name)]).toEqual([name, false])
  })

  test('X11 authorizationParams override the link', async () => {
    await start({ prompt: 'consent' })
    expect((await askedBy('/auth/login?prompt=login&ui_locales=ko')).toString()).toMatch(
      /ui_locales=ko.*prompt=consent|prompt=consent.*ui_locales=ko/,
    )
  })

  test('X11 the button and the guard pass preferences on, also from another host', async () => {
    const { url, auth } = await start(undefined, {
      routes: (app, one) =>
        void app.get('/step', one.requireSignIn({ prompt: 'login', loginHint: 'a b&c' }), (_q, r) => void r.send('')),
    })
    const [, href = ''] =
      /href="([^"]+)"/.exec(auth.signInButton({ returnTo: '/me', prompt: 'consent', uiLocales: 'ko' })) ?? []
    const link = href.replaceAll('&amp;', '&')
    expect(link).toBe(`${url}/auth/login?return_to=%2Fme&prompt=consent&ui_locales=ko`)
    expect((await askedBy(link)).get('ui_locales')).toBe('ko')
    const step = await askedBy('/step')
    expect([step.get('prompt'), step.get('login_hint')]).toEqual(['login', 'a b&c'])
    expect((await askedBy('/auth/login?prompt=login', { Host: 'www.localhost' })).get('prompt')).toBe('login')
  })

  test.each([
    [{ prompt: 'none' }, '"prompt" must be "login", "select_account" or "consent"'],
    [{ loginHint: 7 }, '"loginHint" must be a string'],
    [{ uiLocales: 'ko,en' }, '"uiLocales" must be languages'],
    [{ login_hint: 'x' }, '"login_hint" is not an option; did you mean "loginHint"?'],
  ])('X11 %j is rejected by signInButton and requireSignIn', async (options, problem) => {
    const auth = ppoppo({ ...DEV, onEvent: () => {} })
    expect(() => auth.signInButton(options as never)).toThrow(`signInButton: ${problem}`)
    expect(() => auth.requireSignIn(options as never)).toThrow(`requireSignIn: ${problem}`)
    await auth.close()
  })
})

describe('signing in with another account', () => {
  test('X11 a person denied by the app can switch accounts, although PAS remembers the browser', async () => {
    const { url, sandbox, browser } = await start(undefined, {
      sandbox: { autoSignIn: null, rememberBrowser: true },
      options: {
        onSignIn: ({ ppnum }) => {
          if (ppnum === '77700000001') throw denySignIn('not this one')
        },
      },
    })
    const visitor = browser()
    const choose = async (page: { text: string }, person: string) => {
      const form = Object.fromEntries(
        [...page.text.matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
          name,
          value.replaceAll('&amp;', '&'),
        ]),
      )
      return visitor.go(`${sandbox.issuer}/oauth/authorize`, { method: 'POST', form: { ...form, person } })
    }
    const denied = await choose(await visitor.go(`${url}/auth/login?return_to=/page`), 'alex')
    expect([denied.status, denied.text]).toEqual([403, expect.stringContaining('not this one')])
    const asks = await visitor.go(buttonOf(denied).href)
    expect(asks.url).toContain('/oauth/authorize?')
    expect(new URL(asks.url).searchParams.get('prompt')).toBe('login')
    const landed = await choose(asks, 'mina')
    expect([landed.status, landed.url, landed.text]).toEqual([200, `${url}/page`, 'page of 77700000002'])
  })

  test.each<[unknown, string, string | undefined]>([
    [undefined, 'select_account', 'login'],
    [['none', 'login', 'consent', 'select_account'], 'select_account', 'select_account'],
    [['none', 'login'], 'select_account', 'login'],
    [['none'], 'select_account', undefined],
    [['none'], 'login', undefined],
    [undefined, 'login', 'login'],
    [undefined, 'consent', 'consent'],
    [['login'], 'consent', undefined],
  ])('X11 PAS announces prompts %j, the link asks for %s: %s is sent', (announced, wished, expected) => {
    expect(promptOf(wished, announced).prompt).toBe(expected)
  })
})

describe('max_age', () => {
  test('X11 max_age is sent, and an id_token with auth_time signs the person in', async () => {
    const { url, browser } = await start({ max_age: '300' })
    expect((await askedBy('/auth/login')).get('max_age')).toBe('300')
    expect((await browser().go(`${url}/auth/login?return_to=/page`)).text).toBe('page of 77700000001')
  })
})
