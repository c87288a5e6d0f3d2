import { once } from 'node:events'
import {
  connect,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'

/** A gateway in front of a gRPC server: passes calls on, or answers them with a page of its own. */
export interface Http2Gateway {
  readonly url: string
  /** Pages given so far, by path. */
  readonly pages: readonly string[]
  /** The HTTP status of the page that this path gets now; `undefined`: it is passed on. */
  pageFor: (path: string) => number | undefined
  /** The same for a page instead of the response of the server, as by a firewall that looks at answers. */
  replaceWith: (path: string) => number | undefined
  /** Ends all streams that are passed on. */
  cut(): void
  close(): Promise<void>
}

/** Starts one in front of `upstreamUrl`. */
export async function startHttp2Gateway(upstreamUrl: string): Promise<Http2Gateway> {
  const upstream = connect(upstreamUrl)
  upstream.on('error', () => {})
  const passing = new Set<ServerHttp2Stream>()
  const sessions = new Set<ServerHttp2Session>()
  const pages: string[] = []
  const server = createServer()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  const passOn = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void => {
    passing.add(stream)
    const forward = upstream.request({ ...headers, ':authority': new URL(upstreamUrl).host })
    forward.on('error', () => stream.close(2))
    stream.on('close', () => {
      passing.delete(stream)
      forward.close(8)
    })
    forward.on('response', (head, flags) => {
      if (stream.destroyed) return
      const replaced = gateway.replaceWith(headers[':path'] ?? '')
      if (replaced !== undefined) {
        forward.resume()
        return givePage(stream, replaced)
      }
      if (flags & 1) return stream.respond(head, { endStream: true })
      stream.respond(head, { waitForTrailers: true })
      let trailers = {}
      forward.on('trailers', (received) => {
        trailers = received
      })
      stream.on('wantTrailers', () => stream.sendTrailers(trailers))
      forward.pipe(stream)
    })
    stream.pipe(forward)
  }
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    const path = headers[':path'] ?? ''
    const status = gateway.pageFor(path)
    if (status === undefined) return passOn(stream, headers)
    pages.push(path)
    stream.resume()
    givePage(stream, status)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const gateway: Http2Gateway = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pages,
    pageFor: () => undefined,
    replaceWith: () => undefined,
    cut: () => {
      for (const stream of passing) stream.close(8)
    },
    async close() {
      upstream.destroy()
      for (const session of sessions) session.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return gateway
}

function givePage(stream: ServerHttp2Stream, status: number): void {
  stream.respond({ ':status': status, 'content-type': 'text/html; charset=utf-8' })
  stream.end(`<!doctype html><title>${status}</title><p>default backend</p>`)
}
