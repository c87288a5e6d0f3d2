import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Clock, createClock, untilTurned } from './support/clock.js'
import type { ServedStream } from './support/stream-pcs.js'
import { type EventsClient, type EventsWorld, startEventsWorld, take } from './support/world.js'

let world: EventsWorld
let clock: Clock
beforeEach(async () => {
  world = await startEventsWorld()
  // As long as jitter makes them.
  clock = createClock(0.999)
})
afterEach(() => world.close())

/** Lets time pass in small steps until the stream of this index has come. @returns how long it took */
async function waitFor(index: number): Promise<{ stream: ServedStream; ms: number }> {
  const since = clock.now()
  await untilTurned(
    () => world.pcs.opened.length > index,
    () => clock.advance(5),
  )
  return { stream: await world.pcs.stream(index), ms: clock.now() - since }
}

/** A reader that was given its first event, and is told why its streams end. */
async function readOne(): Promise<{
  events: ReturnType<EventsClient['events']>
  stream: ServedStream
  reasons: string[]
}> {
  const reasons: string[] = []
  const events = world.connect({}, clock).events({ onDisconnected: ({ reason }) => reasons.push(reason) })
  const first = take(events, 1)
  const stream = await world.pcs.stream(0)
  stream.send('a')
  await first
  return { events, stream, reasons }
}

describe('a server that ends each stream without an error', () => {
  test('every second for a minute: the stream is reopened within about 200 ms, from the first to the last', async () => {
    const connected: string[] = []
    const events = world
      .connect({}, clock)
      .events({ onConnected: () => connected.push(''), onResumed: () => connected.push('') })
    const first = events.next()
    const gaps: number[] = []
    for (let second = 0; second < 60; second += 1) {
      const { stream, ms } = await waitFor(second)
      if (second > 0) gaps.push(ms)
      await untilTurned(() => connected.length === second + 1)
      clock.advance(1_000)
      stream.end()
      // The end has come when the pause has begun.
      await untilTurned(() => clock.timers === 2)
    }
    // Each turn of the event loop counts 5 ms here.
    expect(Math.max(...gaps)).toBeLessThan(400)
    await events.return(undefined)
    await first
  })

  test('after 30 s, or after an event: the stream is reopened at once', async () => {
    const events = world.connect({}, clock).events()
    let next = take(events, 1)
    for (let index = 0; index < 6; index += 1) {
      const stream = await world.pcs.stream(index)
      if (index % 2) {
        stream.send(`e${index}`)
        await next
        next = take(events, 1)
      } else {
        await untilTurned(() => clock.timers === 1)
        clock.advance(29_990)
      }
      stream.end()
      // Without a step of the clock.
      await world.pcs.stream(index + 1)
    }
    await events.return(undefined)
    await next
  })

  test('immediately, again and again: the stream is reopened less and less often', async () => {
    world.pcs.script = (stream) => stream.end()
    const events = world.connect({}, clock).events()
    const first = events.next()
    const since = clock.now()
    await untilTurned(
      () => clock.now() - since > 120_000,
      () => clock.advance(20),
    )
    // 0.2 + 0.4 + 0.8 + 1.6 + 3.2 + 6.4 = 12.6 s, then every 10 s.
    expect(world.pcs.opened.length).toBeGreaterThan(10)
    expect(world.pcs.opened.length).toBeLessThan(20)
    await events.return(undefined)
    await first
  })

  test('immediately, after the same event each time: the stream is reopened less and less often', async () => {
    world.pcs.script = (stream) => {
      stream.send('a')
      stream.end()
    }
    const events = world.connect({}, clock).events()
    expect(await take(events, 1)).toEqual(['a'])
    const second = events.next()
    const since = clock.now()
    await untilTurned(
      () => clock.now() - since > 120_000,
      () => clock.advance(20),
    )
    expect(world.pcs.opened.length).toBeLessThan(20)
    await events.return(undefined)
    await second
  })
})

test.each([-3_600_000, 3_600_000])(
  'a clock that is set by %d ms makes no pause longer, and none shorter',
  async (ms) => {
    const { events, stream, reasons } = await readOne()
    stream.fail(14, 'going away')
    await untilTurned(() => reasons.length === 1)
    clock.set(ms)
    const next = events.next()
    expect((await waitFor(1)).ms).toBeLessThan(1_000)
    await events.return(undefined)
    await next
  },
)

describe('a stream is recycled', () => {
  test.each([
    [0, 480_000],
    [0.999, 719_760],
  ])('after 10 minutes plus or minus a fifth (random %d)', async (random, livesMs) => {
    clock = createClock(random)
    const events = world.connect({}, clock).events()
    const next = take(events, 2)
    const stream = await world.pcs.stream(0)
    stream.send('a')
    await untilTurned(() => clock.timers === 1)
    clock.advance(livesMs)
    await stream.cancelled
    const second = await world.pcs.stream(1)
    expect(second.request.after_event_id).toBe('a')
    second.send('a', 'b')
    expect(await next).toEqual(['a', 'b'])
    await events.return(undefined)
  })

  test('is not recycled earlier', async () => {
    clock = createClock(0)
    const events = world.connect({}, clock).events({ recycleMs: 1_000 })
    const next = events.next()
    await world.pcs.stream(0)
    await untilTurned(() => clock.timers === 1)
    clock.advance(799)
    expect(clock.timers).toBe(1)
    clock.advance(1)
    await world.pcs.stream(1)
    await events.return(undefined)
    await next
  })

  test('is recycled even if nobody reads, and reopened by the next reader', async () => {
    const { events, stream, reasons } = await readOne()
    clock.advance(720_000)
    await stream.cancelled
    await untilTurned(() => reasons.length === 1)
    clock.advance(3_600_000)
    expect(reasons).toEqual(['recycled'])
    expect([world.pcs.opened.length, clock.timers]).toEqual([1, 0])
    world.pcs.script = (served) => served.send('b')
    expect(await take(events, 1)).toEqual(['b'])
    await events.return(undefined)
  })

  test('has a deadline on the wire as a backstop', async () => {
    const events = world.connect({}, clock).events({ recycleMs: 100_000 })
    const next = events.next()
    const stream = await world.pcs.stream(0)
    const leftMs = Number(stream.call.getDeadline()) - Date.now()
    expect(leftMs).toBeGreaterThan(119_000)
    expect(leftMs).toBeLessThan(151_000)
    await events.return(undefined)
    await next
  })
})
