import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { createServer } from 'node:tls'
import { TEST_CERTIFICATE, TEST_KEY } from './certificate.js'

/** TLS before a plain server of this machine, by the test certificate. */
export interface TlsFront {
  readonly port: number
  close(): Promise<void>
}

/** @param protocol what it agrees on with clients: `h2` before gRPC */
export async function startTlsFront(targetPort: number, protocol: 'h2' | 'http/1.1'): Promise<TlsFront> {
  const sockets = new Set<Socket>()
  const options = { cert: TEST_CERTIFICATE, key: TEST_KEY, ALPNProtocols: [protocol] }
  const server = createServer(options, (near) => {
    const far = connect(targetPort, 'localhost')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {}) // the other end goes with it
      socket.on('close', () => {
        near.destroy()
        far.destroy()
      })
    }
    near.pipe(far).pipe(near)
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
