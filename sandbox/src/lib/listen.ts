import { Server as HttpServer } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import { errorCodeOf } from './error-code.js'

/** One port, listened on at one address or at both loopback addresses. */
export interface Listening {
  readonly port: number
  close(): Promise<void>
}

const IPV4_LOOPBACK = '127.0.0.1'
const IPV6_LOOPBACK = '::1'
const ATTEMPTS = 20

/**
 * Listens so that `localhost` reaches it whichever way a machine resolves the name: on 127.0.0.1, and on ::1 where
 * there is one. Any other host is listened on alone.
 */
export async function listen(create: () => Server, port: number, host: string): Promise<Listening> {
  const isLoopback = host === 'localhost' || host === IPV4_LOOPBACK
  for (let attempt = 1; ; attempt++) {
    const first = await open(create, port, isLoopback ? IPV4_LOOPBACK : host)
    if (!isLoopback) return listening([first])
    try {
      return listening([first, await open(create, portOf(first), IPV6_LOOPBACK)])
    } catch (error) {
      const code = errorCodeOf(error)
      if (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL') return listening([first])
      await closeServer(first)
      // A free port on one family may be taken on the other; another one will do unless it was asked for by number.
      if (port !== 0 || code !== 'EADDRINUSE' || attempt === ATTEMPTS) throw error
    }
  }
}

function open(create: () => Server, port: number, host: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = create()
    server.once('error', reject)
    server.listen({ port, host, ipv6Only: host === IPV6_LOOPBACK }, () => {
      server.off('error', reject)
      resolve(server)
    })
  })
}

function listening(servers: readonly [Server, ...Server[]]): Listening {
  return {
    port: portOf(servers[0]),
    close: async () => {
      await Promise.all(servers.map(closeServer))
    },
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    // Keep-alive connections and hanging answers would keep the process alive.
    if (server instanceof HttpServer) server.closeAllConnections()
  })
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}
