import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { CallOptions } from '../../../src/messaging/types/methods.js'
import { call, connect, type Operation, outcomeOf, startTokenEndpoint, type TokenEndpoint } from './hostile-client.js'
import { answerHttp, answerStatus, answerWell, type Script, startRawServer } from './raw-server.js'
import { AWAY, ROWS, UNKNOWN } from './repeat-rows.js'

/** A `google.rpc.Status` with a `RetryInfo`, as base64 of the wire. */
function retryInfo(seconds?: number): string {
  const field = (number: number, value: Buffer): Buffer =>
    Buffer.concat([Buffer.from([number * 8 + 2, value.length]), value])
  const delay = seconds === undefined ? Buffer.alloc(0) : field(1, Buffer.from([0x08, seconds]))
  const any = [field(1, Buffer.from('type.googleapis.com/google.rpc.RetryInfo')), field(2, delay)]
  const status = [Buffer.from([0x08, 8]), field(2, Buffer.from('slow')), field(3, Buffer.concat(any))]
  return Buffer.concat(status).toString('base64').replace(/=+$/, '')
}

let tokens: TokenEndpoint
beforeAll(async () => {
  tokens = await startTokenEndpoint()
})
afterAll(() => tokens.close())

/** Calls once; the server goes by `script` for its first `times` streams, then answers well. */
async function callAgainst(script: Script, times: number, operation: Operation, options?: CallOptions) {
  const server = await startRawServer((stream, index, self) => {
    if (index < times) script(stream, index, self)
    else answerWell(stream)
  })
  const messaging = connect(server.url, tokens.url)
  const ended = await outcomeOf(call(messaging, operation, options))
  await messaging.close()
  await server.close()
  return { ...ended, seen: server.seen.length, headers: server.seen }
}

describe.each<Operation>(['status', 'send'])('%s', (operation) => {
  describe.each(ROWS)('$what', (row) => {
    const expected = operation === 'send' ? row.send : row.read

    test(`once: ${expected}`, async () => {
      const { outcome, error, told, seen } = await callAgainst(row.script, 1, operation)
      expect({ outcome, seen }).toEqual(
        expected === 'repeats' ? { outcome: 'ok', seen: 2 } : { outcome: expected, seen: 1 },
      )
      if (outcome !== 'ok') expect(told).toBe(row.told)
      if (outcome === UNKNOWN) expect(error?.known).toEqual({ templateId: 't1', recipients: 1, attempts: 1 })
    })

    if (expected !== 'repeats') return
    test('always: it stops after the allowed number of attempts', async () => {
      const { outcome, told, seen } = await callAgainst(row.script, Number.POSITIVE_INFINITY, operation)
      expect(seen).toBe(row.most ?? 4)
      expect(told).toBe(row.told)
      const limited = /429$|RESOURCE_EXHAUSTED|Retry-After/.test(row.what)
      expect(outcome).toBe(row.always ?? (limited ? 'rate_limited' : AWAY))
    })
  })

  test('an HTML page from a gateway in front of a PCS that has answered before is a temporary failure', async () => {
    const server = await startRawServer((stream, index) => (index === 0 ? answerWell(stream) : answerHttp(421)(stream)))
    const messaging = connect(server.url, tokens.url)
    await call(messaging, operation)
    const { outcome, error } = await outcomeOf(call(messaging, operation))
    expect({ outcome, seen: server.seen.length }).toEqual({ outcome: AWAY, seen: 5 })
    expect(error).toMatchObject({ retryable: true, message: expect.stringContaining('HTTP status code 421') })
    await messaging.close()
    await server.close()
  })

  test.each([
    ['retry-after-ms', '150', 8],
    ['retry-after', '1', 8],
    ['retry-after', '1', 429],
  ])('%s: %s is waited for (%d)', async (hint, value, code) => {
    const script = code === 429 ? answerHttp(429, { [hint]: value }) : answerStatus(8, 'slow', { [hint]: value })
    const startedAt = performance.now()
    const { outcome, seen } = await callAgainst(script, 1, operation)
    expect({ outcome, seen }).toEqual({ outcome: 'ok', seen: 2 })
    expect(performance.now() - startedAt).toBeGreaterThan(hint === 'retry-after' ? 990 : 145)
  })

  test.each([
    ['retry-after-ms', '150', 8],
    ['retry-after', '1', 429],
  ])("with rateLimit: 'fail', %s: %s is reported at once (%d)", async (hint, value, code) => {
    const script = code === 429 ? answerHttp(429, { [hint]: value }) : answerStatus(8, 'slow', { [hint]: value })
    const { outcome, error, seen } = await callAgainst(script, 1, operation, { rateLimit: 'fail' })
    expect({ outcome, seen }).toEqual({ outcome: 'rate_limited', seen: 1 })
    expect(error?.retryAfterMs).toBe(hint === 'retry-after' ? 1_000 : 150)
  })

  test('a retry hint longer than the deadline is reported instead of waited for', async () => {
    const { outcome, error, seen } = await callAgainst(answerStatus(8, 'slow', { 'retry-after': '60' }), 9, operation)
    expect({ outcome, seen }).toEqual({ outcome: 'rate_limited', seen: 1 })
    expect(error).toMatchObject({ retryAfterMs: 60_000, retryable: true })
  })

  test.each([
    ['a date that has passed', { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }],
    ['a negative number', { 'retry-after-ms': '-5' }],
    ['words', { 'retry-after': 'soon' }],
    ['a RetryInfo without a time', { 'grpc-status-details-bin': retryInfo() }],
  ])('%s asks to wait, nobody knows for how long: it is tried again, and is no quota', async (_, hints) => {
    const once = await callAgainst(answerStatus(8, 'slow', hints), 1, operation)
    expect({ outcome: once.outcome, seen: once.seen }).toEqual({ outcome: 'ok', seen: 2 })
    const always = await callAgainst(answerStatus(8, 'slow', hints), 9, operation)
    expect({ outcome: always.outcome, seen: always.seen }).toEqual({ outcome: 'rate_limited', seen: 4 })
    expect(always.error?.retryAfterMs).toBeUndefined()
  })

  test.each([
    ['a date', () => ({ 'retry-after': new Date(Date.now() + 60_000).toUTCString() })],
    [
      'a date by the clock of a server that is an hour ahead',
      () => ({
        date: new Date(Date.now() + 3_600_000).toUTCString(),
        'retry-after': new Date(Date.now() + 3_660_000).toUTCString(),
      }),
    ],
    ['a push-back of gRPC', () => ({ 'grpc-retry-pushback-ms': '60000' })],
    ['a RetryInfo', () => ({ 'grpc-status-details-bin': retryInfo(60) })],
    ['the time since 1970 at which it may be', () => ({ 'retry-after': String(Math.ceil(Date.now() / 1_000) + 60) })],
    ['the end of a rate limit that is used up', () => ({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '60' })],
    ['the same as the IETF spelt it', () => ({ 'ratelimit-reset': '60' })],
  ])('%s is read: longer than the deadline, so it is told', async (_, hints) => {
    const { outcome, error, seen } = await callAgainst(answerStatus(8, 'slow', hints()), 9, operation)
    expect({ outcome, seen }).toEqual({ outcome: 'rate_limited', seen: 1 })
    expect(error?.retryAfterMs).toBeGreaterThan(50_000)
    expect(error?.retryAfterMs).toBeLessThanOrEqual(61_000)
  })

  test('the reset time of a rate limit that is not used up is no retry hint: another limit was hit', async () => {
    const script = answerStatus(8, 'quota', { 'x-ratelimit-remaining': '7', 'x-ratelimit-reset': '1' })
    const { outcome, seen } = await callAgainst(script, 9, operation)
    expect({ outcome, seen }).toEqual({ outcome: 'quota_exceeded', seen: 1 })
  })

  test('a push-back that forbids a retry is no retry hint', async () => {
    const script = answerStatus(8, 'quota', { 'grpc-retry-pushback-ms': '-1' })
    const { outcome, seen } = await callAgainst(script, 9, operation)
    expect({ outcome, seen }).toEqual({ outcome: 'quota_exceeded', seen: 1 })
  })

  test('UNAUTHENTICATED is retried with a new token', async () => {
    const { headers } = await callAgainst(answerStatus(16, 'revoked'), 1, operation)
    const [first, second] = headers.map(({ authorization }) => authorization)
    expect(first).toMatch(/^Bearer token-\d+$/)
    expect(second).toMatch(/^Bearer token-\d+$/)
    expect(second).not.toBe(first)
  })

  test('a budget bounds retries over all calls of a client: 10 of 100 tokens for each', async () => {
    const server = await startRawServer((stream) => answerHttp(429)(stream))
    const messaging = connect(server.url, tokens.url)
    for (let calls = 0; calls < 10; calls += 1) await outcomeOf(call(messaging, operation))
    expect(server.seen.length).toBe(10 + 10)
    await messaging.close()
    await server.close()
  })
})
