import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { resolveMessagingConfig } from '../../../src/config/messaging.js'
import { createCaller } from '../../../src/messaging/call/caller.js'
import { createEvents } from '../../../src/messaging/events/feed.js'
import { systemMessagingRuntime } from '../../../src/messaging/lib/runtime.js'
import type { MessagingEvent } from '../../../src/messaging/types/events.js'
import { createClock, turn, untilTurned } from './support/clock.js'
import { type EventsWorld, startEventsWorld, take } from './support/world.js'

let world: EventsWorld
const unhandled: unknown[] = []
const onUnhandled = (reason: unknown): void => {
  unhandled.push(reason)
}
beforeEach(async () => {
  world = await startEventsWorld()
  process.on('unhandledRejection', onUnhandled)
})
afterEach(async () => {
  await world.close()
  await turn()
  process.off('unhandledRejection', onUnhandled)
  expect(unhandled.splice(0)).toEqual([])
})

const DONE = { done: true, value: undefined }

async function opened(events: AsyncGenerator<MessagingEvent, undefined, undefined>, ...ids: string[]) {
  const first = ids.length > 0 ? take(events, ids.length) : events.next()
  first.catch(() => {})
  const stream = await world.pcs.stream(world.pcs.opened.length)
  stream.send(...ids)
  return { stream, first }
}

describe('a loop over events', () => {
  test('ends the stream on the server by break', async () => {
    world.pcs.script = (stream) => stream.send('a', 'b')
    const ids: string[] = []
    for await (const event of world.connect().events()) {
      ids.push(event.eventId)
      if (ids.length === 2) break
    }
    expect(ids).toEqual(['a', 'b'])
    await world.pcs.opened[0]?.cancelled
    expect(world.pcs.active).toBe(0)
  })

  test('ends the stream on the server by what the body throws', async () => {
    world.pcs.script = (stream) => stream.send('a')
    const read = async (): Promise<void> => {
      for await (const _ of world.connect().events()) throw new Error('body')
    }
    await expect(read()).rejects.toThrow('body')
    await world.pcs.opened[0]?.cancelled
  })

  test('that never begins opens nothing', async () => {
    const events = world.connect().events()
    expect(await events.return(undefined)).toEqual(DONE)
    expect(await events.next()).toEqual(DONE)
    expect(world.pcs.opened.length + world.pas.requests.length).toBe(0)
  })
})

describe('while a next() waits', () => {
  test.each(['return', 'throw', 'signal', 'close'] as const)('%s ends both at once', async (by) => {
    const abort = new AbortController()
    const { caller, events: open } = world.connect()
    const events = open({ signal: abort.signal })
    const { stream, first } = await opened(events)
    const second = events.next()
    const reason = new Error('over')
    if (by === 'return') expect(await events.return(undefined)).toEqual(DONE)
    if (by === 'throw') await expect(events.throw(reason)).rejects.toBe(reason)
    if (by === 'signal') abort.abort(reason)
    if (by === 'close') caller.close()
    if (by === 'signal') await expect(first).rejects.toBe(reason)
    else if (by === 'close') await expect(first).rejects.toMatchObject({ code: 'closed' })
    else expect(await first).toEqual(DONE)
    expect(await second).toEqual(DONE)
    expect(await events.next()).toEqual(DONE)
    await stream.cancelled
    expect(world.pcs.opened.length).toBe(1)
    expect(getEventListeners(abort.signal, 'abort').length).toBe(0)
  })

  test.each(['return', 'signal', 'close'] as const)('for a token, %s ends it at once', async (by) => {
    world.pas.answer = () => {}
    const abort = new AbortController()
    const { caller, events: open } = world.connect()
    const events = open({ signal: abort.signal })
    const first = events.next()
    await untilTurned(() => world.pas.requests.length === 1)
    if (by === 'return') await events.return(undefined)
    if (by === 'signal') abort.abort()
    if (by === 'close') caller.close()
    if (by === 'return') expect(await first).toEqual(DONE)
    else await expect(first).rejects.toMatchObject(by === 'signal' ? { name: 'AbortError' } : { code: 'closed' })
    caller.close()
    expect(world.pcs.opened.length).toBe(0)
  })

  test.each(['return', 'signal', 'close'] as const)('for the end of a pause, %s ends it at once', async (by) => {
    const clock = createClock()
    const abort = new AbortController()
    const { caller, events: open } = world.connect({}, clock)
    const events = open({ signal: abort.signal })
    const { stream, first } = await opened(events)
    stream.fail(8, 'slowly', { 'retry-after': '3600' })
    // The token's own deadline, the pause, and how long the stream is away.
    await untilTurned(() => clock.timers === 2)
    if (by === 'return') await events.return(undefined)
    if (by === 'signal') abort.abort()
    if (by === 'close') caller.close()
    if (by === 'return') expect(await first).toEqual(DONE)
    else await expect(first).rejects.toMatchObject(by === 'signal' ? { name: 'AbortError' } : { code: 'closed' })
    expect(clock.timers).toBe(0)
    expect(getEventListeners(abort.signal, 'abort').length).toBe(0)
  })
})

describe('between two next()', () => {
  test.each(['signal', 'close'] as const)('%s is reported by the next one, once', async (by) => {
    const abort = new AbortController()
    const { caller, events: open } = world.connect()
    const events = open({ signal: abort.signal })
    const { stream, first } = await opened(events, 'a', 'b')
    await first
    stream.send('c')
    await turn()
    const reason = new Error('over')
    if (by === 'signal') abort.abort(reason)
    else caller.close()
    await stream.cancelled
    await expect(events.next()).rejects.toMatchObject(by === 'signal' ? { message: 'over' } : { code: 'closed' })
    expect(await events.next()).toEqual(DONE)
  })

  test('after return(), it is not reported', async () => {
    const { caller, events: open } = world.connect()
    const events = open()
    await (await opened(events, 'a')).first
    caller.close()
    expect(await events.return(undefined)).toEqual(DONE)
    expect(await events.next()).toEqual(DONE)
  })
})

describe('before it begins', () => {
  test('an aborted signal is reported by the first next()', async () => {
    const reason = new Error('before')
    const events = world.connect().events({ signal: AbortSignal.abort(reason) })
    await expect(events.next()).rejects.toBe(reason)
    expect(await events.next()).toEqual(DONE)
    expect(world.pcs.opened.length).toBe(0)
  })

  test('a closed client throws in events() already', () => {
    const { caller, events } = world.connect()
    caller.close()
    expect(() => events()).toThrow(expect.objectContaining({ code: 'closed' }))
  })

  test('a client that is closed in between rejects with closed', async () => {
    const { caller, events: open } = world.connect()
    const events = open()
    caller.close()
    await expect(events.next()).rejects.toMatchObject({ code: 'closed' })
  })

  test('a client without credentials says what is missing', async () => {
    const config = resolveMessagingConfig({ apiUrl: world.pcs.url, tokenUrl: world.pas.url }, {})
    const events = createEvents(createCaller({ config, runtime: systemMessagingRuntime }))()
    await expect(events.next()).rejects.toMatchObject({ code: 'messaging_not_configured' })
    expect(await events.next()).toEqual(DONE)
  })
})

test('50 loops share one listener on a signal, and leave none', async () => {
  const abort = new AbortController()
  const { events: open } = world.connect()
  const loops = Array.from({ length: 50 }, () => open({ signal: abort.signal }))
  const waiting = loops.map((events) => events.next())
  await untilTurned(() => world.pcs.active === 50)
  expect(getEventListeners(abort.signal, 'abort').length).toBe(1)
  await Promise.all(loops.slice(0, 25).map((events) => events.return(undefined)))
  await untilTurned(() => world.pcs.active === 25)
  abort.abort()
  expect((await Promise.allSettled(waiting)).filter(({ status }) => status === 'rejected').length).toBe(25)
  await untilTurned(() => world.pcs.active === 0)
  expect(getEventListeners(abort.signal, 'abort').length).toBe(0)
})

test('no timer is left, however a stream ends', async () => {
  const clock = createClock()
  const { events: open } = world.connect({}, clock)
  const events = open()
  await (await opened(events, 'a')).first
  // Recycling alone.
  expect(clock.timers).toBe(1)
  await events.return(undefined)
  expect(clock.timers).toBe(0)
  const refused = open()
  world.pcs.script = (stream) => stream.fail(7)
  await expect(refused.next()).rejects.toMatchObject({ code: 'permission_denied' })
  expect(clock.timers).toBe(0)
})
