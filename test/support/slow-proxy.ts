import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy on 127.0.0.1 that holds back what it passes on. */
export interface SlowProxy {
  readonly port: number
  /** In each direction, from the next bytes on. */
  setDelay(ms: number): void
  close(): Promise<void>
}

export async function startSlowProxy(targetPort: number): Promise<SlowProxy> {
  let delayMs = 0
  const sockets = new Set<Socket>()
  const timers = new Set<NodeJS.Timeout>()

  function later(work: () => void): void {
    if (delayMs === 0) return work()
    const timer = setTimeout(() => {
      timers.delete(timer)
      work()
    }, delayMs)
    timers.add(timer)
  }

  function pass(from: Socket, to: Socket): void {
    sockets.add(from)
    from.on('data', (chunk: Buffer) => later(() => to.writable && to.write(chunk)))
    from.on('error', () => {})
    from.on('close', () => {
      sockets.delete(from)
      to.destroy()
    })
  }

  const server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1')
    pass(client, target)
    pass(target, client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    setDelay(ms) {
      delayMs = ms
    },
    async close() {
      for (const timer of timers) clearTimeout(timer)
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
