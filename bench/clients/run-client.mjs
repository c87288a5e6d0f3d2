/**
 * One messaging client in a process of its own: `node run-client.mjs <kind> <options as JSON>`. It answers
 * `{ work, calls, atOnce }` with what that took: CPU time of this process, and time, of a stream from its first event on:
 * that one waits for a connection. It ends with its parent.
 */
import { createProfiler } from '../lib/profiler.mjs'

const [kind, json] = process.argv.slice(2)
const { createClient } = await import(`./${kind}.mjs`)
const client = await createClient(JSON.parse(json))

const list = (length) =>
  Array.from({ length }, (_, index) => ({ ppnum: String(12_300_000_000 + index), vars: { name: `Person ${index}` } }))
const one = list(1)
const thousand = list(1_000)
const WORK = {
  unary: () => client.stats(),
  send: () => client.send(one),
  sendThousand: () => client.send(thousand),
}

const profiler = createProfiler()
process.on('message', async ({ work, calls, atOnce }) => {
  profiler.start()
  globalThis.gc?.()
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  try {
    const from = work === 'events' ? await client.events(calls) : startedAt
    if (work !== 'events') await callOften(WORK[work], calls, atOnce)
    const tookMs = performance.now() - from
    const { user, system } = process.cpuUsage(cpu)
    process.send({ cpuMicros: user + system, tookMs })
  } catch (error) {
    process.send({ error: String(error?.stack ?? error) })
  }
})
process.once('disconnect', async () => {
  await profiler.finish()
  process.exit(0)
})
process.send({ ready: true })

async function callOften(call, calls, atOnce) {
  let left = calls
  const one = async () => {
    while (left > 0) {
      left -= 1
      await call()
    }
  }
  await Promise.all(Array.from({ length: atOnce }, one))
}
