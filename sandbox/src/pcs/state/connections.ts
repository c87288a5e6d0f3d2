import type { Socket } from 'node:net'

interface Connection {
  readonly socket: Socket
  readonly closed: AbortController
}

/** The open connections, by the name gRPC calls their other end: so that one call's can be broken. */
export class Connections {
  readonly #byPeer = new Map<string, Connection>()

  add(socket: Socket): void {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`
    const closed = new AbortController()
    this.#byPeer.set(peer, { socket, closed })
    socket.once('close', () => {
      this.#byPeer.delete(peer)
      closed.abort()
    })
    // A reset by the other side is no error here.
    socket.on('error', () => {})
  }

  /** Resets the TCP connection. */
  reset(peer: string): void {
    this.#byPeer.get(peer)?.socket.resetAndDestroy()
  }

  /** Aborted when the connection ends. */
  closingOf(peer: string): AbortSignal {
    return this.#byPeer.get(peer)?.closed.signal ?? AbortSignal.abort()
  }

  resetAll(): void {
    for (const { socket } of this.#byPeer.values()) socket.resetAndDestroy()
  }

  destroyAll(): void {
    for (const { socket } of this.#byPeer.values()) socket.destroy()
  }

  get count(): number {
    return this.#byPeer.size
  }
}
