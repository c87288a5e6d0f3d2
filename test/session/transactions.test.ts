import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import express from 'express'
import { systemRuntime } from '../../src/lib/runtime.js'
import { cookieNamesOf } from '../../src/session/cookie-names.js'
import { ATTEMPT_TTL_MS, type Consumed, createTransactions, type Transaction } from '../../src/session/transactions.js'
import { createMemoryStore } from '../../src/store/memory/memory-store.js'
import type { Count, Store } from '../../src/store/store.js'
import { createKeyRing, type KeyRing } from '../../src/vault/keyring.js'
import { CookieBrowser } from '../support/cookie-browser.js'
import { putAttempt } from '../support/put-attempt.js'

const clientId = 'acme_login_client'
const names = cookieNamesOf({ clientId, isHttps: false })
let now: number
let store: Store
let server: Server
let url: string
let aheadMs: number
let keyId: string
let isHttps: boolean
let consumed: Consumed
let limit: Count | undefined
/** What the key ring gave for the texts that it was to open. */
let opened: (string | undefined)[]

/** The transactions behind two routes, since they live on cookies. */
beforeEach(async () => {
  now = Date.now()
  aheadMs = 0
  limit = undefined
  keyId = 'k1'
  isHttps = false
  opened = []
  store = createMemoryStore({ now: () => now })
  const runtime = { ...systemRuntime, now: () => now + aheadMs }
  const ring = (id: string): KeyRing => {
    const real = createKeyRing({ keys: [{ id, secret: Buffer.alloc(32, id) }], clientId, runtime })
    const open: KeyRing['open'] = (...args) => {
      opened.push(real.open(...args))
      return opened.at(-1)
    }
    return { ...real, open }
  }
  const make = () =>
    createTransactions({ config: { clientId, isHttps }, store, keyRing: async () => ring(keyId), runtime })
  const app = express()
  app.get('/begin', async (req, res) => {
    const { transaction } = await make().begin(req, res, { returnTo: 'https://app.example/x', limit })
    res.json(transaction ?? { isLimited: true })
  })
  app.get('/consume/:state', async (req, res) => {
    consumed = await make().consume(req, res, req.params.state)
    res.json(consumed.kind === 'taken' ? { kind: 'taken', transaction: consumed.transaction } : consumed)
  })
  server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://localhost:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  await store.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const begin = async (browser: CookieBrowser): Promise<Transaction> =>
  JSON.parse((await browser.visit(`${url}/begin`)).text)
const consume = async (browser: CookieBrowser, state: string): Promise<{ kind: string; transaction?: Transaction }> =>
  JSON.parse((await browser.visit(`${url}/consume/${encodeURIComponent(state)}`)).text)

describe('login attempts', () => {
  test('an attempt is taken as it was begun, and once', async () => {
    const browser = new CookieBrowser()
    const transaction = await begin(browser)
    expect(await consume(browser.clone(), transaction.state)).toEqual({ kind: 'taken', transaction })
    expect((await consume(browser, transaction.state)).kind).toBe('taken_before')
    expect((await consume(browser, transaction.state)).kind).toBe('unknown')
  })

  test.each([
    ['a moment before ten minutes', ATTEMPT_TTL_MS - 1, 'taken'],
    ['at ten minutes', ATTEMPT_TTL_MS, 'expired'],
    ['after a day', 86_400_000, 'expired'],
  ])('C09 %s', async (_name, ageMs, kind) => {
    const browser = new CookieBrowser()
    const { state } = await begin(browser)
    now += ageMs
    expect((await consume(browser, state)).kind).toBe(kind)
    expect([...browser.jar.keys()]).toEqual([])
  })

  test('C43 above its limit no attempt begins, and the browser gets no cookie', async () => {
    limit = { limiter: store.createLimiter('login', 1), key: 'somebody' }
    const browser = new CookieBrowser()
    const { state } = await begin(browser)
    expect(await begin(browser)).toEqual({ isLimited: true })
    expect(browser.jar.size).toBe(1)
    expect((await consume(browser, state)).kind).toBe('taken')
  })

  test('C09 an attempt that the store keeps for too long has expired nevertheless', async () => {
    const browser = new CookieBrowser()
    const put = store.putTransaction
    store.putTransaction = (make, ttlMs) => put(make, ttlMs * 10)
    const { state } = await begin(browser)
    now += ATTEMPT_TTL_MS
    expect((await consume(browser, state)).kind).toBe('expired')
  })

  test('C09 the eleventh attempt of a browser drops the oldest, in whatever order the cookies arrive', async () => {
    const browser = new CookieBrowser()
    const states: string[] = []
    for (let count = 0; count < 11; count += 1) {
      now += 1_000
      states.push((await begin(browser)).state)
      const reversed = [...browser.jar].reverse()
      browser.jar.clear()
      for (const [name, value] of reversed) browser.jar.set(name, value)
    }
    expect(browser.jar.size).toBe(10)
    const kinds: string[] = []
    for (const state of states) kinds.push((await consume(browser, state)).kind)
    expect(kinds).toEqual(['unknown', ...Array(10).fill('taken')])
  })

  test('C09 attempt cookies that the library did not write are dropped first, and other cookies stay', async () => {
    const browser = new CookieBrowser()
    browser.jar.set('other', '1')
    for (let count = 0; count < 12; count += 1) browser.jar.set(`${names.attempts}junk${count}`, 'junk')
    const { state } = await begin(browser)
    expect(browser.jar.size).toBe(11)
    expect((await consume(browser, state)).kind).toBe('taken')
    expect(browser.jar.get('other')).toBe('1')
  })

  test('C10 without the cookie, or with another or a changed one, no attempt is taken', async () => {
    const [browser, stranger] = [new CookieBrowser(), new CookieBrowser()]
    const { state } = await begin(browser)
    expect((await consume(stranger, state)).kind).toBe('unknown')
    const [name = '', value = ''] = [...browser.jar][0] ?? []
    for (const changed of [
      `${value.slice(0, -1)}${value.endsWith('A') ? 'Q' : 'A'}`,
      `${value}A`,
      '',
      'x',
      value.toUpperCase(),
    ]) {
      stranger.jar.set(name, changed)
      expect(['unknown', 'lost']).toContain((await consume(stranger, state)).kind)
    }
    expect((await consume(browser, state)).kind).toBe('taken')
  })

  test.each([
    '',
    '__proto__',
    'a'.repeat(42),
    'a'.repeat(44),
    `${'a'.repeat(42)}=`,
    `${'a'.repeat(42)}\n`,
    '가'.repeat(43),
  ])('C21 %j is not a state', async (state) => {
    const answer = await new CookieBrowser().visit(`${url}/consume/${encodeURIComponent(state)}`)
    expect(answer.status === 404 || JSON.parse(answer.text).kind === 'unknown').toBe(true)
  })

  test('S11 an attempt that the current keys cannot open is lost, and is neither expired nor an error', async () => {
    const browser = new CookieBrowser()
    const { state } = await begin(browser)
    keyId = 'k2'
    expect(await consume(browser, state)).toEqual({
      kind: 'lost',
      detail:
        'the attempt, begun 0 s ago, does not open with the vault keys of this process: those of the login were others',
    })
  })

  test.each([
    ['at once', 0, 'lost'],
    ['a moment before ten minutes', ATTEMPT_TTL_MS - 1_000, 'lost'],
    ['after ten minutes', ATTEMPT_TTL_MS, 'expired'],
  ])('S11 an attempt of a process that was restarted, %s', async (_name, ageMs, kind) => {
    const browser = new CookieBrowser()
    const { state } = await begin(browser)
    await store.close()
    store = createMemoryStore({ now: () => now })
    now += ageMs
    expect((await consume(browser, state)).kind).toBe(kind)
    expect([...browser.jar.keys()]).toEqual([])
  })

  test.each([-3_600_000, 3_600_000])(
    'S11 how old it is, is told by the store: this machine %s ms ahead',
    async (ms) => {
      const browser = new CookieBrowser()
      aheadMs = ms
      const { state } = await begin(browser)
      aheadMs = 0
      await store.close()
      store = createMemoryStore({ now: () => now })
      expect((await consume(browser, state)).kind).toBe('lost')
    },
  )

  test('C24 neither the cookie nor the store holds verifier, nonce or state in the clear', async () => {
    const browser = new CookieBrowser()
    const kept: string[] = []
    const put = store.putTransaction
    store.putTransaction = async (...args) => {
      const result = await put(...args)
      kept.push(result.attempt?.key ?? '', result.attempt?.value ?? '')
      return result
    }
    const { state, nonce, codeVerifier } = await begin(browser)
    const visible = [...browser.jar].flat().concat(kept).join('\n')
    for (const secret of [state, nonce, codeVerifier, 'app.example']) expect(visible).not.toContain(secret)
  })

  test('C25 an outcome does not open as its attempt, nor the attempt as its outcome, if somebody swaps them in the store', async () => {
    const browser = new CookieBrowser()
    const put = store.putTransaction
    let [key, attempt] = ['', '']
    store.putTransaction = async (...args) => {
      const result = await put(...args)
      ;[key, attempt] = [result.attempt?.key ?? '', result.attempt?.value ?? '']
      return result
    }
    const transaction = await begin(browser)
    store.putTransaction = put
    const { state, returnTo } = transaction
    const outcomeNow = async (): Promise<unknown> => {
      await consume(browser.clone(), state)
      return consumed.kind === 'taken_before' ? consumed.outcome() : undefined
    }
    await consume(browser.clone(), state)
    // Would be taken for an attempt, too, if it opened as one.
    if (consumed.kind === 'taken') await consumed.finish(Object.assign({ signInId: 'a.b' }, transaction))
    expect(await outcomeNow()).toEqual({ signInId: 'a.b', returnTo })

    const outcome = (await store.readTransactionOutcome(key)) ?? ''
    opened = []
    await store.setTransactionOutcome(key, attempt, ATTEMPT_TTL_MS)
    expect([await outcomeNow(), opened]).toEqual([undefined, [undefined]])
    opened = []
    await putAttempt(store, key, outcome, ATTEMPT_TTL_MS)
    expect([(await consume(browser.clone(), state)).kind, opened]).toEqual(['lost', [undefined]])
    await putAttempt(store, key, attempt, ATTEMPT_TTL_MS)
    expect(await consume(browser.clone(), state)).toEqual({ kind: 'taken', transaction })
  })

  test('C25 the outcome of another attempt does not open, under the same key or another, if somebody moves it in the store', async () => {
    const keys: string[] = []
    const put = store.putTransaction
    store.putTransaction = async (...args) => {
      const result = await put(...args)
      keys.push(result.attempt?.key ?? '')
      return result
    }
    /** A sign-in that is over. @returns what a second callback would join */
    async function signIn(signInId: string): Promise<() => Promise<unknown>> {
      const browser = new CookieBrowser()
      const { state } = await begin(browser)
      await consume(browser.clone(), state)
      if (consumed.kind === 'taken') await consumed.finish({ signInId, returnTo: 'https://app.example/x' })
      return async () => {
        await consume(browser.clone(), state)
        return consumed.kind === 'taken_before' ? consumed.outcome() : undefined
      }
    }
    const victim = await signIn('victim.x')
    const [from = ''] = keys
    const moved = (await store.readTransactionOutcome(from)) ?? ''
    expect(await victim()).toMatchObject({ signInId: 'victim.x' })
    // Attempts share 64 keys: until one has the victim's.
    while (keys.length < 2 || keys.at(-1)?.[0] !== from[0]) {
      const outcomeNow = await signIn('attacker.x')
      await store.setTransactionOutcome(keys.at(-1) ?? '', moved, ATTEMPT_TTL_MS)
      opened = []
      expect([await outcomeNow(), opened]).toEqual([undefined, [undefined]])
    }
  })

  test('C22 on https the cookie of an attempt is __Host-, Secure, HttpOnly, SameSite=Lax, for this host only', async () => {
    isHttps = true
    const answer = await new CookieBrowser().visit(`${url}/begin`)
    expect(answer.cookies).toHaveLength(1)
    expect(answer.cookies[0]).toMatch(
      /^__Host-ppoppo-tx-[\w-]{8}-[\w-]{16}=.+; Max-Age=3600; Path=\/; Expires=.+; HttpOnly; Secure; SameSite=Lax$/,
    )
    expect(answer.cookies[0]).not.toMatch(/domain/i)
  })
})
