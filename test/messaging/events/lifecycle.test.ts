import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { StreamCallbacks } from '../../../src/messaging/types/events.js'
import { stays, until } from '../../support/until.js'
import { type Clock, createClock, untilTurned } from './support/clock.js'
import { type EventsWorld, startEventsWorld, take } from './support/world.js'

let world: EventsWorld
let clock: Clock
let told: [string, object][]
beforeEach(async () => {
  world = await startEventsWorld()
  clock = createClock(0)
  told = []
})
afterEach(() => world.close())

const note =
  (name: string) =>
  (state: object): void => {
    told.push([name, state])
  }
const callbacks: StreamCallbacks = {
  onConnected: note('connected'),
  onDisconnected: note('disconnected'),
  onResumed: note('resumed'),
  onStale: note('stale'),
}
const names = (): string[] => told.map(([name]) => name)
/** Waits for so many calls of callbacks. */
const tellings = (count: number): Promise<void> => untilTurned(() => told.length >= count)

test('connected, disconnected with a reason, resumed: each event has the position of the stream', async () => {
  const events = world.connect({}, clock).events({ ...callbacks, after: '01HQ' })
  const read = take(events, 3)
  const first = await world.pcs.stream(0)
  await tellings(1)
  first.send('a')
  await untilTurned(() => world.pcs.opened[0]?.written === 1)
  first.end()
  const second = await world.pcs.stream(1)
  await tellings(3)
  second.send('b')
  second.fail(14, 'going away')
  await tellings(4)
  const third = await world.pcs.stream(2)
  await tellings(5)
  clock.advance(600_000)
  await third.cancelled
  const fourth = await world.pcs.stream(3)
  await tellings(7)
  fourth.send('b', 'c')
  expect(await read).toEqual(['a', 'b', 'c'])
  expect(told.slice(0, 3)).toEqual([
    ['connected', { after: '01HQ' }],
    ['disconnected', { reason: 'ended', after: 'a' }],
    ['resumed', { after: 'a', downMs: 0 }],
  ])
  expect(told[3]).toEqual([
    'disconnected',
    {
      reason: 'failed',
      after: expect.any(String),
      error: expect.objectContaining({ code: 'messaging_unavailable', grpcCode: 14 }),
    },
  ])
  expect(told.slice(4).map(([name, { reason }]: [string, { reason?: string }]) => [name, reason])).toEqual([
    ['resumed', undefined],
    ['disconnected', 'recycled'],
    ['resumed', undefined],
  ])
  await events.return(undefined)
  expect(told.length).toBe(7)
})

test('without a cursor there is no position', async () => {
  const events = world.connect({}, clock).events(callbacks)
  const next = events.next()
  ;(await world.pcs.stream(0)).end()
  await tellings(2)
  expect(told.slice(0, 2)).toEqual([
    ['connected', {}],
    ['disconnected', { reason: 'ended' }],
  ])
  await events.return(undefined)
  await next
})

describe('stale', () => {
  test('is reported once for each outage, with its reason and duration', async () => {
    const events = world.connect({}, clock).events({ ...callbacks, staleAfterMs: 5_000 })
    const next = take(events, 1)
    const first = await world.pcs.stream(0)
    await tellings(1)
    world.pcs.script = (stream) => stream.fail(8, 'quota')
    first.fail(14, 'going away')
    await untilTurned(
      () => world.pcs.opened.length === 5,
      () => clock.advance(100),
    )
    // A stream that fails has headers here, so that it connects, and is gone.
    world.pcs.script = (stream) => stream.send('a')
    await untilTurned(
      () => world.pcs.opened.length === 6,
      () => clock.advance(100),
    )
    expect(await next).toEqual(['a'])
    expect(names().filter((name) => name === 'stale').length).toBeGreaterThan(0)
    const stale = told.findIndex(([name]) => name === 'stale')
    expect(told[stale]).toEqual([
      'stale',
      { downMs: 5_000, error: expect.objectContaining({ code: 'quota_exceeded', grpcCode: 8 }) },
    ])
    // Never two without a connection in between.
    expect(names().join(' ')).not.toMatch(/stale stale/)
    await events.return(undefined)
  })

  test('is also reported before the first connection, once, and not after the end', async () => {
    world.pas.answer = (response) => response.writeHead(503).end()
    const events = world.connect({}, clock).events(callbacks)
    const next = events.next()
    await untilTurned(
      () => told.length > 0,
      () => clock.advance(100),
    )
    const stale = ['stale', { downMs: 30_000, error: expect.objectContaining({ code: 'messaging_unavailable' }) }]
    expect(told).toEqual([stale])
    await untilTurned(
      () => world.pas.requests.length > 20,
      () => clock.advance(1_000),
    )
    expect(told).toEqual([stale])
    await events.return(undefined)
    await next
    await until(() => clock.timers === 0, 'the token request in flight is answered')
    clock.advance(100_000)
    expect(told).toEqual([stale])
    expect(clock.timers).toBe(0)
  })

  test('is reported once for each of two outages, however many attempts there were', async () => {
    // Its failures come without headers, so that nothing connects in between.
    const holding = await startEventsWorld({ holdsHeaders: true })
    let isAway = true
    holding.pcs.script = (stream) => (isAway ? stream.fail(14, 'away') : stream.send(`e${stream.index}`))
    const events = holding.connect({}, { ...clock, random: () => 0.999 }).events(callbacks)
    const first = take(events, 1)
    const pass = (): void => clock.advance(500)
    await untilTurned(() => holding.pcs.opened.length > 20, pass)
    expect(names()).toEqual(['stale'])
    isAway = false
    await untilTurned(() => told.length === 2, pass)
    await first
    isAway = true
    holding.pcs.opened.at(-1)?.fail(14, 'away')
    const second = take(events, 1)
    const before = holding.pcs.opened.length
    await untilTurned(() => holding.pcs.opened.length > before + 20, pass)
    isAway = false
    await untilTurned(() => told.length === 5, pass)
    await second
    expect(names()).toEqual(['stale', 'connected', 'disconnected', 'stale', 'resumed'])
    await events.return(undefined)
    await holding.close()
  })

  test('is not reported for a slow reader', async () => {
    const events = world.connect({}, clock).events(callbacks)
    const first = take(events, 1)
    const stream = await world.pcs.stream(0)
    stream.send('a')
    await first
    stream.end()
    await tellings(2)
    clock.advance(60_000)
    // How long it lasted does not depend on what the wall clock shows.
    clock.set(-3_600_000)
    expect(names()).toEqual(['connected', 'disconnected'])
    world.pcs.script = (served) => served.send('b')
    await take(events, 1)
    expect(told[2]).toEqual(['resumed', { after: 'a', downMs: 60_000 }])
    await events.return(undefined)
  })
})

describe('callbacks that fail break nothing', () => {
  test.each([
    [
      'throw',
      (): never => {
        throw new Error('log is full')
      },
    ],
    ['reject', async (): Promise<never> => Promise.reject(new Error('log is away'))],
  ] as const)('%s', async (_what, fail) => {
    const unhandled: unknown[] = []
    const onUnhandled = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', onUnhandled)
    world.pcs.script = (stream) => {
      if (stream.index < 3) stream.end()
      else stream.send('a')
    }
    const failing = { onConnected: fail, onDisconnected: fail, onResumed: fail, onStale: fail }
    const events = world.connect().events({ ...failing, staleAfterMs: 1 })
    expect(await take(events, 1)).toEqual(['a'])
    await events.return(undefined)
    await stays(() => unhandled.length === 0, 'nothing is unhandled', 5)
    process.off('unhandledRejection', onUnhandled)
  })

  test.each(['onConnected', 'onDisconnected', 'onResumed'] as const)('also when %s ends the loop', async (name) => {
    world.pcs.script = (stream) => stream.end()
    const { events: open } = world.connect()
    const events = open({ [name]: () => void events.return(undefined) })
    expect(await events.next()).toEqual({ done: true, value: undefined })
    await untilTurned(() => world.pcs.active === 0)
  })
})

describe('a server that holds its headers back', () => {
  test('counts as connected after 5 s on a channel that is ready', async () => {
    const holding = await startEventsWorld({ holdsHeaders: true })
    const { caller, events: open } = holding.connect({}, clock)
    const events = open(callbacks)
    const next = take(events, 1)
    await holding.pcs.stream(0)
    await untilTurned(() => caller.channel().state() === 'ready')
    clock.advance(4_999)
    expect(told).toEqual([])
    clock.advance(1)
    expect(names()).toEqual(['connected'])
    clock.advance(60_000)
    holding.pcs.opened[0]?.send('a')
    expect(await next).toEqual(['a'])
    expect(names()).toEqual(['connected'])
    await events.return(undefined)
    await holding.close()
  })

  test('leaves no timer when it is left before they come', async () => {
    const holding = await startEventsWorld({ holdsHeaders: true })
    const events = holding.connect({}, clock).events(callbacks)
    const next = events.next()
    const stream = await holding.pcs.stream(0)
    // Recycling, the look at the channel, and how long there is no connection.
    expect(clock.timers).toBe(3)
    await events.return(undefined)
    await next
    expect(clock.timers).toBe(0)
    await stream.cancelled
    await holding.close()
  })

  test('counts as connected with its first event', async () => {
    const holding = await startEventsWorld({ holdsHeaders: true })
    holding.pcs.script = (stream) => stream.send('a')
    const events = holding.connect({}, clock).events(callbacks)
    expect(await take(events, 1)).toEqual(['a'])
    expect(names()).toEqual(['connected'])
    await events.return(undefined)
    await holding.close()
  })
})
