import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { DeadLetter } from '../../../src/messaging/types/consumer.js'
import type { MessagingEvent } from '../../../src/messaging/types/events.js'
import { elapse, stays, until } from '../../support/until.js'
import { eventAt } from './support/events.js'
import { createConsumers, EventLog, IMPATIENT } from './support/log.js'

let log: EventLog
let consumers: ReturnType<typeof createConsumers>

beforeEach(() => {
  log = new EventLog()
  consumers = createConsumers(log)
})
afterEach(() => consumers.stopAll())

const idsOf = (list: readonly MessagingEvent[]): string[] => list.map(({ eventId }) => eventId).sort()

describe('fan-out', () => {
  test('all processes handle events, one reads, and each event is handled once', async () => {
    const byWorker: MessagingEvent[][] = [[], [], []]
    for (const handled of byWorker) {
      const handler = async (event: MessagingEvent): Promise<void> => {
        await elapse(1)
        handled.push(event)
      }
      consumers.start({ fanOut: true, maxInFlight: 4, handler })
    }
    for (let place = 0; place < 600; place++) log.append(eventAt(place))
    await until(() => byWorker.flat().length === 600, 'all are handled')
    expect(idsOf(byWorker.flat())).toEqual(idsOf(log.events))
    for (const handled of byWorker) expect(handled.length).toBeGreaterThan(0)
    expect(log.opened).toHaveLength(1)
  })

  test('holds the stream back while the workers are behind', async () => {
    const doors: (() => void)[] = []
    consumers.start({
      fanOut: { maxLength: 10 },
      maxInFlight: 2,
      handler: () => new Promise<void>((resolve) => doors.push(resolve)),
    })
    for (let place = 0; place < 5_000; place++) log.append(eventAt(place))
    await until(() => doors.length === 2, 'two are begun')
    await stays(() => doors.length === 2, 'two are begun', 400)
    expect(log.read).toBeLessThanOrEqual(1_011)
    for (const release of doors.splice(0)) release()
    await until(() => doors.length === 2, 'the next two are begun')
  })

  test('another worker takes over what one leaves unfinished; an event that no worker survives becomes a dead letter', async () => {
    const settings = { fanOut: { claimAfterMs: 2_500 }, handlerTimeoutMs: 2_000, drainMs: 0, maxAttempts: 1 }
    const dieOf = async (place: number): Promise<void> => {
      const begun: MessagingEvent[] = []
      const handler = (event: MessagingEvent): Promise<void> => {
        begun.push(event)
        return new Promise(() => {})
      }
      const dying = consumers.start({ ...settings, handler })
      await until(() => begun.length === 1, `it has ${place}`)
      expect(begun).toEqual([eventAt(place)])
      await dying.stop()
    }
    log.append(eventAt(0))
    await dieOf(0)
    const handled: MessagingEvent[] = []
    const heir = consumers.start({ ...settings, handler: (event) => handled.push(event) })
    await until(() => handled.length === 1, 'another one has it')
    await heir.stop()
    expect(handled).toEqual([eventAt(0)])

    log.append(eventAt(1))
    await dieOf(1)
    const letters: DeadLetter[] = []
    while (letters.length === 0) {
      let isBegun = false
      const next = consumers.start({
        ...settings,
        onDeadLetter: (letter) => letters.push(letter),
        handler: () => {
          isBegun = true
          return new Promise(() => {})
        },
      })
      await until(() => isBegun || letters.length > 0, 'it is begun once more, or never again')
      await next.stop()
    }
    expect(letters[0]).toMatchObject({ event: eventAt(1), error: expect.stringMatching(/^no worker/) })
    expect(await consumers.store.queue.length(heir.name)).toBe(0)
  })

  test('a handler that fails is retried by the worker, then the event becomes a dead letter', async () => {
    let attempts = 0
    log.append(eventAt(0))
    const consumer = consumers.start(
      {
        fanOut: true,
        maxAttempts: 3,
        handler: () => {
          attempts++
          throw new Error('never')
        },
      },
      IMPATIENT,
    )
    await until(() => attempts === 3, 'it is tried thrice')
    await consumer.stop()
    expect(await consumers.store.letters.count(consumer.name)).toBe(1)
    expect(await consumers.store.queue.length(consumer.name)).toBe(0)
  })

  test('claimAfterMs must be longer than handlerTimeoutMs', () => {
    const start = (): unknown => consumers.start({ fanOut: { claimAfterMs: 1_000 }, handler: () => {} })
    expect(start).toThrow(/"fanOut.claimAfterMs" must be longer than "handlerTimeoutMs" \(60000\)/)
  })
})
