import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { runChild } from './support/child.js'
import { untilTurned } from './support/clock.js'
import { type EventsWorld, startEventsWorld } from './support/world.js'

let world: EventsWorld
beforeEach(async () => {
  world = await startEventsWorld()
})
afterEach(() => world.close())

const PROGRAM = `
const abort = new AbortController()
async function cycle() {
  for await (const event of messaging.events({ signal: abort.signal })) break
}
async function cycles(count) {
  for (let done = 0; done < count; done += 50) await Promise.all(Array.from({ length: 50 }, cycle))
  await new Promise((resolve) => setTimeout(resolve, 50))
  gc()
  gc()
  return process.memoryUsage().heapUsed
}
await cycles(1000)
const before = await cycles(1000)
const after = await cycles(8000)
const resources = process.getActiveResourcesInfo()
console.log(JSON.stringify({ grown: after - before, timers: resources.filter((name) => name === 'Timeout').length }))
`

test('10,000 loops that are started and stopped leave nothing behind, here or on the server', async () => {
  world.pcs.script = (stream) => stream.send('a')
  const { grown, timers } = (await runChild(world, PROGRAM)) as { grown: number; timers: number }
  // Some twice: a server of Node's drops a connection that resets so many streams.
  expect(world.pcs.opened.length).toBeGreaterThanOrEqual(10_000)
  await untilTurned(() => world.pcs.active === 0)
  // A loop that stayed would keep several kilobytes.
  expect(grown).toBeLessThan(8_000 * 300)
  expect(timers).toBeLessThan(5)
}, 600_000)
