import { once } from 'node:events'
import { type AddressInfo, createServer as createPlainServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { MessagingOptions } from '../../../src/config/messaging-options.js'
import type { Messaging } from '../../../src/messaging/types/methods.js'
import { allowed } from '../../support/allowed.js'
import { TEST_CERTIFICATE, TEST_KEY } from '../../support/certificate.js'
import { until } from '../../support/until.js'
import { connect, outcomeOf, startTokenEndpoint, type TokenEndpoint } from './hostile-client.js'
import { answerWell, type RawServer, startRawServer } from './raw-server.js'
import { startTcpProxy } from './tcp-proxy.js'

/*
 * M19: a certificate or a protocol that is set up wrongly. Waiting does not fix it, and "check the network" would send people
 * the wrong way. The test certificate is signed by itself, so that this process does not accept it.
 */

const REQUEST = { templateId: 't1', recipients: [{ ppnum: '12312345678' }] } as const
const DEADLINE_MS = 30_000
const PAGE = 'HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n'
let tokens: TokenEndpoint
let pcs: RawServer
const servers: Server[] = []
const sockets = new Set<Socket>()
const clients: Messaging[] = []
beforeAll(async () => {
  tokens = await startTokenEndpoint()
  pcs = await startRawServer(answerWell)
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  for (const socket of sockets) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})
afterAll(() => Promise.all([tokens.close(), pcs.close()]))

async function listen(server: Server): Promise<number> {
  servers.push(server)
  server.on('tlsClientError', () => {})
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
const answerPage = (socket: Socket): void => {
  socket.on('error', () => {})
  socket.once('data', () => socket.end(PAGE))
}
const tls = (options: TlsOptions) =>
  listen(createTlsServer({ cert: TEST_CERTIFICATE, key: TEST_KEY, ...options }, answerPage))

/** Ways to be set up wrongly, and what is said of them. */
const FAULTS: readonly (readonly [string, RegExp, () => Promise<string>])[] = [
  [
    'a certificate signed by itself',
    /certificate of https:\/\/localhost:\d+ is not accepted: .*NODE_EXTRA_CA_CERTS/,
    async () => `https://localhost:${await tls({ ALPNProtocols: ['h2'] })}`,
  ],
  [
    'a server that offers HTTP/1.1 alone (ALPN)',
    /does not speak HTTP\/2.*ALPN "h2"/,
    async () => `https://localhost:${await tls({ ALPNProtocols: ['http/1.1'] })}`,
  ],
  [
    'a port in the clear',
    /does not speak TLS.*scheme and port/,
    async () => `https://localhost:${await listen(createPlainServer(answerPage))}`,
  ],
  [
    'a server of HTTP/1.1 in the clear',
    /does not speak HTTP\/2/,
    async () => `http://localhost:${await listen(createPlainServer(answerPage))}`,
  ],
  [
    'TLS that is too old',
    /refuses the TLS handshake.*TLS versions/,
    async () =>
      `https://localhost:${await tls({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })}`,
  ],
]

function client(apiUrl: string, options: MessagingOptions = {}): Messaging {
  const made = connect(apiUrl, tokens.url, { deadlineMs: DEADLINE_MS, ...options }, { random: Math.random })
  clients.push(made)
  return made
}
/** Far from the deadline that waiting for it would reach. */
async function quickly<T>(work: Promise<T>): Promise<T> {
  const beganAt = performance.now()
  const result = await work
  expect(performance.now() - beganAt).toBeLessThan(await allowed(DEADLINE_MS / 2))
  return result
}
const faultLike = (text: RegExp) => ({
  code: 'messaging_misconfigured',
  retryable: false,
  message: expect.stringMatching(text),
})

describe.each(FAULTS)('M19: %s', (_, text, start) => {
  test('is reported by each call immediately, and no outcome is unknown', async () => {
    const messaging = client(await start())
    expect((await quickly(outcomeOf(messaging.send(REQUEST)))).error).toMatchObject(faultLike(text))
    expect((await quickly(outcomeOf(messaging.status('snd_1')))).error).toMatchObject(faultLike(text))
    expect(await quickly(messaging.health())).toMatchObject({ ok: false, error: faultLike(text) })
  })

  test('ends a bulk run before anything was sent', async () => {
    const recipients = Array.from({ length: 30 }, (_, index) => ({ ppnum: String(12_312_345_678 + index) }))
    const report = await quickly(
      client(await start()).sendMany({ templateId: 't1', recipients, chunkSize: 10, concurrency: 1 }),
    )
    expect(report).toMatchObject({ accepted: 0, unknown: 0, resumeFrom: 0, stoppedBy: faultLike(text) })
  })

  test('ends events() and consume() that were never connected', async () => {
    const messaging = client(await start())
    await expect(quickly(messaging.events().next())).rejects.toMatchObject(faultLike(text))
    await expect(quickly(messaging.consume({ name: 'tls', handler: () => {} }).closed)).rejects.toMatchObject(
      faultLike(text),
    )
  })
})

test('M19: HTTP/1.1 from an address where PCS worked before is retried, also by a send', async () => {
  const strange = await listen(createPlainServer(answerPage))
  let port = pcs.port
  const proxy = await startTcpProxy(() => port)
  const messaging = client(proxy.url)
  await messaging.send(REQUEST)
  port = strange
  for (const session of pcs.sessions) session.destroy()
  const before = proxy.accepted
  const sending = outcomeOf(messaging.send(REQUEST))
  await until(async () => proxy.accepted >= before + 2)
  port = pcs.port
  expect(await sending).toEqual({ outcome: 'ok' })
  await messaging.close()
  await proxy.close()
})

describe('M19: a token endpoint', () => {
  const tokenUrlOf = async (options: TlsOptions): Promise<string> =>
    `https://localhost:${await tls(options)}/oauth/token`

  test.each<[string, RegExp, () => Promise<string>]>([
    [
      'with a certificate signed by itself',
      /certificate of https:.* is not accepted \(DEPTH_ZERO_SELF_SIGNED_CERT\).*PAS_TOKEN_URL.*NODE_EXTRA_CA_CERTS/,
      () => tokenUrlOf({}),
    ],
    [
      'in the clear at an https URL',
      /does not speak TLS.*PAS_TOKEN_URL/,
      async () => `https://localhost:${await listen(createPlainServer(answerPage))}/oauth/token`,
    ],
    [
      'with TLS that is too old',
      /refuses the TLS handshake/,
      () => tokenUrlOf({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ],
    ['that offers HTTP/2 alone (ALPN)', /refuses the TLS handshake/, () => tokenUrlOf({ ALPNProtocols: ['h2'] })],
  ])('%s is said by calls, runs and streams, at once', async (_, text, start) => {
    const messaging = client(pcs.url, { tokenUrl: await start() })
    expect((await quickly(outcomeOf(messaging.send(REQUEST)))).error).toMatchObject(faultLike(text))
    const report = await quickly(messaging.sendMany({ templateId: 't1', recipients: REQUEST.recipients }))
    expect(report).toMatchObject({ accepted: 0, unknown: 0, resumeFrom: 0, stoppedBy: faultLike(text) })
    await expect(quickly(messaging.events().next())).rejects.toMatchObject(faultLike(text))
    const consumer = messaging.consume({ name: 'tls', handler: () => {} })
    await expect(quickly(consumer.closed)).rejects.toMatchObject(faultLike(text))
  })

  /** Node's codes, as they come out of its own fetch and out of others. */
  const broken = (code: string, isWrapped: boolean) => async (): Promise<never> => {
    const cause = Object.assign(new Error('certificate.example'), { code })
    throw isWrapped ? new TypeError('fetch failed', { cause }) : cause
  }

  test.each([
    'CERT_HAS_EXPIRED',
    'CERT_NOT_YET_VALID',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'HOSTNAME_MISMATCH',
    'INVALID_CA',
  ])('%s is told as the certificate, also by a fetch of the app', async (code) => {
    for (const isWrapped of [true, false]) {
      const messaging = client(pcs.url, { fetch: broken(code, isWrapped) })
      const { error } = await quickly(outcomeOf(messaging.send(REQUEST)))
      expect(error).toMatchObject(faultLike(new RegExp(`certificate of http.* is not accepted \\(${code}\\)`)))
    }
  })

  test.each(['ENOTFOUND', 'ECONNREFUSED', 'ECONNRESET', 'UND_ERR_SOCKET', 'ETIMEDOUT'])(
    '%s passes, and is waited for, whatever the host is called',
    async (code) => {
      const messaging = client(pcs.url, { fetch: broken(code, true), deadlineMs: 600 })
      expect((await outcomeOf(messaging.send(REQUEST))).error).toMatchObject({
        code: 'messaging_unavailable',
        message: expect.stringContaining(code),
      })
    },
  )

  test('with a bad certificate does no harm while the token is valid, and ends no stream', async () => {
    let isBroken = false
    const fault = broken('CERT_HAS_EXPIRED', true)
    const messaging = client(pcs.url, { fetch: (url, request) => (isBroken ? fault() : fetch(url, request)) })
    tokens.expiresIn = 1
    try {
      await messaging.send(REQUEST)
      isBroken = true
      expect(await outcomeOf(messaging.send(REQUEST))).toEqual({ outcome: 'ok' })
      await until(async () => (await outcomeOf(messaging.send(REQUEST))).outcome === 'messaging_misconfigured')
      const stale = new Promise<Error | undefined>((resolve) => {
        const events = messaging.events({ staleAfterMs: 1_000, onStale: ({ error }) => resolve(error) })
        events.next().catch(() => {})
      })
      expect(await stale).toMatchObject(faultLike(/certificate/))
    } finally {
      tokens.expiresIn = 3_600
    }
  })
})
