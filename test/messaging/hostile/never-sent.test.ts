import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Messaging } from '../../../src/messaging/types/methods.js'
import { allowed } from '../../support/allowed.js'
import { findFreePort } from '../../support/redis.js'
import { until } from '../../support/until.js'
import { call, connect, type Operation, outcomeOf, startTokenEndpoint, type TokenEndpoint } from './hostile-client.js'
import { answerHeaders, answerWell, type RawServer, startRawServer } from './raw-server.js'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js'

let tokens: TokenEndpoint
let server: RawServer
let proxy: TcpProxy
const clients: Messaging[] = []

beforeAll(async () => {
  tokens = await startTokenEndpoint()
  server = await startRawServer(answerWell)
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  await proxy?.close().catch(() => {})
})
afterAll(() => Promise.all([tokens.close(), server.close()]))

function client(url: string, ...more: [options?: object, runtime?: object]): Messaging {
  const made = connect(url, tokens.url, ...more)
  clients.push(made)
  return made
}

const OPERATIONS: readonly Operation[] = ['status', 'send']
/** Pauses as they are, since a channel that lost its connection takes a quarter of a second to try again. */
const patient = { random: () => 0.9 }
/** Where the deadline is not what ends a call. */
const LONG = { deadlineMs: 120_000 }

describe.each(OPERATIONS)('%s that never left this process', (operation) => {
  test('nobody listens: it is retried, then reported in one line', async () => {
    const port = await findFreePort()
    const { outcome, error, told } = await outcomeOf(call(client(`http://127.0.0.1:${port}`), operation))
    expect(outcome).toBe('messaging_unavailable')
    expect(error?.message).toMatch(/^[^\n]*127\.0\.0\.1:\d+[^\n]*PCS_API_URL[^\n]*$/)
    expect(told).toMatch(/^gRPC status 14: No connection established\. Last error: .*ECONNREFUSED/)
  })

  test('nobody listens, and the deadline passes before the next attempt: it is reported in the same line', async () => {
    const port = await findFreePort()
    const silent = await startTokenEndpoint()
    silent.expiresIn = 1
    silent.pause = async () => {
      if (silent.granted > 1) await new Promise(() => {})
    }
    const messaging = connect(`http://127.0.0.1:${port}`, silent.url, { deadlineMs: 3_000 })
    clients.push(messaging)
    const { outcome, told } = await outcomeOf(call(messaging, operation))
    expect(silent.granted).toBeGreaterThan(1)
    expect([outcome, told]).toEqual(['messaging_unavailable', expect.stringContaining('ECONNREFUSED')])
    await silent.close()
  })

  test('nobody listens at first: it is retried until somebody does, and arrives once', async () => {
    const port = await findFreePort()
    let retries = 0
    const random = (): number => {
      retries += 1
      return patient.random()
    }
    const calling = outcomeOf(
      call(client(`http://127.0.0.1:${port}`, { maxAttempts: 10, ...LONG }, { random }), operation),
    )
    await until(() => retries > 1, 'it was retried')
    const late = await startRawServer(answerWell, { port })
    expect(await calling).toMatchObject({ outcome: 'ok' })
    expect(late.seen.length).toBe(1)
    await late.close()
  })

  test('connections are reset as they are made: it is retried until one stays open', async () => {
    proxy = await startTcpProxy(() => server.port)
    proxy.set('reset')
    const before = server.seen.length
    const calling = outcomeOf(call(client(proxy.url, LONG, patient), operation))
    await until(() => proxy.accepted > 0, 'one was reset')
    proxy.set('pass')
    expect(await calling).toMatchObject({ outcome: 'ok' })
    expect([proxy.accepted > 1, server.seen.length - before]).toEqual([true, 1])
  })

  test('GOAWAY before the call: it uses another connection', async () => {
    const refusing = await startRawServer((stream, index) => {
      // Before the answer: who has that has read this.
      if (index === 0) stream.session?.goaway(0, stream.id)
      answerWell(stream)
    })
    const messaging = client(refusing.url, LONG)
    await messaging.status('s0')
    expect(await outcomeOf(call(messaging, operation))).toMatchObject({ outcome: 'ok' })
    expect([refusing.seen.length, refusing.accepted]).toEqual([2, 2])
    await refusing.close()
  })

  test('a server accepts and stays silent: the deadline ends it, and it was not sent', async () => {
    proxy = await startTcpProxy(() => server.port)
    proxy.set('silent')
    const messaging = client(proxy.url, LONG)
    // The first one may come to its end while it waits for the token.
    const { granted } = tokens
    await outcomeOf(call(messaging, operation, { deadlineMs: 10 }))
    await until(() => tokens.granted > granted, 'the token is granted')
    const startedAt = performance.now()
    const { outcome, told } = await outcomeOf(call(messaging, operation, { deadlineMs: 1_000 }))
    expect(outcome).toBe('deadline_exceeded')
    expect(told).toMatch(/^gRPC status 4: Deadline exceeded after .*Waiting for LB pick$/)
    expect(performance.now() - startedAt).toBeLessThan(await allowed(LONG.deadlineMs / 2))
  })

  test('a server accepts and stays silent: the watchdog replaces the channel, and it succeeds', async () => {
    proxy = await startTcpProxy(() => server.port)
    proxy.set('silent')
    const before = server.seen.length
    const calling = outcomeOf(call(client(proxy.url, LONG, { connectWatchdogMs: 5_000 }), operation))
    await until(() => proxy.accepted > 0, 'it has connected')
    proxy.set('pass')
    expect(await calling).toMatchObject({ outcome: 'ok' })
    expect([proxy.accepted, server.seen.length - before]).toEqual([2, 1])
  })

  test('a call after one that the silence ended reaches the good server', async () => {
    proxy = await startTcpProxy(() => server.port)
    proxy.set('silent')
    const messaging = client(proxy.url, LONG, { connectWatchdogMs: 5_000 })
    expect(await outcomeOf(call(messaging, operation, { deadlineMs: 100 }))).toMatchObject({
      outcome: 'deadline_exceeded',
    })
    proxy.set('pass')
    expect(await outcomeOf(call(messaging, operation))).toMatchObject({ outcome: 'ok' })
  })
})

describe('a network that fails under a working channel', () => {
  test('only delays calls if it is slow', async () => {
    proxy = await startTcpProxy(() => server.port)
    proxy.delayMs = 50
    proxy.set('delay')
    const startedAt = performance.now()
    expect(await outcomeOf(call(client(proxy.url, LONG), 'send'))).toMatchObject({ outcome: 'ok' })
    expect(performance.now() - startedAt).toBeGreaterThan(95)
  })

  test.each<[Operation, string]>([
    ['status', 'deadline_exceeded'],
    ['send', 'send_outcome_unknown'],
  ])('a black hole: %s ends by its deadline as %s', async (operation, code) => {
    proxy = await startTcpProxy(() => server.port)
    const messaging = client(proxy.url, LONG)
    await messaging.status('s0')
    proxy.set('blackhole')
    expect(await outcomeOf(call(messaging, operation, { deadlineMs: 3_000 }))).toMatchObject({ outcome: code })
  })

  test('is detected by keepalive if it drops packets; the read is retried on another connection', async () => {
    proxy = await startTcpProxy(() => server.port)
    const messaging = client(proxy.url, { ...LONG, keepalive: { timeMs: 500, timeoutMs: 3_000 } })
    await messaging.status('s0')
    proxy.mute()
    expect(await outcomeOf(call(messaging, 'status'))).toMatchObject({ outcome: 'ok' })
    expect(proxy.accepted).toBeGreaterThan(1)
  })

  test('may reset the connection between two calls without failing the second', async () => {
    proxy = await startTcpProxy(() => server.port)
    const messaging = client(proxy.url, LONG)
    await messaging.status('s0')
    proxy.set('reset')
    await until(() => proxy.open === 0, 'the connection is gone')
    proxy.set('pass')
    expect(await outcomeOf(call(messaging, 'send'))).toMatchObject({ outcome: 'ok' })
  })

  test.each<[Operation, string]>([
    ['status', 'ok'],
    ['send', 'send_outcome_unknown'],
  ])('the server restarts in the middle of a call: %s ends as %s', async (operation, expected) => {
    let first = await startRawServer((stream) => answerHeaders(stream))
    const { port } = first
    const calling = outcomeOf(call(client(first.url, { maxAttempts: 10, ...LONG }, patient), operation))
    await until(() => first.seen.length > 0, 'it has arrived')
    await first.close()
    first = await startRawServer(answerWell, { port })
    expect(await calling).toMatchObject({ outcome: expected })
    expect(first.seen.length).toBe(operation === 'status' ? 1 : 0)
    await first.close()
  })
})
