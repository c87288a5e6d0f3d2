/**
 * One app under test in a process of its own: `node run-app.mjs <kind> <options as JSON>`. It tells its parent over IPC
 * when it listens, and answers `measure` with the CPU time and memory it has used. It ends with its parent.
 */
import { createServer } from 'node:http'
import { createProfiler } from '../lib/profiler.mjs'

const [kind, json] = process.argv.slice(2)
const options = JSON.parse(json)
const server = createServer()
await new Promise((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
const { port } = server.address()
const { createApp } = await import(`./${kind}.mjs`)
const { app, close } = await createApp({ ...options, baseUrl: `http://localhost:${port}` })
server.on('request', app)
server.keepAliveTimeout = 60_000

// Started by the first `measure`: warming up is over then.
const profiler = createProfiler()
process.on('message', (message) => {
  if (message !== 'measure') return
  profiler.start()
  globalThis.gc?.()
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  const open = {}
  for (const kind of process.getActiveResourcesInfo()) open[kind] = (open[kind] ?? 0) + 1
  const listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0)
  process.send({ cpuMicros: user + system, rss, heapUsed, open, listeners })
})
process.once('disconnect', async () => {
  await profiler.finish()
  server.closeAllConnections()
  await close?.()
  process.exit(0)
})
process.send({ port })
