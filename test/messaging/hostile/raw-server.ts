import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'

/** What a {@link RawServer} does with the `call`th stream that it sees, counted from 0. */
export type Script = (stream: ServerHttp2Stream, call: number, server: RawServer) => void

/** A server over plain HTTP/2 that answers as a test says, also as no gRPC server would. */
export interface RawServer {
  readonly url: string
  readonly port: number
  /** Headers of the requests that came, in order. */
  readonly seen: readonly IncomingHttpHeaders[]
  /** How many connections were accepted so far. */
  readonly accepted: number
  readonly sessions: ReadonlySet<ServerHttp2Session>
  /** TCP connections that are open. */
  readonly sockets: ReadonlySet<Socket>
  close(): Promise<void>
}

export interface RawServerOptions {
  readonly port?: number
  /** @default '127.0.0.1' */
  readonly host?: string
  readonly onSession?: (session: ServerHttp2Session, index: number) => void
  readonly onSocket?: (socket: Socket, index: number) => void
}

/** Starts one, on this machine. */
export async function startRawServer(script: Script, options: RawServerOptions = {}): Promise<RawServer> {
  const seen: IncomingHttpHeaders[] = []
  const sessions = new Set<ServerHttp2Session>()
  const sockets = new Set<Socket>()
  let accepted = 0
  let sessionCount = 0
  const server = createServer()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {}) // connections that break are what the tests are about
    socket.on('close', () => sockets.delete(socket))
    options.onSocket?.(socket, accepted)
    accepted += 1
  })
  server.on('session', (session) => {
    sessions.add(session)
    session.on('error', () => {})
    session.on('close', () => sessions.delete(session))
    options.onSession?.(session, sessionCount)
    sessionCount += 1
  })
  server.on('sessionError', () => {})
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    paths.set(stream, headers[':path'] ?? '')
    const call = seen.push(headers) - 1
    // Once all of the request is here, as a real server would.
    sizes.set(stream, 0)
    stream.on('data', (data: Buffer) => sizes.set(stream, bytesOf(stream) + data.length))
    stream.on('end', () => script(stream, call, raw))
  })
  server.listen(options.port ?? 0, options.host ?? '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const raw: RawServer = {
    url: `http://127.0.0.1:${port}`,
    port,
    seen,
    sessions,
    sockets,
    get accepted() {
      return accepted
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const session of sessions) session.destroy()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
  return raw
}

const GRPC = { ':status': 200, 'content-type': 'application/grpc+proto' } as const
/** `CreateSendRequestResp { id: 's1', status: QUEUED, total_recipients: 1 }` */
const RECEIPT = Buffer.from('0a027331' + '1001' + '1801', 'hex')
/** `GetSendRequestStatusResp { status: COMPLETED, total: 1, delivered: 1 }` */
const STATUS = Buffer.from('0803' + '1001' + '1801', 'hex')

const framed = (message: Buffer): Buffer => {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/** A good answer to `send` or `status`. */
export function answerWell(stream: ServerHttp2Stream): void {
  stream.respond(GRPC, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  stream.end(messageFor(stream))
}

/** The message of a good answer, framed. */
export function messageFor(stream: ServerHttp2Stream): Buffer {
  return framed(paths.get(stream)?.endsWith('/CreateSendRequest') ? RECEIPT : STATUS)
}

/** How much of a request came. */
export const bytesOf = (stream: ServerHttp2Stream): number => sizes.get(stream) ?? 0
const sizes = new WeakMap<ServerHttp2Stream, number>()

const paths = new WeakMap<ServerHttp2Stream, string>()

/** Headers alone, as a server that goes on. */
export function answerHeaders(stream: ServerHttp2Stream): void {
  stream.respond(GRPC)
}

/** A gRPC status without a message; `late` sends it in trailers after headers, else all in one. */
export function answerStatus(code: number, details: string, more: Record<string, string> = {}, late = false) {
  return (stream: ServerHttp2Stream): void => {
    const status = { 'grpc-status': String(code), 'grpc-message': encodeURIComponent(details), ...more }
    if (!late) return stream.respond({ ...GRPC, ...status }, { endStream: true })
    stream.respond(GRPC, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers(status))
    stream.end()
  }
}

/** A page, as gateways answer. */
export function answerHttp(status: number, headers: Record<string, string> = {}) {
  return (stream: ServerHttp2Stream): void => {
    stream.respond({ ':status': status, 'content-type': 'text/html', ...headers })
    stream.end(`<html><body><h1>${status}</h1></body></html>`)
  }
}

/** Resets the stream with an error code of HTTP/2. */
export const answerReset =
  (code: number) =>
  (stream: ServerHttp2Stream): void =>
    stream.close(code)
