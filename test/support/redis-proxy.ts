import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A network between a client and a server that can go wrong. */
export interface Proxy {
  readonly port: number
  /** From now on the connections that are there carry nothing, and do not end. New ones work. */
  swallow(): void
  close(): Promise<void>
}

/** Starts a TCP proxy on 127.0.0.1 to `targetPort`. */
export async function startProxy(targetPort: number): Promise<Proxy> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1')
    near.pipe(far).pipe(near)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {}) // a connection that is cut is what the tests are about
      socket.on('close', () => sockets.delete(socket))
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    swallow(): void {
      for (const socket of sockets) {
        socket.unpipe()
        socket.resume()
      }
    },
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
