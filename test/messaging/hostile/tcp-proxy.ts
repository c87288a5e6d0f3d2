import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/**
 * What a {@link TcpProxy} does: `pass` on; `blackhole` what both sides say from now on; `reset` all connections, also
 * new ones; `delay` each piece; `silent`: accept new connections and say nothing.
 */
export type ProxyMode = 'pass' | 'blackhole' | 'reset' | 'delay' | 'silent'

export interface TcpProxy {
  readonly url: string
  mode: ProxyMode
  delayMs: number
  /** Connections accepted so far. */
  readonly accepted: number
  readonly open: number
  set(mode: ProxyMode): void
  /** Nothing passes on the connections there are, and nobody is told; new ones are as usual. */
  mute(): void
  close(): Promise<void>
}

/** A network that goes wrong between 127.0.0.1 and `targetPort`. */
export async function startTcpProxy(targetPort: () => number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  const muted = new WeakSet<Socket>()
  let accepted = 0

  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    socket.on('error', () => {}) // connections that break are what the tests are about
    return socket.on('close', () => sockets.delete(socket))
  }
  const carry = (from: Socket, to: Socket): void => {
    from.on('data', (piece: Buffer) => {
      if (proxy.mode === 'blackhole' || muted.has(from)) return
      if (proxy.mode === 'delay') setTimeout(() => to.write(piece), proxy.delayMs).unref()
      else to.write(piece)
    })
    from.on('close', () => to.destroy())
  }

  const server = createServer((near) => {
    accepted += 1
    keep(near)
    if (proxy.mode === 'reset') near.resetAndDestroy()
    if (proxy.mode === 'reset' || proxy.mode === 'silent') return
    const far = keep(connect(targetPort(), '127.0.0.1'))
    carry(near, far)
    carry(far, near)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')

  const proxy: TcpProxy = {
    url: `http://127.0.0.1:${address.port}`,
    mode: 'pass',
    delayMs: 0,
    get accepted() {
      return accepted
    },
    get open() {
      return sockets.size
    },
    set(mode) {
      proxy.mode = mode
      if (mode === 'reset') for (const socket of sockets) socket.resetAndDestroy()
    },
    mute() {
      for (const socket of sockets) muted.add(socket)
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}
