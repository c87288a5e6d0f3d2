import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { messageFor, type RawServer } from './raw-server.js'

/** A message as it goes out: what its five bytes in front say need not be true. */
interface Frame {
  readonly flag: number
  readonly content: 'good' | 'empty' | 'noise' | 'gzip' | 'deflate' | 'half a gzip' | 'bomb'
  /** Added to the length that is announced. */
  readonly lie: number
}

/** What a {@link RawServer} may answer with: anything that HTTP/2 lets pass. */
export interface HostileAnswer {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly frames: readonly Frame[]
  readonly trailers: OutgoingHttpHeaders
  readonly ending: 'trailers' | 'trailers only' | 'no trailers' | 'reset' | 'cut' | 'frames after the end' | 'silence'
  readonly resetCode: number
}

const BOMB = gzipSync(Buffer.alloc(20 * 1024 * 1024))

function contentOf({ content }: Frame, stream: ServerHttp2Stream): Buffer {
  const good = messageFor(stream).subarray(5)
  switch (content) {
    case 'good':
      return good
    case 'empty':
      return Buffer.alloc(0)
    case 'noise':
      return Buffer.from('ff00fe7f0a80808080808080808080', 'hex')
    case 'gzip':
      return gzipSync(good)
    case 'deflate':
      return deflateSync(good)
    case 'half a gzip':
      return gzipSync(good).subarray(0, 12)
    case 'bomb':
      return BOMB
  }
}

function framed(frame: Frame, stream: ServerHttp2Stream): Buffer {
  const content = contentOf(frame, stream)
  const head = Buffer.alloc(5)
  head[0] = frame.flag
  head.writeUInt32BE(Math.min(0xffff_ffff, Math.max(0, content.length + frame.lie)), 1)
  return Buffer.concat([head, content])
}

function sendTrailers(stream: ServerHttp2Stream, trailers: OutgoingHttpHeaders): void {
  try {
    stream.sendTrailers(trailers)
  } catch {
    stream.close(2)
  }
}

function cut(server: RawServer): void {
  for (const socket of server.sockets) socket.destroy()
}

/** Gives this answer. What HTTP/2 itself refuses to send ends the stream. */
export function give(answer: HostileAnswer) {
  return (stream: ServerHttp2Stream, _call: number, server: RawServer): void => {
    if (answer.ending === 'silence') return
    try {
      const head = { ':status': answer.status, ...answer.headers }
      if (answer.ending === 'trailers only') return stream.respond({ ...head, ...answer.trailers }, { endStream: true })
      stream.respond(head, { waitForTrailers: answer.ending === 'trailers' })
      stream.on('wantTrailers', () => sendTrailers(stream, answer.trailers))
      for (const frame of answer.frames) stream.write(framed(frame, stream))
      if (answer.ending === 'reset') return stream.close(answer.resetCode)
      if (answer.ending === 'cut') return void setImmediate(() => cut(server))
      stream.end(answer.ending === 'frames after the end' ? Buffer.from([0, 0, 0, 0, 9, 1]) : undefined)
    } catch {
      stream.close(2)
    }
  }
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined })
const text = (...values: string[]): fc.Arbitrary<string> => fc.constantFrom(...values)

const headers = fc.record({
  'content-type': maybe(
    text('application/grpc', 'application/grpc+proto', 'application/grpc-web', 'text/html', 'application/json', ''),
  ),
  'grpc-encoding': maybe(text('gzip', 'deflate', 'identity', 'br', '', 'gzip, gzip', 'x'.repeat(300))),
  'grpc-accept-encoding': maybe(text('', 'br', ',,,', 'identity')),
  'retry-after': maybe(text('0', '-1', 'soon', '1e9', '0, 1', 'Wed, 21 Oct 2035 07:28:00 GMT')),
  'retry-after-ms': maybe(text('0', '99999999999999999999', 'NaN')),
  'x-flood': maybe(fc.nat({ max: 60 }).map((count) => Array.from({ length: count }, (_, index) => `value ${index}`))),
})

const trailers = fc.record({
  'grpc-status': maybe(
    text('0', '13', '5', '16', '-1', '17', '99999999999999999999', '1e1', 'abc', '', '0, 13', '0x0'),
  ),
  'grpc-message': maybe(
    text('', 'plain', '%', '%E0%A4%A', '%FF%FE', '%C3%A9', 'a'.repeat(2_000), '%0A%00%1b[2J', 'a.b.c'),
  ),
  'grpc-status-details-bin': maybe(text('', '!!!!', 'AAECAw==', 'AAECAw==,AAECAw==')),
})

const compact = (given: Record<string, unknown>): OutgoingHttpHeaders =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as OutgoingHttpHeaders

export const hostileAnswers: fc.Arbitrary<HostileAnswer> = fc.record({
  status: fc.constantFrom(200, 200, 200, 200, 204, 302, 400, 401, 403, 404, 413, 429, 500, 503),
  headers: headers.map(compact),
  frames: fc.array(
    fc.record({
      flag: fc.constantFrom(0, 0, 1, 1, 2, 255),
      content: fc.constantFrom<Frame['content'][]>(
        'good',
        'good',
        'empty',
        'noise',
        'gzip',
        'deflate',
        'half a gzip',
        'bomb',
      ),
      lie: fc.constantFrom(0, 0, 0, 1, -1, 2 ** 32),
    }),
    { maxLength: 3 },
  ),
  trailers: trailers.map(compact),
  ending: fc.constantFrom<HostileAnswer['ending'][]>(
    'trailers',
    'trailers',
    'trailers',
    'trailers only',
    'no trailers',
    'reset',
    'cut',
    'frames after the end',
    'silence',
  ),
  resetCode: fc.nat({ max: 14 }),
})
