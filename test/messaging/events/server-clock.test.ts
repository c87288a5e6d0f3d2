import { afterEach, describe, expect, test } from '@jest/globals'
import { createConsume } from '../../../src/messaging/consumer/consume.js'
import { ServerClock } from '../../../src/messaging/events/server-clock.js'
import { createMemoryConsumerStore } from '../../../src/store/memory/consumer-store.js'
import { untilTurned } from './support/clock.js'
import { wireEvent } from './support/stream-pcs.js'
import { type EventsWorld, startEventsWorld } from './support/world.js'

const HOUR_MS = 3_600_000

describe("the server's time", () => {
  test.each([undefined, '', 'soon', '2026'.repeat(1_000)])(
    'is a minute before this machine’s when the server says %j',
    (date) => {
      const clock = new ServerClock({ now: () => 1_000_000_000, monotonic: () => performance.now() })
      clock.note(date)
      expect(clock.now()).toBe(1_000_000_000 - 60_000)
    },
  )

  test('is never ahead of the server’s, whatever this machine’s clock shows, and advances with the time that passes', () => {
    const clock = new ServerClock({ now: () => Date.now() + HOUR_MS, monotonic: () => performance.now() })
    const saidAt = Date.parse('2026-01-02T03:04:05Z')
    clock.note(new Date(saidAt).toUTCString())
    const [first, second] = [clock.now(), clock.now()]
    expect(first).toBeLessThanOrEqual(saidAt)
    expect(first).toBeGreaterThan(saidAt - 5_000)
    expect(second).toBeGreaterThanOrEqual(first)
  })
})

describe('a consumer with onCursorLost "latest"', () => {
  let world: EventsWorld
  let stopAll = async (): Promise<void> => {}
  afterEach(async () => {
    await stopAll()
    await world.close()
  })

  test.each([
    ['5 s ahead', 5_000, {}],
    ['an hour ahead', HOUR_MS, {}],
    ['an hour ahead, of a server that holds its headers back', HOUR_MS, { holdsHeaders: true }],
    ['an hour behind', -HOUR_MS, {}],
  ])(
    'on a machine whose clock is %s handles all that happens from now on, and none of the past',
    async (_, aheadMs, options) => {
      world = await startEventsWorld(options)
      const event = (id: string, occurredAt: number): object =>
        wireEvent(id, { occurred_at: new Date(occurredAt).toISOString() })
      world.pcs.script = (stream) => {
        if (stream.request.after_event_id !== undefined) return stream.fail(5, 'no such event')
        stream.send(event('old', Date.now() - 10 * 60_000))
        for (let place = 0; place < 8; place++) stream.send(event(`new ${place}`, Date.now() + place))
      }
      const store = createMemoryConsumerStore({ now: Date.now })
      const { caller } = world.connect({}, { now: () => Date.now() + aheadMs })
      const consume = createConsume({ caller, store: () => store, warn: () => {} })
      stopAll = consume.stopAll
      const handled: string[] = []
      consume.consume({
        name: 'latest',
        after: 'gone',
        onCursorLost: 'latest',
        handler: ({ eventId }) => handled.push(eventId),
      })
      await untilTurned(() => handled.includes('new 7'))
      expect(handled).toEqual(Array.from({ length: 8 }, (_, place) => `new ${place}`))
    },
  )
})
