import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { PpoppoOptions } from '../../src/index.js'
import { beginAttempt, isSignedIn } from '../support/attempts.js'
import type { Answer, CookieBrowser } from '../support/cookie-browser.js'
import { describeOnStores } from '../support/stores.js'
import { until } from '../support/until.js'
import { startWorld, type World } from '../support/world.js'

const ID_TOKEN_FAULTS = [
  'wrong-nonce',
  'missing-nonce',
  'wrong-aud',
  'extra-aud',
  'wrong-azp',
  'wrong-iss',
  'wrong-sub',
  'alg-none',
  'alg-hs256',
  'foreign-key',
  'expired',
  'missing-exp',
  'future-iat',
  'wrong-at-hash',
  'wrong-c-hash',
  'missing-id-token',
  'missing-access-token',
] as const

describeOnStores('an answer of PAS that does not verify', (storage) => {
  let world: World
  let options: PpoppoOptions
  beforeAll(async () => {
    options = { ...storage.options(), rateLimit: false }
    world = await startWorld({ options, sandbox: { announceRevocation: true } })
  })
  afterAll(() => world.close())
  afterEach(() => world.sandbox.control.reset())

  /** A sign-in that must come to nothing: no session, no sign-in, a page. */
  async function refused(page: string, status = 400): Promise<{ answer: Answer; browser: CookieBrowser }> {
    const browser = world.browser()
    const url = await beginAttempt(world, browser, '/me?again')
    world.events.length = 0
    const answer = await browser.visit(url)
    expect([answer.status, answer.location]).toEqual([status, ''])
    expect(answer.text).toContain(page)
    expect(answer.text).toContain(`/auth/login?return_to=${encodeURIComponent(`${world.url}/me?again`)}`)
    expect(await isSignedIn(world, browser)).toBe(false)
    expect([...browser.jar.keys()]).toEqual([])
    const events = world.events.map(({ type }) => type)
    expect(events.filter((type) => type !== 'warning')).toEqual(['sign_in_refused'])
    const kept = Object.keys(await storage.contents(options))
    expect(kept.filter((key) => /:(signin|user|sess):/.test(key))).toEqual([])
    return { answer, browser }
  }

  test.each(ID_TOKEN_FAULTS)('C14 an id_token with fault %s is rejected with a page', async (kind) => {
    world.sandbox.control.inject({ endpoint: 'token', fault: { kind } })
    const { answer } = await refused('We could not verify this sign-in')
    expect(world.events).toContainEqual(expect.objectContaining({ reason: 'verification_failed' }))
    for (const { value } of world.sandbox.control.issuedTokens) {
      expect(answer.text).not.toContain(value)
      expect(JSON.stringify(world.events)).not.toContain(value)
    }
  })

  test('C14 a key set with another key verifies no id_token', async () => {
    const fresh = await startWorld({ options: storage.options() })
    try {
      fresh.sandbox.control.inject({ endpoint: 'jwks', fault: { kind: 'foreign-key' }, times: 'until-cleared' })
      const browser = fresh.browser()
      const answer = await browser.visit(await beginAttempt(fresh, browser))
      expect(answer.status).toBe(400)
      expect(await isSignedIn(fresh, browser)).toBe(false)
    } finally {
      await fresh.close()
    }
  })

  test.each(['wrong-sub', 'missing-sub'] as const)('C15 userinfo with %s is rejected', async (kind) => {
    world.sandbox.control.inject({ endpoint: 'userinfo', fault: { kind } })
    await refused('We could not verify this sign-in')
    await until(() => world.sandbox.control.counters.revocation === 1, 'the refresh token is revoked')
  })

  test('C16 missing scopes are rejected: page and event name them, and the tokens are revoked', async () => {
    world.sandbox.control.inject({ endpoint: 'token', fault: { kind: 'narrower-scope', scope: 'openid profile' } })
    const { answer } = await refused('A permission is missing', 403)
    expect(answer.text).toContain('<code>email</code>')
    expect(answer.text).not.toContain('<code>profile</code>')
    const detail = expect.stringContaining('email')
    expect(world.events).toContainEqual(expect.objectContaining({ reason: 'scope_shortfall', detail }))
    await until(() => world.sandbox.control.counters.revocation === 1, 'the refresh token is revoked')
  })
})

describe('keys and scopes of PAS', () => {
  test.each(['sha512', 'sha256'] as const)('C14 hashes in the id_token may use %s', async (idTokenHash) => {
    const world = await startWorld({ sandbox: { idTokenHash, sendCodeHash: true } })
    try {
      await world.signedIn()
    } finally {
      await world.close()
    }
  })

  test('C16 scopes are compared as a set: another order or additional scopes are accepted', async () => {
    const world = await startWorld()
    for (const scope of ['email profile openid', 'poll email  openid messaging profile']) {
      world.sandbox.control.inject({ endpoint: 'token', fault: { kind: 'narrower-scope', scope } })
      await world.signedIn()
    }
    await world.close()
  })

  test('C14 keys may change between two sign-ins, whether the old one stays in the set or not', async () => {
    const world = await startWorld()
    try {
      await world.signedIn()
      await world.sandbox.control.rotateKeys()
      await world.signedIn()
      await world.sandbox.control.rotateKeys({ keepFormer: true })
      await world.signedIn()
      await world.sandbox.control.rotateKeys()
      await world.signedIn()
    } finally {
      await world.close()
    }
  })
})

describe('iss of the response (RFC 9207)', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ sandbox: { sendIssuerParameter: true }, options: { rateLimit: false } })
  })
  afterAll(() => world.close())

  async function answerTo(
    change: (url: URL) => void,
  ): Promise<{ answer: Answer; browser: CookieBrowser; calls: number }> {
    const browser = world.browser()
    const url = new URL(await beginAttempt(world, browser))
    change(url)
    const before = world.sandbox.control.counters.token
    const answer = await browser.visit(url.href)
    return { answer, browser, calls: world.sandbox.control.counters.token - before }
  }

  test('C13 the expected issuer is accepted', async () => {
    const { answer, browser } = await answerTo((url) => {
      expect(url.searchParams.get('iss')).toBe(world.sandbox.issuer)
    })
    expect(answer.status).toBe(303)
    expect(await isSignedIn(world, browser)).toBe(true)
  })

  test.each([
    ['another issuer', (url: URL) => url.searchParams.set('iss', 'https://accounts.example.test')],
    ['the expected issuer with a slash', (url: URL) => url.searchParams.set('iss', `${world.sandbox.issuer}/`)],
    ['the expected issuer in capitals', (url: URL) => url.searchParams.set('iss', world.sandbox.issuer.toUpperCase())],
    ['no issuer, although PAS announces it', (url: URL) => url.searchParams.delete('iss')],
    ['two issuers', (url: URL) => url.searchParams.append('iss', world.sandbox.issuer)],
    ['an empty issuer', (url: URL) => url.searchParams.set('iss', '')],
  ])('C13 %s is rejected before the code is sent anywhere', async (_name, change) => {
    const { answer, browser, calls } = await answerTo(change)
    expect(answer.status).toBe(400)
    expect(calls).toBe(0)
    expect(await isSignedIn(world, browser)).toBe(false)
  })

  test('C13 a wrong issuer is rejected even if PAS does not announce the parameter', async () => {
    const quiet = await startWorld()
    try {
      const browser = quiet.browser()
      const url = await beginAttempt(quiet, browser)
      expect((await browser.visit(`${url}&iss=https%3A%2F%2Faccounts.example.test`)).status).toBe(400)
      expect(quiet.events).toContainEqual(expect.objectContaining({ reason: 'issuer_mismatch' }))
      expect(quiet.sandbox.control.counters.token).toBe(0)
    } finally {
      await quiet.close()
    }
  })
})

describe('S16 a clock difference between PAS and this machine', () => {
  test.each([
    [140, 'en', 'This server&#39;s clock is 2 minutes behind Ppoppo&#39;s. Check this machine&#39;s clock.'],
    [32_400, 'en', 'This server&#39;s clock is 9 hours behind Ppoppo&#39;s. Check this machine&#39;s clock.'],
    [-32_400, 'en', 'This server&#39;s clock is 9 hours ahead of Ppoppo&#39;s. Check this machine&#39;s clock.'],
    [140, 'ko', '이 서버의 시계가 Ppoppo보다 2분 느립니다. 서버의 시계를 확인해 주세요.'],
    [-32_400, 'ko', '이 서버의 시계가 Ppoppo보다 9시간 빠릅니다. 서버의 시계를 확인해 주세요.'],
  ])('PAS %i s ahead: the page in %s and the event report it', async (seconds, language, note) => {
    const world = await startWorld({ sandbox: { clockAheadSeconds: seconds } })
    try {
      const browser = world.browser()
      const url = await beginAttempt(world, browser)
      const answer = await browser.visit(url, { headers: { 'accept-language': language } })
      expect(answer.status).toBe(400)
      expect(answer.text).toContain(note)
      const detail = expect.stringMatching(
        /PAS's clock is \d+ s (ahead of|behind) this machine's: check this machine's/,
      )
      expect(world.events).toContainEqual(expect.objectContaining({ reason: 'verification_failed', detail }))
    } finally {
      await world.close()
    }
  })
})
