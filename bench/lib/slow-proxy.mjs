import { connect, createServer } from 'node:net'

/** A TCP proxy that holds every piece back for `delayMs` in each direction; `setDelay` changes that from the next piece on. */
export async function startSlowProxy(target, delayMs = 0) {
  let oneWayMs = delayMs
  const sockets = new Set()
  const server = createServer({ noDelay: true }, (inbound) => {
    const outbound = connect({ ...target, noDelay: true })
    for (const [from, to] of [
      [inbound, outbound],
      [outbound, inbound],
    ]) {
      const later = createLater(() => oneWayMs)
      sockets.add(from)
      from.on('data', (bytes) => later(() => to.writable && to.write(bytes)))
      from.once('close', () => {
        sockets.delete(from)
        later(() => to.destroy())
      })
      from.once('error', () => from.destroy())
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: server.address().port,
    setDelay(ms) {
      oneWayMs = ms
    },
    end() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** Does work after a delay, in the order it was given also when the delay becomes shorter: timers alone promise no order. */
function createLater(delayMs) {
  const waiting = []
  const doDue = () => {
    while (waiting.length > 0 && waiting[0].at <= performance.now()) waiting.shift().work()
    if (waiting.length > 0) setTimeout(doDue, waiting[0].at - performance.now())
  }
  return (work) => {
    const ms = delayMs()
    if (ms === 0 && waiting.length === 0) return work()
    waiting.push({ at: performance.now() + ms, work })
    if (waiting.length === 1) setTimeout(doDue, ms)
  }
}
