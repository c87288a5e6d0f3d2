import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { elapse } from '../../support/until.js'
import { runChild } from './support/child.js'
import type { ServedStream } from './support/stream-pcs.js'
import { type EventsWorld, startEventsWorld, take } from './support/world.js'

let world: EventsWorld
beforeEach(async () => {
  world = await startEventsWorld()
})
afterEach(() => world.close())

/** Writes events for as long as the client takes them. */
async function pour(stream: ServedStream, count: number): Promise<void> {
  for (let index = 0; index < count && !stream.call.cancelled; index += 1) {
    stream.send(`01HQ${String(index).padStart(22, '0')}`)
    if (stream.call.writableLength > 100) await Promise.race([once(stream.call, 'drain'), stream.cancelled])
  }
}

/** So many were written when nothing was for a while. */
async function plateau(stream: ServedStream): Promise<number> {
  for (let before = -1; before !== stream.written; ) {
    before = stream.written
    await elapse(300)
  }
  return stream.written
}

test('a reader that pauses holds the server back after a megabyte, and still gets everything', async () => {
  world.pcs.script = (stream) => void pour(stream, 30_000)
  const events = world.connect().events()
  const ids = await take(events, 10)
  const written = await plateau(await world.pcs.stream(0))
  expect(written).toBeGreaterThan(10)
  expect(written).toBeLessThan(15_000)
  ids.push(...(await take(events, 29_990)))
  expect(ids).toEqual(Array.from({ length: 30_000 }, (_, index) => `01HQ${String(index).padStart(22, '0')}`))
  expect(world.pcs.opened.length).toBe(1)
  await events.return(undefined)
})

test('a reader that never returns after its first next() holds the server back, too', async () => {
  world.pcs.script = (stream) => void pour(stream, 30_000)
  const events = world.connect().events()
  await take(events, 1)
  expect(await plateau(await world.pcs.stream(0))).toBeLessThan(15_000)
  await events.return(undefined)
})

const PROGRAM = `
let count = 0
let before
let most = 0
for await (const event of messaging.events()) {
  count += 1
  if (count % 1000 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  if (count % 10000 === 0) {
    gc()
    const { rss } = process.memoryUsage()
    if (count === 40000) before = rss
    most = Math.max(most, rss)
  }
  if (count === 200000) break
}
console.log(JSON.stringify({ count, grown: most - before }))
`

test('a slow reader of 200,000 events does not hold them in memory', async () => {
  world.pcs.script = (stream) => void pour(stream, 200_000)
  const { count, grown } = (await runChild(world, PROGRAM)) as { count: number; grown: number }
  expect(count).toBe(200_000)
  // 160,000 events of 150 bytes would be 24 MB on the wire, and several times as much decoded.
  expect(grown).toBeLessThan(24_000_000)
  expect(world.pcs.opened.length).toBe(1)
}, 600_000)
