/* What consumers do when things end at the wrong moment: each of these lost events, or time, or the process, once. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { PpoppoError } from '../../../src/errors.js'
import { parseLetterText } from '../../../src/messaging/consumer/term/stored-texts.js'
import { createMessaging } from '../../../src/messaging/index.js'
import type { ConsumerStore } from '../../../src/store/consumer-store.js'
import { createMemoryConsumerStore } from '../../../src/store/memory/consumer-store.js'
import { allowed } from '../../support/allowed.js'
import { elapse, until } from '../../support/until.js'
import { eventAt } from './support/events.js'
import { createConsumers, EventLog, IMPATIENT } from './support/log.js'

let log: EventLog
let store: ConsumerStore
let consumers: ReturnType<typeof createConsumers>

beforeEach(() => {
  log = new EventLog()
  // A copy: tests put calls of their own into it.
  store = { ...createMemoryConsumerStore({ now: Date.now }) }
  consumers = createConsumers(log, store)
})
afterEach(() => consumers.stopAll())

const down = (): PpoppoError => new PpoppoError('store_unavailable', 'Redis does not answer.')
const never = (): Promise<never> => new Promise(() => {})

describe('a consumer', () => {
  test('whose dead-letter list is full stops immediately, and says what to do', async () => {
    let commits = 0
    const { commit } = store
    store.commit = async (name, step) => {
      commits++
      return step.letters?.length ? 'full' : commit(name, step)
    }
    log.append(eventAt(0))
    const handler = (): never => {
      throw new Error('never')
    }
    const consumer = consumers.start({ maxAttempts: 1, handler, drainMs: 60_000 }, IMPATIENT)
    await expect(consumer.closed).rejects.toMatchObject({
      code: 'dead_letters_full',
      message: expect.stringMatching(/deadLetters\('[\w-]+'\)\.list\(\)/),
    })
    expect(commits).toBe(1)
  })

  test('whose handler returns a function that can be awaited, as some query builders are, waits for it', async () => {
    log.append(eventAt(0))
    const query = Object.assign(() => {}, {
      // biome-ignore lint/suspicious/noThenProperty: what such a builder has
      then: (_: unknown, reject: (error: Error) => void) => reject(new Error('the table is gone')),
    })
    const letters: string[] = []
    const consumer = consumers.start({
      maxAttempts: 1,
      handler: () => query,
      onDeadLetter: ({ error }) => letters.push(error),
    })
    await until(() => letters.length === 1, 'a dead letter')
    expect(letters).toEqual(['Error: the table is gone'])
    await consumer.stop()
  })

  test('whose handler throws something that cannot be printed dead-letters the event', async () => {
    log.append(eventAt(0), eventAt(1))
    const handled: string[] = []
    const consumer = consumers.start({
      maxAttempts: 1,
      handler: ({ eventId }) => {
        if (eventId === eventAt(0).eventId) throw Object.create(null)
        handled.push(eventId)
      },
    })
    await until(() => handled.length === 1, 'the next is handled')
    await consumer.stop()
    const [letter] = await store.letters.list(consumer.name, 1)
    expect(parseLetterText(letter?.text ?? '')?.error).toBe('something that cannot be printed')
  })

  test('whose handler changes the event it is given continues', async () => {
    const handled: number[] = []
    log.append(eventAt(0), eventAt(1), eventAt(2))
    const consumer = consumers.start({
      handler: (event) => {
        handled.push(handled.length)
        Object.assign(event, { sendRequestId: 'other', eventId: 'other' })
      },
    })
    await until(() => handled.length === 3, 'all are handled')
    await consumer.stop()
    const answer = await store.acquire(consumer.name, 'test', 1_000)
    expect(answer).toMatchObject({ checkpoint: expect.stringContaining('evt_000000002') })
  })

  test('that lost its lease starts no handler before its own ones have finished', async () => {
    let [isDown, atWork, most] = [false, 0, 0]
    const { renew, acquire } = store
    store.renew = (...args) => (isDown ? Promise.reject(down()) : renew(...args))
    store.acquire = (...args) => (isDown ? Promise.reject(down()) : acquire(...args))
    const ended: string[] = []
    log.append(eventAt(0), eventAt(1))
    const consumer = consumers.start({
      leaseMs: 300,
      drainMs: 10_000,
      // Does not listen to its signal.
      handler: async ({ eventId }) => {
        most = Math.max(most, ++atWork)
        await elapse(900)
        atWork--
        ended.push(eventId)
      },
    })
    await until(() => atWork === 1, 'it is at work')
    isDown = true
    await until(() => !consumer.isActive, 'its lease is lost')
    isDown = false
    await until(() => ended.includes(eventAt(1).eventId), 'both are handled')
    expect(most).toBe(1)
  })

  test('with "latest" remembers what it has handled: later events are handled after a restart', async () => {
    const seen: string[] = []
    log.append(eventAt(0))
    const first = consumers.start({ handler: ({ eventId }) => seen.push(eventId) })
    await until(() => seen.length === 1, 'one is handled')
    await first.stop()
    log.onOpen = (after) => {
      if (after === eventAt(0).eventId) throw new PpoppoError('cursor_lost', 'gone')
    }
    log.events.length = 0
    let begun = 0
    const handler = (): Promise<never> => {
      begun++
      return never()
    }
    const second = consumers.start({ onCursorLost: 'latest', handler, drainMs: 0, leaseMs: 200 })
    await until(() => log.opened.length === 3, 'it reads again')
    log.append({ ...eventAt(1), occurredAt: new Date() })
    await until(() => begun === 1, 'the new one is begun')
    await second.stop()
    const later = { now: (): number => Date.now() + 600_000 }
    consumers.start({ onCursorLost: 'latest', handler: ({ eventId }) => seen.push(eventId) }, later)
    await until(() => seen.length === 2, 'and handled after the restart')
    expect(seen).toEqual([eventAt(0).eventId, eventAt(1).eventId])
    expect(log.opened).toEqual([undefined, eventAt(0).eventId, undefined, undefined])
  })

  test('with "earliest" does not report the same lost cursor again after a restart', async () => {
    const seen: string[] = []
    const handler = ({ eventId }: { readonly eventId: string }): unknown => seen.push(eventId)
    log.append(eventAt(0))
    const first = consumers.start({ handler })
    await until(() => seen.length === 1, 'one is handled')
    await first.stop()
    log.onOpen = (after) => {
      if (after === eventAt(0).eventId) throw new PpoppoError('cursor_lost', 'gone')
    }
    log.events.length = 0
    const second = consumers.start({ onCursorLost: 'earliest', handler })
    await until(() => log.opened.length === 3, 'it reads again')
    await second.stop()
    log.append(eventAt(1))
    consumers.start({ handler })
    await until(() => seen.length === 2, 'the next is handled')
  })
})

describe('with fan-out', () => {
  test('a worker that is stopped returns what it has not handled, and that does not count as an attempt', async () => {
    const attempts: number[] = []
    let failures = 0
    const failing = consumers.start(
      {
        fanOut: true,
        handler: () => {
          failures++
          throw new Error('not yet')
        },
      },
      { random: () => 1 },
    )
    log.append(eventAt(0))
    await until(() => failures > 0, 'it has it')
    await failing.stop()
    consumers.start({ fanOut: true, handler: (_event, { attempt }) => attempts.push(attempt) })
    await until(() => attempts.length === 1, 'another one has it')
    expect(attempts).toEqual([1])
  })

  test('what is still queued when fan-out is turned off is handled before anything new', async () => {
    let failures = 0
    const first = consumers.start(
      {
        fanOut: true,
        handler: () => {
          failures++
          throw new Error('not yet')
        },
      },
      { random: () => 1 },
    )
    for (let place = 0; place < 5; place++) log.append(eventAt(place, 5))
    await until(() => failures === 5, 'they have been given to it')
    await first.stop()
    const handled: string[] = []
    log.append(eventAt(5))
    const plain = consumers.start({ handler: ({ eventId }) => handled.push(eventId) })
    await until(() => handled.length === 6, 'all are handled')
    expect(handled.at(-1)).toBe(eventAt(5).eventId)
    expect(new Set(handled).size).toBe(6)
    expect(await store.queue.length(plain.name)).toBe(0)
  })

  test('events that were queued in a store that lost its data are read again', async () => {
    const handled: string[] = []
    let isStuck = true
    const handler = ({ eventId }: { readonly eventId: string }): unknown => {
      if (isStuck) throw new Error('not yet')
      return handled.push(eventId)
    }
    consumers.start({ fanOut: true, leaseMs: 300, handler, maxAttempts: 1_000 }, IMPATIENT)
    for (let place = 0; place < 3; place++) log.append(eventAt(place))
    const name = (): string => consumers.name
    await until(async () => (await store.queue.length(name())) >= 3, 'three wait')
    Object.assign(store, createMemoryConsumerStore({ now: Date.now }))
    isStuck = false
    await until(() => new Set(handled).size === 3, 'all are handled')
    expect(log.opened).toEqual([undefined, undefined])
  })

  test('a store that is away when an event has been handled causes no second handling', async () => {
    let failures = 2
    const { finish } = store.queue
    const queue: typeof store.queue = {
      ...store.queue,
      finish: (...args) => (failures-- > 0 ? Promise.reject(down()) : finish(...args)),
    }
    Object.assign(store, { queue })
    const handled: string[] = []
    const consumer = consumers.start({
      fanOut: { claimAfterMs: 2_500 },
      handlerTimeoutMs: 2_000,
      handler: ({ eventId }) => handled.push(eventId),
    })
    log.append(eventAt(0))
    await until(() => failures < 0, 'it is finished')
    await until(async () => (await store.queue.length(consumer.name)) === 0, 'nothing waits')
    expect(handled).toHaveLength(1)
  })

  test('stop() ends in time even if onHandlerError does not', async () => {
    let isTold = false
    const consumer = consumers.start({
      fanOut: true,
      maxAttempts: 1,
      drainMs: 200,
      handler: () => {
        throw new Error('never')
      },
      onHandlerError: () => {
        isTold = true
        return never()
      },
    })
    log.append(eventAt(0))
    await until(() => isTold, 'it is told')
    const beganAt = Date.now()
    await consumer.stop()
    expect(Date.now() - beganAt).toBeLessThan(await allowed(3_000))
  })
})

describe('deadLetters()', () => {
  test('without credentials, or after close(), rejects and opens no connection', async () => {
    const without = createMessaging({ redis: 'redis://127.0.0.1:1' })
    await expect(without.deadLetters('orders').count()).rejects.toMatchObject({ code: 'messaging_not_configured' })
    const messaging = createMessaging({
      redis: 'redis://127.0.0.1:1',
      clientId: 'some-id',
      clientSecret: 'some-secret',
    })
    await messaging.close()
    await expect(messaging.deadLetters('orders').list()).rejects.toMatchObject({ code: 'closed' })
    expect(() => messaging.consume({ name: 'orders', handler: () => {} })).toThrow(/closed/)
  })
})
