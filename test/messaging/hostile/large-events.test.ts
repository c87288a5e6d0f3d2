import { Readable } from 'node:stream'
import { constants, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Messaging } from '../../../src/messaging/types/methods.js'
import { connect, startTokenEndpoint, type TokenEndpoint } from './hostile-client.js'
import { type RawServer, startRawServer } from './raw-server.js'

/*
 * M23: an event that is larger than this client takes. Asking again brings it again, so after a few tries it is said, in
 * whatever form the event came.
 */

const LARGE = Buffer.alloc(17 * 1024 * 1024)
/** Above the bound of 16 MB as it comes, or only once it is decompressed. */
const FORMS: readonly (readonly [string, string | undefined, () => Buffer])[] = [
  ['uncompressed', undefined, () => LARGE],
  ['compressed by gzip', 'gzip', () => gzipSync(LARGE)],
  ['compressed by deflate', 'deflate', () => deflateSync(LARGE)],
  ['marked as gzip, and no smaller for it', 'gzip', () => gzipSync(LARGE, { level: constants.Z_NO_COMPRESSION })],
  [
    'marked as deflate, and no smaller for it',
    'deflate',
    () => deflateSync(LARGE, { level: constants.Z_NO_COMPRESSION }),
  ],
]
function* piecesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE)
}
const PIECE = 64 * 1024
const FAULT = {
  code: 'messaging_response_invalid',
  retryable: false,
  message: expect.stringMatching(/an event that is too large/),
}
let tokens: TokenEndpoint
let pcs: RawServer
let client: Messaging
let encoding: string | undefined
let message: Buffer

beforeAll(async () => {
  tokens = await startTokenEndpoint()
})
beforeEach(async () => {
  pcs = await startRawServer((stream) => {
    const head = Buffer.alloc(5)
    head[0] = encoding === undefined ? 0 : 1
    head.writeUInt32BE(message.length, 1)
    const headers = { ':status': 200, 'content-type': 'application/grpc+proto' }
    stream.respond(encoding === undefined ? headers : { ...headers, 'grpc-encoding': encoding })
    // Piece by piece: Node refuses further streams of a connection that has too much waiting to leave.
    Readable.from(piecesOf(Buffer.concat([head, message]))).pipe(stream, { end: false })
  })
  client = connect(pcs.url, tokens.url)
})
afterEach(async () => {
  await client.close()
  await pcs.close()
})
afterAll(() => tokens.close())

describe.each(FORMS)('M23: an event that is too large, %s', (_, by, make) => {
  beforeEach(() => {
    encoding = by
    message = make()
  })

  test('ends events() after five attempts, and is reported', async () => {
    await expect(client.events().next()).rejects.toMatchObject(FAULT)
    expect(pcs.seen.length).toBe(5)
  })

  test('ends consume() after five attempts', async () => {
    const consumer = client.consume({ name: 'large', handler: () => {} })
    await expect(consumer.closed).rejects.toMatchObject(FAULT)
    expect(pcs.seen.length).toBe(5)
  })

  test('is a lost cursor if it follows an event: onCursorLost decides', async () => {
    await expect(client.events({ after: 'evt_1' }).next()).rejects.toMatchObject({
      code: 'cursor_lost',
      message: expect.stringContaining('evt_1'),
    })
    expect(pcs.seen.length).toBe(5)
  })
})
