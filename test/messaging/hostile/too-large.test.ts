import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Messaging, Recipient, TemplateVars } from '../../../src/messaging/types/methods.js'
import { ppnumAt } from '../send-many/recording-send.js'
import { type FakePcs, grpc, startFakePcs } from '../support/fake-pcs.js'
import { call, connect, outcomeOf, startTokenEndpoint, type TokenEndpoint } from './hostile-client.js'
import {
  answerHttp,
  answerStatus,
  answerWell,
  bytesOf,
  type RawServer,
  type Script,
  startRawServer,
} from './raw-server.js'

let tokens: TokenEndpoint
const open: (() => unknown)[] = []
beforeAll(async () => {
  tokens = await startTokenEndpoint()
})
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})
afterAll(() => tokens.close())

function client(url: string, options = {}): Messaging {
  const made = connect(url, tokens.url, { deadlineMs: 120_000, ...options })
  open.push(() => made.close())
  return made
}

async function rawServer(script: Script): Promise<RawServer> {
  const server = await startRawServer(script)
  open.push(() => server.close())
  return server
}

/** A gRPC server that takes requests of `mostBytes`, 4 MiB unless told otherwise, as such servers do. */
async function limitedPcs(mostBytes?: number): Promise<FakePcs> {
  const pcs = await startFakePcs(mostBytes === undefined ? {} : { mostBytes })
  open.push(() => pcs.close())
  pcs.answer = () => ({ ok: { id: 'snd_1', status: 'QUEUED', total_recipients: 1 } })
  return pcs
}

const people = (count: number, vars: TemplateVars): Recipient[] =>
  Array.from({ length: count }, (_, index) => ({ ppnum: ppnumAt(index), vars }))
const sentTo = (pcs: FakePcs): string[] =>
  pcs.calls.flatMap(({ request }) => (request['recipients'] as Recipient[]).map(({ ppnum }) => ppnum))

/** As servers and gateways say it, and by which code. */
const REFUSALS: readonly (readonly [string, Script])[] = [
  ['grpc-js', answerStatus(8, 'Received message larger than max (5000000 vs 4194304)')],
  [
    'grpc-js, in trailers',
    answerStatus(8, 'Received message larger than max (37 vs 10)', { 'x-served-by': 'a' }, true),
  ],
  ['C++', answerStatus(8, 'SERVER: Received message larger than max (5000000 vs. 4194304)')],
  ['Go', answerStatus(8, 'grpc: received message larger than max (5000000 vs. 4194304)')],
  ['Go, compressed', answerStatus(8, 'grpc: received message after decompression larger than max 4194304')],
  ['Java', answerStatus(8, 'gRPC message exceeds maximum size 4194304: 5000000')],
  ['Java, older', answerStatus(13, 'gRPC message exceeds maximum size 4194304: 5000000')],
  ['.NET', answerStatus(8, 'Received message exceeds the maximum configured message size.')],
  [
    'tonic',
    answerStatus(11, 'Error, decoded message length too large: found 5000000 bytes, the limit is: 4194304 bytes'),
  ],
  [
    'tonic, older',
    answerStatus(13, 'Error, message length too large: found 5000000 bytes, the limit is: 4194304 bytes'),
  ],
  ['a server of its own words', answerStatus(8, 'Request payload size exceeds the limit: 1048576 bytes.')],
  ['Envoy, HTTP 413 in a status', answerStatus(2, 'Payload Too Large')],
  ['connect-go', answerStatus(8, 'message size 5000000 is larger than configured max 4194304')],
  ['connect-es', answerStatus(8, 'message size 5000000 is larger than configured readMaxBytes 4194304')],
  [
    'Swift',
    answerStatus(8, 'Message has exceeded the configured maximum payload size (max: 4194304, actual: 5000000)'),
  ],
  ['Go of 2016', answerStatus(13, 'grpc: received message length 5000000 exceeding the max size 4194304')],
  ['Java of 2016', answerStatus(13, 'Compressed frame exceeds maximum frame size: 4194304. Bytes read: 5000000.')],
  ['axum', answerStatus(2, 'length limit exceeded')],
  ['net/http', answerStatus(13, 'http: request body too large')],
  [
    'a proxy in Go, HTTP 413 in a status',
    answerStatus(14, 'unexpected HTTP status code received from server: 413 (Request Entity Too Large)'),
  ],
  ['a code word', answerStatus(8, 'MESSAGE_TOO_LARGE')],
  ['words joined by hyphens', answerStatus(8, 'message-size-limit exceeded')],
  ['a number with its unit', answerStatus(8, 'the payload exceeds 4MB')],
  ['a limit of the body', answerStatus(8, 'body limit exceeded')],
  ['a plain sentence', answerStatus(8, 'The message you sent is too big.')],
  ['a page with HTTP 413', answerHttp(413)],
  ['a page with HTTP 413 and Retry-After', answerHttp(413, { 'retry-after': '1' })],
]

/** These are about the answer: the send was acted on. Or about size in name only. */
const NO_REFUSALS: readonly (readonly [string, Script, string])[] = [
  [
    'an answer the server may not send',
    answerStatus(8, 'Sent message larger than max (10 vs. 5)'),
    'send_outcome_unknown',
  ],
  [
    'the same in Go',
    answerStatus(8, 'grpc: trying to send message larger than max (10 vs. 5)'),
    'send_outcome_unknown',
  ],
  [
    'the same in tonic',
    answerStatus(11, 'Error, encoded message length too large: found 10 bytes'),
    'send_outcome_unknown',
  ],
  ['a gRPC server that merely says HTTP 413', answerStatus(2, 'Received HTTP status code 413'), 'send_outcome_unknown'],
  ['another failure', answerStatus(13, 'payload store unavailable'), 'send_outcome_unknown'],
  [
    'a number of bytes that looks like HTTP 413',
    answerStatus(13, 'stored 413 bytes, then failed'),
    'send_outcome_unknown',
  ],
  ['a server that is away', answerStatus(14, 'Payload Too Large'), 'send_outcome_unknown'],
  ['a quota', answerStatus(8, 'monthly message quota exceeded'), 'quota_exceeded'],
  ['a quota of messages', answerStatus(8, 'message limit exceeded: at most 1000 messages a day'), 'quota_exceeded'],
  ['a rate', answerStatus(8, 'Requests exceed the maximum number per minute'), 'quota_exceeded'],
  ['a rate of bytes', answerStatus(8, 'Rate limit exceeded 10000 bytes per second'), 'quota_exceeded'],
  ['a rate of recipients', answerStatus(8, 'Too many recipients in this minute'), 'quota_exceeded'],
  [
    'what a server behind it said of size',
    answerStatus(14, 'push gateway: 413 Payload Too Large for 3 of 500'),
    'send_outcome_unknown',
  ],
  [
    'an answer that was sent to the client',
    answerStatus(8, 'Response to client sent exceeds max size 4194304'),
    'send_outcome_unknown',
  ],
  ['OK without a message', okWithoutMessage, 'send_outcome_unknown'],
]

function okWithoutMessage(stream: Parameters<Script>[0]): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  stream.end()
}

describe('a send that is refused for its size', () => {
  test.each(REFUSALS)('by %s was not sent, and is not retried', async (_, script) => {
    const server = await rawServer(script)
    const { outcome, error } = await outcomeOf(call(client(server.url), 'send'))
    expect(outcome).toBe('request_invalid')
    expect(error?.message).toMatch(/^send: the request is too large \(\d+ bytes\).*fewer recipients.*sendMany\(\)/)
    expect(server.seen.length).toBe(1)
  })

  test.each(NO_REFUSALS)('is not %s', async (_, script, code) => {
    const server = await rawServer(script)
    expect((await outcomeOf(call(client(server.url), 'send'))).outcome).toBe(code)
  })

  test('a response larger than the client accepts: its outcome is unknown', async () => {
    const server = await rawServer((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' })
      stream.write(Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]))
    })
    const { outcome, told } = await outcomeOf(call(client(server.url), 'send'))
    expect([outcome, told]).toEqual([
      'send_outcome_unknown',
      'gRPC status 8: Received message larger than max (2147483647 vs 16777216)',
    ])
  })

  test('by a real server with a limit of 4 MiB names the size', async () => {
    const pcs = await limitedPcs()
    const recipients = people(1_000, { text: 'x'.repeat(5_000) })
    const { outcome, error } = await outcomeOf(client(pcs.url).send({ templateId: 't1', recipients }))
    expect(outcome).toBe('request_invalid')
    expect(error?.message).toMatch(/too large \(5,0\d\d,\d\d\d bytes\): Received message larger than max/)
    expect(pcs.calls).toEqual([])
  })
})

describe('sendMany with large variables', () => {
  test('sends a chunk of 10 MB in parts of 4 MiB, each recipient once', async () => {
    const pcs = await limitedPcs()
    const recipients = people(1_000, { text: 'x'.repeat(10_000) })
    const report = await client(pcs.url).sendMany({ templateId: 't1', recipients })
    expect(report).toMatchObject({ accepted: 1_000, rejected: 0, unknown: 0, resumeFrom: 1 })
    expect(sentTo(pcs)).toEqual(recipients.map(({ ppnum }) => ppnum))
    expect(pcs.calls.length).toBe(4)
    const parts = report.chunks[0]?.parts ?? []
    expect(parts.map(({ from, recipients: size }) => [from, size])).toEqual([0, 250, 500, 750].map((at) => [at, 250]))
  })

  test('learns the limit from a refusal: later chunks are split before they are sent', async () => {
    const pcs = await limitedPcs(100_000)
    const recipients = people(4_000, { text: 'x'.repeat(400) })
    const report = await client(pcs.url).sendMany({ templateId: 't1', recipients, concurrency: 1 })
    expect(report).toMatchObject({ accepted: 4_000, rejected: 0, unknown: 0, resumeFrom: 4 })
    expect(sentTo(pcs)).toEqual(recipients.map(({ ppnum }) => ppnum))
    // Halves of 440 KB pass at an eighth: 8 calls a chunk.
    expect(pcs.calls.length).toBe(32)
  })

  test('copes with a gateway that rejects more than 64 KB with 413', async () => {
    const passed: number[] = []
    const gateway = await rawServer((stream) => {
      const bytes = bytesOf(stream)
      if (bytes > 65_536) return answerHttp(413)(stream)
      passed.push(bytes)
      answerWell(stream)
    })
    const recipients = people(2_000, { text: 'x'.repeat(200) })
    const report = await client(gateway.url).sendMany({ templateId: 't1', recipients })
    expect(report).toMatchObject({ accepted: 2_000, rejected: 0, unknown: 0 })
    expect([passed.length < 30, gateway.seen.length - passed.length < 10]).toEqual([true, true])
  })

  test('reports a single recipient that is too large, and sends to the others', async () => {
    const pcs = await limitedPcs(50_000)
    const recipients = people(100, { text: 'short' })
    recipients[41] = { ppnum: ppnumAt(41), vars: { text: 'x'.repeat(60_000) } }
    const report = await client(pcs.url).sendMany({ templateId: 't1', recipients })
    expect(report).toMatchObject({
      accepted: 99,
      rejected: 1,
      unknown: 0,
      invalidRecipients: [{ index: 41, ppnum: ppnumAt(41), code: 'request_invalid' }],
      resumeFrom: 1,
    })
    expect(sentTo(pcs).sort()).toEqual(recipients.map(({ ppnum }) => ppnum).filter((one) => one !== ppnumAt(41)))
  })
})

describe('a call that cannot be made', () => {
  /** Good when it is looked at first, and broken when it is encoded. */
  const broken = (goodReads: number): TemplateVars => {
    let reads = 0
    return Object.defineProperty({}, 'name', {
      enumerable: true,
      get: () => {
        reads += 1
        if (reads > goodReads) throw new RangeError(`Bearer ${ppnumAt(1)}`)
        return 'Alex'
      },
    })
  }

  test('is a fault of the configuration: nothing was sent, and the error quotes nothing of the message', async () => {
    const pcs = await limitedPcs()
    const request = { templateId: 't1', recipients: [{ ppnum: ppnumAt(1), vars: broken(1) }] }
    const { outcome, error } = await outcomeOf(client(pcs.url).send(request))
    expect(outcome).toBe('config_invalid')
    expect(error?.message).toMatch(/nothing was sent \(RangeError\)/)
    expect(JSON.stringify(error) + String(error?.cause)).not.toContain(ppnumAt(1))
    expect(pcs.calls).toEqual([])
  })

  // Each recipient is read three times: when it is checked, when its names are, and when it is encoded.
  test.each([1, 2])(
    'ends a run at once, after %d good reads: none of it is unknown, all can be resumed',
    async (reads) => {
      const pcs = await limitedPcs()
      const recipients = Array.from({ length: 30 }, (_, index) => ({ ppnum: ppnumAt(index), vars: broken(reads) }))
      const report = await client(pcs.url).sendMany({ templateId: 't1', recipients, chunkSize: 10, concurrency: 1 })
      expect(report).toMatchObject({
        stoppedBy: { code: 'config_invalid' },
        accepted: 0,
        unknown: 0,
        rejected: 10,
        resumeFrom: 0,
      })
    },
  )

  test('by the limit of grpc-js itself was not sent', async () => {
    const pcs = await limitedPcs()
    const own = new grpc.Client(new URL(pcs.url).host, grpc.credentials.createInsecure(), {
      'grpc.max_send_message_length': 10,
    })
    open.push(() => own.close())
    const asItIs = (bytes: Buffer): Buffer => bytes
    const details = await new Promise((resolve) => {
      own.makeUnaryRequest('/a.B/C', asItIs, asItIs, Buffer.alloc(11), (error) => resolve(error?.details))
    })
    expect(details).toBe('Attempted to send message with a size larger than 10')
  })
})
