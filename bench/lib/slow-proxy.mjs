import { connect, createServer } from 'node:net'

/** A TCP proxy that holds every piece back for `delayMs` in each direction. */
export async function startSlowProxy(target, delayMs) {
  const sockets = new Set()
  const server = createServer({ noDelay: true }, (inbound) => {
    const outbound = connect({ ...target, noDelay: true })
    for (const [from, to] of [
      [inbound, outbound],
      [outbound, inbound],
    ]) {
      sockets.add(from)
      from.on('data', (bytes) => setTimeout(() => to.writable && to.write(bytes), delayMs))
      from.once('close', () => {
        sockets.delete(from)
        setTimeout(() => to.destroy(), delayMs)
      })
      from.once('error', () => from.destroy())
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: server.address().port,
    end() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
