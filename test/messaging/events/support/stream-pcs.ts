import type * as Grpc from '@grpc/grpc-js'
import { grpc, loader, OWN_PROTO } from '../../support/fake-pcs.js'

/** A stream as the server sees it. */
export interface ServedStream {
  readonly index: number
  readonly token: string
  /** Decoded, names as on the wire. */
  readonly request: { readonly send_request_id?: string; readonly after_event_id?: string }
  readonly call: Grpc.ServerWritableStream<object, object | Buffer>
  /** Messages written so far. */
  written: number
  /** Resolves when the client has ended it. */
  readonly cancelled: Promise<void>
  /** Writes events by id, and others as they are; bytes go out unencoded. */
  send(...events: (string | object)[]): void
  end(): void
  fail(code: number, details?: string, trailers?: Readonly<Record<string, string>>): void
}

/** A server of the events alone, scripted by one function. */
export interface StreamPcs {
  readonly url: string
  readonly port: number
  readonly opened: readonly ServedStream[]
  /** Streams that neither side has ended. */
  readonly active: number
  script: (stream: ServedStream) => void
  /** The stream of this index, once it has come. */
  stream(index: number): Promise<ServedStream>
  close(): void
}

/** An event on the wire. */
export function wireEvent(id: string, more: object = {}): object {
  return {
    event_id: id,
    send_request_id: 'snd_1',
    event_type: 'RECIPIENT_DELIVERED',
    recipient: { ppnum: '12345678901', message_id: `msg_${id}` },
    occurred_at: '2026-01-02T03:04:05.678Z',
    ...more,
  }
}

/** @param holdsHeaders whether headers come with the first message only */
export async function startStreamPcs({ proto = OWN_PROTO, holdsHeaders = false } = {}): Promise<StreamPcs> {
  const definition = loader.loadSync(proto, { keepCase: true, longs: String, enums: String, defaults: false })
  const server = new grpc.Server()
  const opened: ServedStream[] = []
  const waiting = new Map<number, (stream: ServedStream) => void>()
  let active = 0
  let port = 0
  const pcs: StreamPcs = {
    get url() {
      return `http://127.0.0.1:${port}`
    },
    get port() {
      return port
    },
    opened,
    get active() {
      return active
    },
    script: () => {},
    stream: (index) =>
      new Promise((resolve) => {
        const there = opened[index]
        if (there) resolve(there)
        else waiting.set(index, resolve)
      }),
    close: () => server.forceShutdown(),
  }
  const serve = (call: Grpc.ServerWritableStream<object, object | Buffer>): void => {
    if (!holdsHeaders) call.sendMetadata(new grpc.Metadata())
    active += 1
    let isActive = true
    const over = (): void => {
      if (isActive) active -= 1
      isActive = false
    }
    const stream = toServed(call, opened.length, over)
    opened.push(stream)
    pcs.script(stream)
    waiting.get(stream.index)?.(stream)
  }
  for (const service of Object.values(definition)) {
    const method = 'format' in service ? undefined : service['StreamSendRequestEvents']
    if (!method) continue
    const serialize = (value: object): Buffer => (Buffer.isBuffer(value) ? value : method.responseSerialize(value))
    server.register(method.path, serve, serialize, method.requestDeserialize, 'serverStream')
  }
  port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  return pcs
}

function toServed(
  call: Grpc.ServerWritableStream<object, object | Buffer>,
  index: number,
  over: () => void,
): ServedStream {
  const stream: ServedStream = {
    index,
    call,
    token: String(call.metadata.get('authorization')[0] ?? '').replace(/^Bearer /, ''),
    request: call.request,
    written: 0,
    cancelled: new Promise((resolve) => {
      call.on('cancelled', () => {
        over()
        resolve()
      })
    }),
    send: (...events) => {
      for (const event of events) {
        call.write(typeof event === 'string' ? wireEvent(event) : event)
        stream.written += 1
      }
    },
    end: () => {
      over()
      call.end()
    },
    fail: (code, details = '', trailers = {}) => {
      over()
      const metadata = new grpc.Metadata()
      for (const [name, value] of Object.entries(trailers)) metadata.set(name, value)
      call.emit('error', { code, details, metadata })
    },
  }
  return stream
}
