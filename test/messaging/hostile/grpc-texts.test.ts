import { once } from 'node:events'
import { createServer } from 'node:net'
import { Client, credentials, type ServiceError } from '@grpc/grpc-js'
import { afterEach, describe, expect, test } from '@jest/globals'
import { classify, isNeverSent } from '../../../src/messaging/call/retry-policy.js'
import type { CallFailure } from '../../../src/messaging/call/status.js'
import { answerHttp, answerReset, answerStatus, answerWell, type Script, startRawServer } from './raw-server.js'

/*
 * The texts that tell "never sent" from "perhaps done" are grpc-js's own and documented nowhere. An upgrade that
 * changes one of them must fail here, before a send is repeated, or not repeated, by mistake.
 */

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

const asItIs = (bytes: Buffer): Buffer => bytes

/** Calls once with grpc-js alone. */
function callBare(port: number, ends: { deadlineMs?: number; before?: (client: Client) => void } = {}) {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 })
  open.push(() => client.close())
  ends.before?.(client)
  return new Promise<ServiceError>((resolve, reject) => {
    const deadline = Date.now() + (ends.deadlineMs ?? 3_000)
    client.makeUnaryRequest('/a.B/C', asItIs, asItIs, Buffer.alloc(0), { deadline }, (error) =>
      error ? resolve(error) : reject(new Error('it succeeded')),
    )
  })
}

async function serve(script: Script): Promise<number> {
  const server = await startRawServer(script)
  open.push(() => server.close())
  return server.port
}

async function listen(onConnection: (socket: import('node:net').Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {}) // connections that break are what the tests are about
    open.push(() => socket.destroy())
    onConnection(socket)
  }).listen(0, '127.0.0.1')
  open.push(() => server.close())
  await once(server, 'listening')
  return (server.address() as { port: number }).port
}

async function nobody(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

const ownWords = ({ code, details }: ServiceError): CallFailure => ({ code, details, isFromPeer: false })

describe('the texts of the installed grpc-js', () => {
  test.each<[string, Script, number, string]>([
    ['RST 0', answerReset(0), 13, 'Received RST_STREAM with code 0 (Call ended without gRPC status)'],
    ['RST 1', answerReset(1), 13, 'Received RST_STREAM with code 1'],
    ['RST 2', answerReset(2), 13, 'Received RST_STREAM with code 2 (Internal server error)'],
    ['CANCEL', answerReset(8), 1, 'Call cancelled'],
    ['ENHANCE_YOUR_CALM', answerReset(11), 8, 'Bandwidth exhausted or memory limit exceeded'],
    ['INADEQUATE_SECURITY', answerReset(12), 7, 'Protocol not secure enough'],
    ...[502, 503, 504].map((status): [string, Script, number, string] => [
      `HTTP ${status}`,
      answerHttp(status),
      14,
      `Received HTTP status code ${status}`,
    ]),
    ['HTTP 400', answerHttp(400), 13, 'Received HTTP status code 400'],
    ['a reset', (_stream, _call, { sockets }) => [...sockets][0]?.resetAndDestroy(), 14, 'read ECONNRESET'],
    ['a closed connection', (_stream, _call, { sockets }) => [...sockets][0]?.destroy(), 14, 'Connection dropped'],
  ])('%s: perhaps done', async (_, script, code, details) => {
    const error = await callBare(await serve(script))
    expect({ code: error.code, details: error.details }).toEqual({ code, details })
    expect(isNeverSent(ownWords(error))).toBe(false)
    if (code !== 7) expect(classify(ownWords(error), 'write')).toEqual({ retry: 'no', outcome: 'unknown' })
  })

  test('a stream that was refused', async () => {
    const error = await callBare(await serve(answerReset(7)))
    expect({ code: error.code, details: error.details }).toEqual({ code: 14, details: 'Stream refused by server' })
    expect(classify(ownWords(error), 'write')).toEqual({ retry: 'backoff', outcome: 'not_done' })
  })

  test('HTTP 429', async () => {
    const error = await callBare(await serve(answerHttp(429)))
    expect({ code: error.code, details: error.details }).toEqual({ code: 14, details: 'Received HTTP status code 429' })
    expect(classify({ ...ownWords(error), isFromPeer: true }, 'write').retry).toBe('backoff')
  })

  test.each<[string, () => Promise<number>, RegExp]>([
    ['nobody listens', nobody, /^No connection established\. Last error: .*ECONNREFUSED/],
    ['reset at once', () => listen((socket) => socket.resetAndDestroy()), /^No connection established\. Last error: /],
    ['closed at once', () => listen((socket) => socket.end()), /^No connection established\. Last error: /],
    [
      'another protocol',
      () => listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
      /^No connection established\. Last error: /,
    ],
  ])('%s: never sent', async (_, port, text) => {
    const error = await callBare(await port())
    expect(error.code).toBe(14)
    expect(error.details).toMatch(text)
    expect(classify(ownWords(error), 'write')).toEqual({ retry: 'backoff', outcome: 'not_done' })
  })

  test('a server that accepts and stays silent: not sent, once the deadline has passed', async () => {
    const error = await callBare(await listen(() => {}), { deadlineMs: 150 })
    expect(error.code).toBe(4)
    expect(error.details).toMatch(/^Deadline exceeded after [\d.]+s,.*Waiting for LB pick$/)
    expect(classify(ownWords(error), 'write')).toEqual({ retry: 'no', outcome: 'not_done' })
  })

  test('a server that received the call and stays silent: perhaps done, once the deadline has passed', async () => {
    const error = await callBare(await serve(() => {}), { deadlineMs: 300 })
    expect(error.code).toBe(4)
    expect(error.details).toMatch(/^Deadline exceeded after [\d.]+s,.*remote_addr=127\.0\.0\.1:\d+$/)
    expect(classify(ownWords(error), 'write')).toEqual({ retry: 'no', outcome: 'unknown' })
  })

  test('a channel that is closed while the call waits for it', async () => {
    const port = await listen(() => {})
    const error = await callBare(port, { before: (client) => setTimeout(() => client.close(), 50) })
    expect({ code: error.code, details: error.details }).toEqual({
      code: 14,
      details: 'Channel closed before call started',
    })
    expect(classify(ownWords(error), 'write').retry).toBe('backoff')
  })

  test('a channel that was closed before', async () => {
    const port = await serve(answerWell)
    await expect(callBare(port, { before: (client) => client.close() })).rejects.toThrow('Channel has been shut down')
  })

  test('what a server says brings its headers along, and what grpc-js says of its own does not', async () => {
    const said = await callBare(await serve(answerStatus(14, 'Connection dropped')))
    const inTrailers = await callBare(await serve(answerStatus(14, 'Connection dropped', {}, true)))
    const own = await callBare(await nobody())
    expect(Object.keys(said.metadata.getMap())).toContain('content-type')
    expect([inTrailers.code, Object.keys(own.metadata.getMap())]).toEqual([14, []])
  })
})
