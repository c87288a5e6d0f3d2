import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { FetchAnswer, PpoppoFetch } from '../../src/index.js'

/** A proxy as companies put before the internet: plain requests in absolute form, and CONNECT. */
export interface ForwardProxy {
  readonly port: number
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** What went through: `GET http://host/path`, `CONNECT host:port`. */
  readonly seen: string[]
  close(): Promise<void>
}

export async function startForwardProxy(): Promise<ForwardProxy> {
  const seen: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((near, answer) => {
    const url = new URL(near.url ?? '')
    seen.push(`${near.method} ${url.origin}${url.pathname}`)
    const far = httpRequest(url, { method: near.method, headers: near.headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(answer)
    })
    far.on('error', () => answer.destroy())
    near.pipe(far)
  })
  server.on('connect', (near: IncomingMessage, socket: Socket, head: Buffer) => {
    seen.push(`CONNECT ${near.url}`)
    const { hostname, port } = new URL(`tcp://${near.url}`)
    const far = connectTcp(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      far.write(head)
      far.pipe(socket).pipe(far)
    })
    sockets.add(far)
    far.on('error', () => socket.destroy())
    socket.on('error', () => far.destroy())
  })
  server.on('connection', (socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    seen,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** What an app gives as `fetch` to go through a proxy; written with `node:http` alone, as undici's `ProxyAgent` would do it. */
export function fetchThrough(proxy: Pick<ForwardProxy, 'port'>, ca?: string): PpoppoFetch {
  return async (url, { method, headers, body, signal }) => {
    const target = new URL(url)
    const [host, port] = ['127.0.0.1', proxy.port]
    if (target.protocol === 'http:') {
      return answerOf(httpRequest({ host, port, method, path: url, headers, signal }), body)
    }
    const tunnel = httpRequest({
      host,
      port,
      method: 'CONNECT',
      path: `${target.hostname}:${target.port || 443}`,
      signal,
    })
    const [, socket] = (await once(tunnel.end(), 'connect')) as [IncomingMessage, Socket]
    const secure = connectTls({ socket, servername: target.hostname, ...(ca === undefined ? {} : { ca }) })
    const options = { method, headers: { ...headers, connection: 'close' }, signal, createConnection: () => secure }
    return answerOf(httpsRequest(target, options), body)
  }
}

async function answerOf(request: ReturnType<typeof httpRequest>, body: string | undefined): Promise<FetchAnswer> {
  const [response] = (await once(request.end(body), 'response')) as [IncomingMessage]
  return {
    status: response.statusCode ?? 0,
    headers: { get: (name) => response.headers[name.toLowerCase()]?.toString() ?? null },
    body: response,
  }
}
