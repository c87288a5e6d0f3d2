import type { Socket } from 'node:net'
import type { ChannelCredentials } from '@grpc/grpc-js'

/** Credentials whose handshakes in progress can be ended. */
export interface TrackedCredentials {
  readonly credentials: ChannelCredentials
  /** Ends handshakes in progress, and any that start later. */
  cut(): void
}

/**
 * Keeps track of sockets in a TLS handshake. grpc-js's `close()` does not: a peer that accepts and stays silent would keep the
 * process alive forever, and each channel that the watchdog replaces would leave a socket behind.
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
