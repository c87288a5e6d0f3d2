import type { Socket } from 'node:net'
import type { ChannelCredentials } from '@grpc/grpc-js'

/** Credentials, and what ends the handshakes that are under way with them. */
export interface TrackedCredentials {
  readonly credentials: ChannelCredentials
  /** Ends those under way, and those that would begin later. */
  cut(): void
}

/**
 * Keeps hold of the sockets that are in a TLS handshake. grpc-js's `close()` does not: a peer that accepts and stays
 * silent would keep the process alive for ever, and each channel the watchdog replaces would leave a socket behind.
 */
export function trackHandshakes(credentials: ChannelCredentials): TrackedCredentials {
  const sockets = new Set<Socket>()
  let isCut = false
  const create = credentials._createSecureConnector.bind(credentials)
  credentials._createSecureConnector = (...options) => {
    const connector = create(...options)
    const connect = connector.connect.bind(connector)
    connector.connect = async (socket) => {
      if (isCut) socket.destroy()
      sockets.add(socket)
      try {
        return await connect(socket)
      } finally {
        sockets.delete(socket)
      }
    }
    return connector
  }
  return {
    credentials,
    cut: () => {
      isCut = true
      for (const socket of sockets) socket.destroy()
    },
  }
}
