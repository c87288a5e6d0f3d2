import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { PpoppoEvent } from '../../src/audit-events.js'
import { PpoppoError, pinoEvents } from '../../src/index.js'
import { createHealthBook } from '../../src/observability/health.js'
import { startWorld, type World } from '../support/world.js'

describe('auth.health()', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  test('says what the last real calls found, and makes none itself', async () => {
    expect(await world.auth.health()).toEqual({
      ok: true,
      store: expect.objectContaining({ status: expect.stringMatching(/^(up|unknown)$/) }),
      provider: { status: 'unknown' },
      messaging: { status: 'unknown' },
    })
    await world.signedIn()
    const asked = world.sandbox.control.issuedTokens.length
    for (let times = 0; times < 20; times++) await world.auth.health()
    expect(await world.auth.health()).toMatchObject({
      ok: true,
      store: { status: 'up', latencyMs: expect.any(Number) },
      provider: { status: 'up', latencyMs: expect.any(Number) },
    })
    expect(world.sandbox.control.issuedTokens).toHaveLength(asked)
    world.sandbox.control.inject({ endpoint: 'token', times: 3, fault: { kind: 'status', status: 503 } })
    await world.browser().go(`${world.url}/auth/login`)
    expect(await world.auth.health()).toMatchObject({ ok: false, provider: { status: 'down' } })
    world.sandbox.control.clearFaults()
    await world.signedIn()
    expect(await world.auth.health()).toMatchObject({ ok: true, provider: { status: 'up' } })
  })
})

describe('createHealthBook()', () => {
  test('a store is down from its first failure to its next success, and of a store that is up few calls are timed', async () => {
    const book = createHealthBook()
    const raised: unknown[] = []
    const raise = book.watchEvents((detail) => raised.push(detail))
    expect(Array.from({ length: 32 }, () => book.store.isWanted()).filter(Boolean)).toHaveLength(2)
    raise({ type: 'store_unavailable', operation: 'x', detail: 'x' })
    expect(raised).toHaveLength(1)
    expect(await book.report()).toMatchObject({ ok: false, store: { status: 'down' } })
    expect(book.store.isWanted()).toBe(true)
    book.store.took(1.2345)
    expect((await book.report()).store).toEqual({ status: 'up', latencyMs: 1.23 })
  })

  test('a refusal by PCS counts as up; no answer, or rejected credentials, does not', async () => {
    const book = createHealthBook()
    const statusAfter = async (error?: unknown) => {
      book.noteMessaging({ tookMs: 3, ...(error !== undefined && { error }) })
      return (await book.report()).messaging.status
    }
    expect(await statusAfter()).toBe('up')
    expect(await statusAfter(new PpoppoError('messaging_unavailable', 'x'))).toBe('down')
    expect(await statusAfter(new PpoppoError('not_found', 'x'))).toBe('up')
    expect(await statusAfter(new PpoppoError('credentials_rejected', 'x'))).toBe('down')
    expect(await statusAfter(new PpoppoError('rate_limited', 'x'))).toBe('up')
    expect(await statusAfter(new PpoppoError('deadline_exceeded', 'x'))).toBe('down')
    // Sent, and refused.
    expect(await statusAfter(new PpoppoError('request_invalid', 'x', { grpcCode: 3 }))).toBe('up')
  })
})

test.each([
  ['that the app has aborted', AbortSignal.abort().reason],
  ['without a client', new PpoppoError('messaging_not_configured', 'x')],
  ['after close()', new PpoppoError('closed', 'x')],
  ['that was never sent', new PpoppoError('request_invalid', 'x')],
])('a call %s says nothing about PCS', async (_, error) => {
  const book = createHealthBook()
  book.noteMessaging({ tookMs: 3, error })
  expect((await book.report()).messaging).toEqual({ status: 'unknown' })
})

test('pinoEvents logs each event on its level, without the time, which the logger has itself', () => {
  const lines: unknown[][] = []
  const log =
    (level: string) =>
    (...args: unknown[]): void =>
      void lines.push([level, ...args])
  const onEvent = pinoEvents({ info: log('info'), warn: log('warn'), error: log('error') })
  const base = { at: '2026-01-01T00:00:00.000Z', correlationId: 'c' }
  const events: PpoppoEvent[] = [
    { ...base, type: 'sign_in', sub: 's', signInId: 'i' },
    { ...base, type: 'sign_in_refused', reason: 'no_attempt' },
    { ...base, type: 'sign_in_refused', reason: 'app_failed' },
    { ...base, type: 'store_unavailable', operation: 'login', detail: 'd' },
  ]
  for (const event of events) onEvent(event)
  expect(lines).toEqual([
    ['info', { event: 'sign_in', correlationId: 'c', sub: 's', signInId: 'i' }, 'ppoppo sign_in'],
    ['info', { event: 'sign_in_refused', correlationId: 'c', reason: 'no_attempt' }, 'ppoppo sign_in_refused'],
    ['warn', { event: 'sign_in_refused', correlationId: 'c', reason: 'app_failed' }, 'ppoppo sign_in_refused'],
    [
      'error',
      { event: 'store_unavailable', correlationId: 'c', operation: 'login', detail: 'd' },
      'ppoppo store_unavailable',
    ],
  ])
})
