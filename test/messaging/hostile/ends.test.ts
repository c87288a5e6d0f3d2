import { getEventListeners } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Messaging } from '../../../src/messaging/types/methods.js'
import { allowed } from '../../support/allowed.js'
import { until } from '../../support/until.js'
import { call, connect, type Operation, outcomeOf, startTokenEndpoint, type TokenEndpoint } from './hostile-client.js'
import { answerHeaders, answerStatus, answerWell, type RawServer, startRawServer } from './raw-server.js'

let tokens: TokenEndpoint
let silent: RawServer
let ended = 0
let messaging: Messaging

beforeAll(async () => {
  tokens = await startTokenEndpoint()
  // gRPC takes its time to load, and the deadlines here are short.
  const good = await startRawServer(answerWell)
  const first = connect(good.url, tokens.url)
  await call(first, 'status')
  await first.close()
  await good.close()
})
beforeEach(async () => {
  ended = 0
  silent = await startRawServer((stream, index) => {
    stream.on('close', () => {
      ended += 1
    })
    if (index % 2) answerHeaders(stream)
  })
  messaging = connect(silent.url, tokens.url)
})
afterEach(async () => {
  await messaging.close()
  await silent.close()
})
afterAll(() => tokens.close())

describe.each<Operation>(['status', 'send'])('%s that is never answered', (operation) => {
  test('ends at its deadline, with or without headers, and the server is notified', async () => {
    const code = operation === 'status' ? 'deadline_exceeded' : 'send_outcome_unknown'
    for (const calls of [1, 2]) {
      const startedAt = performance.now()
      expect(await outcomeOf(call(messaging, operation, { deadlineMs: 2_000 }))).toMatchObject({ outcome: code })
      expect(performance.now() - startedAt).toBeGreaterThan(1_990)
      expect(performance.now() - startedAt).toBeLessThan(await allowed(4_000))
      await until(() => ended === calls)
      expect(silent.seen.length).toBe(calls)
    }
  })

  test('ends with its signal and the reason of it, and the server is notified', async () => {
    const abort = new AbortController()
    const calling = outcomeOf(call(messaging, operation, { signal: abort.signal }))
    await until(() => silent.seen.length === 1)
    abort.abort(new Error('the visitor has left'))
    expect((await calling).error).toBe(abort.signal.reason)
    await until(() => ended === 1)
  })

  test('ends with close(), and so does every later call', async () => {
    const calls = Array.from({ length: 20 }, () => outcomeOf(call(messaging, operation)))
    await until(() => silent.seen.length === 20)
    await messaging.close()
    await messaging.close()
    expect((await Promise.all(calls)).map(({ outcome }) => outcome)).toEqual(calls.map(() => 'closed'))
    expect(await outcomeOf(call(messaging, operation))).toMatchObject({ outcome: 'closed' })
    await until(() => ended === 20)
    await until(() => silent.sockets.size === 0)
  })

  test('does not start with an aborted signal', async () => {
    const reason = new Error('before')
    expect((await outcomeOf(call(messaging, operation, { signal: AbortSignal.abort(reason) }))).error).toBe(reason)
    expect(silent.seen.length).toBe(0)
  })
})

describe('pauses before a retry', () => {
  test.each(['close', 'signal'])('end immediately with %s', async (by) => {
    const limited = await startRawServer(answerStatus(8, 'slow', { 'retry-after': '3' }))
    const abort = new AbortController()
    const client = connect(limited.url, tokens.url)
    const calling = outcomeOf(call(client, 'send', { signal: abort.signal }))
    await until(() => limited.seen.length === 1)
    const startedAt = performance.now()
    if (by === 'close') await client.close()
    else abort.abort()
    const { outcome, error } = await calling
    expect(by === 'close' ? outcome : error).toBe(by === 'close' ? 'closed' : abort.signal.reason)
    expect(performance.now() - startedAt).toBeLessThan(await allowed(1_000))
    await client.close()
    await limited.close()
  })

  test('200 calls share one listener on a signal, and leave none: Node warns of more than 10', async () => {
    const abort = new AbortController()
    const calls = Array.from({ length: 200 }, () => outcomeOf(messaging.status('s1', { signal: abort.signal })))
    await until(() => silent.seen.length >= 90)
    expect(getEventListeners(abort.signal, 'abort').length).toBe(1)
    abort.abort()
    await Promise.all(calls)
    const other = new AbortController()
    await outcomeOf(messaging.status('s1', { signal: other.signal, deadlineMs: 100 }))
    expect(getEventListeners(other.signal, 'abort').length).toBe(0)
  })
})
