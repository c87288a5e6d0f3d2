import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A network between a client and a server that can go wrong. */
export interface Proxy {
  readonly port: number
  /** From now on the connections that are there carry nothing, and do not end. New ones work. */
  swallow(): void
  /** From now on what clients send is kept back, and arrives at `letGo()`, also when they have hung up meanwhile. */
  hold(): void
  letGo(): void
  close(): Promise<void>
}

/** Starts a TCP proxy on 127.0.0.1 to `targetPort`. */
export async function startProxy(targetPort: number): Promise<Proxy> {
  const sockets = new Set<Socket>()
  const pairs = new Map<Socket, Socket>()
  const held = new Map<Socket, Buffer[]>()
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1')
    near.pipe(far).pipe(near)
    pairs.set(near, far)
    near.on('close', () => pairs.delete(near))
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
    hold(): void {
      for (const [near, far] of pairs) {
        const kept: Buffer[] = []
        held.set(far, kept)
        near
          .unpipe(far)
          .on('data', (chunk: Buffer) => kept.push(chunk))
          .resume()
      }
    },
    letGo(): void {
      for (const [far, kept] of held) for (const chunk of kept) far.write(chunk)
      held.clear()
    },
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
