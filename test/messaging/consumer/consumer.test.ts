import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { PpoppoError } from '../../../src/errors.js'
import { parseLetterText } from '../../../src/messaging/consumer/term/stored-texts.js'
import type { Consumer, DeadLetter, HandlerContext } from '../../../src/messaging/types/consumer.js'
import type { MessagingEvent } from '../../../src/messaging/types/events.js'
import { allowed } from '../../support/allowed.js'
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

const events = (count: number, sends = 1): MessagingEvent[] =>
  Array.from({ length: count }, (_, at) => eventAt(at, sends))
const ids = (list: readonly MessagingEvent[]): string[] => list.map(({ eventId }) => eventId)

/** A handler whose calls wait until they are let go. */
function createGate(): {
  readonly begun: MessagingEvent[]
  readonly contexts: HandlerContext[]
  readonly handler: (event: MessagingEvent, context: HandlerContext) => Promise<void>
  release(place: number): void
} {
  const doors = new Map<string, () => void>()
  const begun: MessagingEvent[] = []
  const contexts: HandlerContext[] = []
  return {
    begun,
    contexts,
    handler: (event, context) => {
      begun.push(event)
      contexts.push(context)
      return new Promise((resolve) => doors.set(event.eventId, resolve))
    },
    release: (place) => doors.get(eventAt(place).eventId)?.(),
  }
}

describe('a consumer', () => {
  test('handles every event, in order for each send', async () => {
    const handled: MessagingEvent[] = []
    log.append(...events(500, 7))
    consumers.start({
      handler: async (event) => {
        await elapse(Math.random() * 3)
        handled.push(event)
      },
    })
    await until(() => handled.length === 500, 'all are handled')
    expect(ids(handled).sort()).toEqual(ids(log.events))
    for (let send = 0; send < 7; send++) {
      const ofSend = ids(handled.filter(({ sendRequestId }) => sendRequestId === `snd_${send}`))
      expect(ofSend).toEqual([...ofSend].sort())
    }
  })

  test('handles events of different sends concurrently, and those of one send one after another', async () => {
    const gate = createGate()
    log.append(eventAt(0, 2), eventAt(1, 2), eventAt(2, 2))
    consumers.start({ handler: gate.handler })
    await until(() => gate.begun.length === 2, 'two are begun')
    expect(gate.begun.map(({ sendRequestId }) => sendRequestId)).toEqual(['snd_0', 'snd_1'])
    gate.release(0)
    await until(() => gate.begun.length === 3, 'the third is begun')
  })

  test('handles no more than maxInFlight at a time, and reads no more than it can hold', async () => {
    const gate = createGate()
    log.append(...events(5_000, 5_000))
    consumers.start({ handler: gate.handler, maxInFlight: 8 })
    await until(() => gate.begun.length === 8, 'eight are begun')
    await stays(() => gate.begun.length === 8, 'eight are begun', 50)
    expect(log.read).toBeLessThanOrEqual(1_001)
  })

  test('a slow event does not hold up other sends, and only it is handled again by the next consumer', async () => {
    const handled: string[] = []
    log.append(...events(900, 900))
    const first = consumers.start({
      maxInFlight: 4,
      drainMs: 100,
      leaseMs: 2_000,
      handler: ({ eventId }) => (eventId === eventAt(0).eventId ? new Promise(() => {}) : handled.push(eventId)),
    })
    await until(() => handled.length === 899, 'all others are handled')
    await first.stop()
    const again: string[] = []
    consumers.start({ handler: ({ eventId }) => again.push(eventId) })
    await until(() => again.length > 0, 'the next one begins')
    log.append(eventAt(900))
    await until(() => again.includes(eventAt(900).eventId), 'the newest is handled')
    expect(again).toEqual([eventAt(0).eventId, eventAt(900).eventId])
  })

  test('continues after a stop where it was', async () => {
    const handled: string[] = []
    const handler = ({ eventId }: MessagingEvent): unknown => handled.push(eventId)
    log.append(...events(10))
    const first = consumers.start({ handler })
    await until(() => handled.length === 10, 'ten are handled')
    await first.stop()
    await first.closed
    log.append(eventAt(10))
    consumers.start({ handler })
    await until(() => handled.length === 11, 'the eleventh is handled')
    expect(log.opened).toEqual([undefined, eventAt(9).eventId])
    expect(handled).toEqual(ids(log.events))
  })

  test('starts after "after" if no position was ever saved', async () => {
    const handled: string[] = []
    log.append(...events(5))
    consumers.start({ after: eventAt(2).eventId, handler: ({ eventId }) => handled.push(eventId) })
    await until(() => handled.length === 2, 'two are handled')
    expect(handled).toEqual([eventAt(3).eventId, eventAt(4).eventId])
  })

  test('stop() waits for running handlers, starts none, and hands over immediately', async () => {
    const gate = createGate()
    log.append(...events(3, 1))
    const first = consumers.start({ handler: gate.handler, drainMs: 50_000, leaseMs: 60_000 })
    await until(() => gate.begun.length === 1, 'one is begun')
    let isStopped = false
    const stopped = first.stop().then(() => {
      isStopped = true
    })
    await stays(() => !isStopped, 'it waits for the handler', 30)
    gate.release(0)
    await stopped
    expect(gate.begun).toHaveLength(1)
    const next: string[] = []
    consumers.start({ handler: ({ eventId }) => next.push(eventId) })
    await until(() => next.length === 2, 'the others are handled by the next')
    expect(next).toEqual([eventAt(1).eventId, eventAt(2).eventId])
  })

  test('a handler that does not finish in time is aborted, and no other consumer starts before the lease expires', async () => {
    const gate = createGate()
    log.append(eventAt(0))
    const first = consumers.start({ handler: gate.handler, drainMs: 50, leaseMs: 400 })
    await until(() => gate.begun.length === 1, 'it is begun')
    const { signal } = gate.contexts[0] as HandlerContext
    await first.stop()
    expect(signal.aborted).toBe(true)
    const fences: number[] = []
    const stoppedAt = Date.now()
    consumers.start({ handler: (_event, { fence }) => fences.push(fence) })
    await until(() => fences.length === 1, 'the next one takes over')
    expect(Date.now() - stoppedAt).toBeGreaterThan(100)
    expect(fences[0]).toBeGreaterThan((gate.contexts[0] as HandlerContext).fence)
  })

  test('only one of several consumers is active; when it stops, the next one follows with a larger fence', async () => {
    const fences = new Set<number>()
    const team: Consumer[] = Array.from({ length: 3 }, () =>
      consumers.start({ leaseMs: 3_000, handler: (_event, { fence }) => fences.add(fence) }),
    )
    for (let term = 1; term <= 3; term++) {
      await until(() => team.some(({ isActive }) => isActive), 'one is active')
      expect(team.filter(({ isActive }) => isActive)).toHaveLength(1)
      log.append(eventAt(term))
      await until(() => fences.size === term, 'it handles the event')
      await team.find(({ isActive }) => isActive)?.stop()
    }
    expect([...fences]).toEqual([...fences].sort((a, b) => a - b))
  })

  test('reports its lag and when the last event arrived', async () => {
    const gate = createGate()
    const consumer = consumers.start({ handler: gate.handler })
    expect([consumer.lag, consumer.lastEventAt, consumer.storage]).toEqual([0, undefined, 'memory'])
    log.append({ ...eventAt(0), occurredAt: new Date(Date.now() - 60_000) })
    await until(() => gate.begun.length === 1, 'it is begun')
    expect(consumer.lag).toBeGreaterThanOrEqual(60_000)
    expect(consumer.lag).toBeLessThan(70_000)
    expect(Date.now() - Number(consumer.lastEventAt)).toBeLessThan(5_000)
    gate.release(0)
    await until(() => consumer.lag === 0, 'nothing is open')
  })
})

describe('a handler that fails', () => {
  test('is retried, then the event becomes a dead letter, and the others continue', async () => {
    const attempts: number[] = []
    const handled: string[] = []
    const told: DeadLetter[] = []
    log.append(...events(4))
    const consumer = consumers.start(
      {
        maxAttempts: 3,
        onDeadLetter: (letter) => told.push(letter),
        handler: ({ eventId }, { attempt }) => {
          if (eventId !== eventAt(1).eventId) return handled.push(eventId)
          attempts.push(attempt)
          throw new TypeError('no such column')
        },
      },
      IMPATIENT,
    )
    await until(() => handled.length === 3, 'the others are handled')
    expect(attempts).toEqual([1, 2, 3])
    await consumer.stop()
    const letters = await consumers.store.letters.list(consumer.name, 10)
    expect(letters.map(({ id }) => id)).toEqual([eventAt(1).eventId])
    expect(parseLetterText(letters[0]?.text ?? '')).toEqual({
      event: eventAt(1),
      error: 'TypeError: no such column',
      attempts: 3,
      failedAt: expect.any(Date),
    })
    expect(told).toHaveLength(1)
  })

  test('calls onHandlerError instead of dead-lettering; if that throws, the event becomes a dead letter', async () => {
    const seen: unknown[] = []
    log.append(...events(2))
    const consumer = consumers.start(
      {
        maxAttempts: 2,
        handler: () => Promise.reject(new Error('never')),
        onHandlerError: (error, { eventId }, { attempts }) => {
          seen.push([(error as Error).message, eventId, attempts])
          if (eventId === eventAt(1).eventId) throw new Error('my own list is full')
        },
      },
      IMPATIENT,
    )
    await until(() => seen.length === 2, 'both are told')
    await consumer.stop()
    expect(seen).toEqual([
      ['never', eventAt(0).eventId, 2],
      ['never', eventAt(1).eventId, 2],
    ])
    const letters = await consumers.store.letters.list(consumer.name, 10)
    expect(letters.map(({ text }) => parseLetterText(text)?.error)).toEqual(['Error: my own list is full'])
  })

  test('is also one that takes longer than handlerTimeoutMs, and its signal is aborted', async () => {
    const signals: AbortSignal[] = []
    log.append(eventAt(0))
    const consumer = consumers.start(
      {
        maxAttempts: 2,
        handlerTimeoutMs: 30,
        handler: (_event, { signal }) => {
          signals.push(signal)
          return new Promise(() => {})
        },
      },
      IMPATIENT,
    )
    await until(() => signals.length === 2, 'it is tried twice')
    await until(() => consumer.lag === 0, 'it is given up')
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
    expect(signals[0]?.reason).toMatchObject({ code: 'deadline_exceeded' })
    await consumer.stop()
    expect(await consumers.store.letters.count(consumer.name)).toBe(1)
  })

  test('does not delay stop() with its pauses, and its event is left to the next consumer', async () => {
    let attempts = 0
    log.append(eventAt(0))
    const consumer = consumers.start(
      {
        handler: () => {
          attempts++
          throw new Error('not yet')
        },
      },
      { random: () => 1 },
    )
    await until(() => attempts === 2, 'it was tried twice')
    const began = Date.now()
    await consumer.stop()
    expect(Date.now() - began).toBeLessThan(await allowed(300))
    const next: string[] = []
    consumers.start({ handler: ({ eventId }) => next.push(eventId) })
    await until(() => next.length === 1, 'the next one handles it')
  })
})

describe('a position in the stream that the server no longer knows', () => {
  const lost = (): never => {
    throw new PpoppoError('cursor_lost', 'gone')
  }
  /** A consumer that saved its place, and a server that has forgotten it. */
  async function forget(options: object): Promise<{ consumer: Consumer; handled: string[] }> {
    log.append(...events(3))
    const seen: string[] = []
    const first = consumers.start({ handler: ({ eventId }) => seen.push(eventId) })
    await until(() => seen.length === 3, 'three are handled')
    await first.stop()
    log.append(eventAt(3))
    log.onOpen = (after) => void (after === eventAt(2).eventId && lost())
    const handled: string[] = []
    const consumer = consumers.start({ handler: ({ eventId }) => handled.push(eventId), ...options })
    return { consumer, handled }
  }

  test('stops the consumer with an error by default', async () => {
    const { consumer } = await forget({})
    await expect(consumer.closed).rejects.toMatchObject({ code: 'cursor_lost' })
    expect(consumer.isActive).toBe(false)
  })

  test('with "earliest", resumes with the oldest event there is', async () => {
    const { handled } = await forget({ onCursorLost: 'earliest' })
    await until(() => handled.length === 4, 'all are handled')
    expect(handled).toEqual(ids(log.events))
  })

  test('with "latest", resumes with what happens from now on', async () => {
    const { handled } = await forget({ onCursorLost: 'latest' })
    await until(() => log.opened.length === 3, 'it is read again')
    log.append({ ...eventAt(4), occurredAt: new Date(Date.now() + 1_000) })
    await until(() => handled.length > 0, 'the new one is handled')
    expect(handled).toEqual([eventAt(4).eventId])
  })

  test('causes no endless loop if the server loses each one', async () => {
    const { consumer } = await forget({ onCursorLost: 'earliest' })
    log.onOpen = lost
    await expect(consumer.closed).rejects.toMatchObject({ code: 'cursor_lost' })
    expect(log.opened.length).toBeLessThan(10)
  })
})
