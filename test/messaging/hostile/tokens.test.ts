import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { HUNG_MS } from '../../../src/messaging/channel/shared-token-requests.js'
import { type MessagingRuntime, systemMessagingRuntime } from '../../../src/messaging/lib/runtime.js'
import type { Messaging } from '../../../src/messaging/types/methods.js'
import { allowed } from '../../support/allowed.js'
import { elapse, until } from '../../support/until.js'
import { call, connect, outcomeOf, startTokenEndpoint, type TokenEndpoint } from './hostile-client.js'
import { answerStatus, answerWell, type RawServer, startRawServer } from './raw-server.js'

let tokens: TokenEndpoint
let server: RawServer
let messaging: Messaging
/** On a busy machine a request may take longer than the second after which another one is made beside it. */
const after: MessagingRuntime['after'] = (ms, done) =>
  systemMessagingRuntime.after(ms === HUNG_MS ? 60 * HUNG_MS : ms, done)
/** Milliseconds that the client's clock is ahead. */
let aheadMs = 0

beforeEach(async () => {
  aheadMs = 0
  tokens = await startTokenEndpoint()
  server = await startRawServer(answerWell)
  messaging = connect(
    server.url,
    tokens.url,
    {},
    {
      after,
      now: () => Date.now() + aheadMs,
      monotonic: () => performance.now() + aheadMs,
    },
  )
})
afterEach(async () => {
  await messaging.close()
  await Promise.all([server.close(), tokens.close()])
})

const many = (count: number, of = messaging) =>
  Promise.all(
    Array.from({ length: count }, (_, index) => call(of, index % 2 ? 'send' : 'status', { deadlineMs: 120_000 })),
  )
const used = () => new Set(server.seen.map(({ authorization }) => authorization))

describe('the token', () => {
  test('200 calls at once on a new client make one token call', async () => {
    tokens.pause = () => elapse(50)
    await many(200)
    expect([tokens.granted, server.seen.length, used().size]).toEqual([1, 200, 1])
  })

  test('200 calls at its expiry make one token call, and all use the new one', async () => {
    await messaging.status('s0')
    aheadMs = 3_600_000 - 59_000
    tokens.pause = () => elapse(50)
    await many(200)
    expect(tokens.granted).toBe(2)
    expect(server.seen.slice(1).every(({ authorization }) => authorization === 'Bearer token-2')).toBe(true)
  })

  test('a second before it is due for renewal it is still used', async () => {
    await messaging.status('s0')
    aheadMs = 3_600_000 - 62_000
    await many(20)
    expect(tokens.granted).toBe(1)
  })

  test('200 calls that find it revoked make one more token call', async () => {
    const strict = await startRawServer((stream, index, { seen }) =>
      seen[index]?.authorization === 'Bearer token-1' ? answerStatus(16, 'revoked')(stream) : answerWell(stream),
    )
    // More than the budget of repeats, which is for what ails the server.
    const client = connect(strict.url, tokens.url, {}, { after })
    const outcomes = await Promise.all(Array.from({ length: 200 }, () => outcomeOf(call(client, 'send'))))
    expect(outcomes.filter(({ outcome }) => outcome !== 'ok')).toEqual([])
    expect(tokens.granted).toBe(2)
    await client.close()
    await strict.close()
  })

  test('a token that lives shorter than the margin is used for half of its life', async () => {
    tokens.expiresIn = 40
    await messaging.status('s0')
    aheadMs = 15_000
    await messaging.status('s0')
    expect(tokens.granted).toBe(1)
    aheadMs = 25_000
    await messaging.status('s0')
    expect(tokens.granted).toBe(2)
  })

  test('a caller that gives up does not cancel it for the others', async () => {
    let answer = (): void => {}
    tokens.pause = () => new Promise((resolve) => (answer = resolve))
    const { granted } = tokens
    const abort = new AbortController()
    const [first, second] = [
      outcomeOf(messaging.status('s1', { signal: abort.signal })),
      outcomeOf(messaging.status('s2')),
    ]
    await until(() => tokens.granted > granted, 'the token is asked for')
    abort.abort()
    expect((await first).error).toBe(abort.signal.reason)
    answer()
    expect(await second).toEqual({ outcome: 'ok' })
    expect(tokens.granted).toBe(1)
  })
})

describe('a failing token endpoint', () => {
  let sandbox: Sandbox
  let client: Messaging
  beforeEach(async () => {
    sandbox = await startSandbox({ pasPort: 0, pcsPort: 0 })
    if (!sandbox.pcs) throw new Error('no messaging service')
    const { url, tokenUrl, clientId, clientSecret } = sandbox.pcs
    client = connect(url, tokenUrl, { clientId, clientSecret, deadlineMs: 6_000 })
  })
  afterEach(async () => {
    await client.close()
    await sandbox.close()
  })
  type Fault = Parameters<Sandbox['control']['inject']>[0]['fault']
  const inject = (fault: Fault) =>
    sandbox.control.inject({ endpoint: 'token', grantType: 'client_credentials', fault, times: 'until-cleared' })

  test.each<[string, Fault, string]>([
    ['500', { kind: 'status', status: 500 }, 'messaging_unavailable'],
    ['429', { kind: 'status', status: 429, retryAfterSeconds: 7 }, 'messaging_unavailable'],
    ['invalid_client', { kind: 'status', status: 401, error: 'invalid_client' }, 'credentials_rejected'],
    ['garbage', { kind: 'garbage' }, 'messaging_response_invalid'],
    ['an empty answer', { kind: 'empty' }, 'messaging_response_invalid'],
    ['half an answer', { kind: 'truncated' }, 'messaging_response_invalid'],
    ['a cut', { kind: 'cut' }, 'messaging_unavailable'],
    ['a reset', { kind: 'reset' }, 'messaging_unavailable'],
    ['50 MB', { kind: 'huge', megabytes: 50 }, 'messaging_unavailable'],
    ['a redirect', { kind: 'redirect' }, 'messaging_misconfigured'],
    ['no token', { kind: 'missing-access-token' }, 'messaging_response_invalid'],
  ])('%s', async (what, fault, code) => {
    inject(fault)
    const { outcome, error } = await outcomeOf(client.app.stats())
    expect(outcome).toBe(code)
    expect(error?.message).toMatch(/^[^\n]*PAS_TOKEN_URL[^\n]*$/)
    if (what === '429') expect(error?.retryAfterMs).toBe(7_000)
    // A failure is not kept: the next call asks again.
    sandbox.control.clearFaults('token')
    expect(await outcomeOf(client.app.stats())).toEqual({ outcome: 'ok' })
  })

  test('that hangs is ended by the deadline of the call', async () => {
    inject({ kind: 'hang' })
    const startedAt = performance.now()
    expect(await outcomeOf(client.app.stats({ deadlineMs: 150 }))).toMatchObject({ outcome: 'deadline_exceeded' })
    expect(performance.now() - startedAt).toBeLessThan(await allowed(1_500))
  })
})
