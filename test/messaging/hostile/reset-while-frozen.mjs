/* A proxy in a thread of its own: it resets its connections while the thread of the test stands still. */
import { connect, createServer } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'

const { targetPort, flags } = workerData
const [WANTED, DONE] = [0, 1]
const sockets = new Set()

const server = createServer((near) => {
  const far = connect(targetPort, '127.0.0.1')
  for (const socket of [near, far]) {
    socket.on('error', () => {}) // connections that break are what the test is about
    socket.on('close', () => [near, far].map((end) => end.destroy()))
  }
  sockets.add(near)
  near.on('close', () => sockets.delete(near))
  near.pipe(far).pipe(near)
}).listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))

setInterval(() => {
  if (Atomics.exchange(flags, WANTED, 0) === 0) return
  const left = [...sockets]
  for (const socket of left) socket.resetAndDestroy()
  // The reset leaves with the handle's end, a round of the loop later.
  setTimeout(() => {
    Atomics.store(flags, DONE, left.length)
    Atomics.notify(flags, DONE)
  }, 50)
}, 5)
