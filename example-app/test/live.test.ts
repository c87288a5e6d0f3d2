import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { until } from '../../test/support/until.js'
import {
  acceptedSend,
  accountOf,
  deliveries,
  eventIds,
  eventOf,
  lastId,
  type OpenStream,
  openStream,
} from './live-support.js'
import { type Browser, startWorld, type World } from './support.js'

const [ANN, BEN, CAL] = ['12300000001', '12300000002', '12300000003'] as const
const SIGNED_IN_CHECK_MS = 50

let world: World
let browser: Browser
let accountId: number
const open: OpenStream[] = []
beforeAll(async () => {
  world = await startWorld({ times: { pollMs: 20, heartbeatMs: SIGNED_IN_CHECK_MS } })
})
beforeEach(async () => {
  browser = world.browser()
  await browser.signIn()
  accountId = await accountOf(browser)
})
afterEach(() => {
  for (const stream of open.splice(0)) stream.close()
  expect(world.errors.splice(0)).toEqual([])
})
afterAll(() => world.close())

async function connect(path: string, headers?: Record<string, string>, who = browser): Promise<OpenStream> {
  const stream = await openStream(world, who, path, headers)
  open.push(stream)
  return stream
}

/** As the handler of this instance's consumer does. */
function tell(...events: readonly ReturnType<typeof eventOf>[]): readonly string[] {
  for (const event of events) world.store.events.store(event)
  world.feed.nudge()
  return events.map(({ eventId }) => eventId)
}

describe('a page’s connection', () => {
  test('is an event stream that nothing on the way may keep, change or hold back', async () => {
    const { answer, text, until } = await connect('/messages/events')
    expect(answer.statusCode).toBe(200)
    expect(answer.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    })
    expect(answer.headers['content-length']).toBeUndefined()
    await until((received) => received.length > 1)
    expect(text()).toMatch(/^retry: 1000\n\n: still here\nid: \d+\n\n/)
    expect(text()).toMatch(/\n: still here\nid: \d+\n\n/)
  })

  test('that is far behind hears how everything stands now, and no look at the table is a long one', async () => {
    const { id, requestId } = acceptedSend(world.store, accountId, [ANN, BEN])
    tell(eventOf(requestId, 'recipient_delivered', ANN))
    const insert = world.database.prepare(
      `INSERT INTO delivery_events (event_id, send_request_id, type, occurred_at, stored_at) VALUES (?, 'snd_of_others', 'request_completed', '2026-01-01', '2026-01-01')`,
    )
    const fill = world.database.transaction((count: number) => {
      for (let index = 0; index < count; index += 1) insert.run(`${requestId}-${count}-${index}`)
    })
    const spans: number[] = []
    const read = world.store.events.read
    Object.assign(world.store.events, {
      read: (query: Parameters<typeof read>[0]) => {
        spans.push(query.upTo - query.after)
        return read(query)
      },
    })
    try {
      fill(12_000)
      const stream = await connect(`/messages/${id}/events?after=0`)
      await stream.until((received) => received.some(({ event }) => event === 'recipients'))
      expect(spans).toEqual([])
      expect(stream.received.find(({ event }) => event === 'recipients')?.data?.['recipients']).toMatchObject([
        { ppnum: ANN, state: 'delivered' },
      ])
      // From here on event by event, also where others have many in between.
      fill(5_000)
      const [eventId] = tell(eventOf(requestId, 'recipient_delivered', BEN))
      await stream.until(() => eventIds(stream).includes(eventId))
      expect(eventIds(stream)).toEqual([eventId])
      expect(spans.length).toBeGreaterThanOrEqual(6)
      expect(Math.max(...spans)).toBeLessThanOrEqual(1_000)
    } finally {
      Object.assign(world.store.events, { read })
    }
  })

  test('brings each event with its place, after the counts it changes, in words', async () => {
    const { id, requestId } = acceptedSend(world.store, accountId, [ANN, BEN])
    const stream = await connect(`/messages/${id}/events`)
    const [first = ''] = tell(eventOf(requestId, 'recipient_pending_consent', BEN))
    await stream.until(() => deliveries(stream).length === 1)
    const [progress, delivery] = stream.received.filter(({ event }) => event !== undefined).slice(-2)
    expect(progress).toMatchObject({ event: 'progress', data: { send: id } })
    expect(progress?.id).toBeUndefined()
    expect(String(progress?.data?.['html'])).toContain('Waiting for consent')
    expect(delivery).toMatchObject({
      id: String(world.store.events.place()),
      event: 'delivery',
      data: {
        send: id,
        eventId: first,
        type: 'recipient_pending_consent',
        recipient: {
          ppnum: BEN,
          shown: '123-0000-0002',
          state: 'pending',
          words: expect.stringContaining('which can take about a day'),
        },
      },
    })
    tell(eventOf(requestId, 'recipient_failed', ANN, 'a\nb <i>"'), eventOf(requestId, 'consent_denied', BEN))
    await stream.until(() => deliveries(stream).length === 3)
    expect(deliveries(stream).map(({ data }) => Object(data?.['recipient']).words)).toEqual([
      expect.stringContaining('Waiting'),
      'Could not be delivered.',
      'Declined. Reach them another way.',
    ])
  })

  test('goes on after the last event a browser saw, without a gap and without one twice', async () => {
    const { requestId } = acceptedSend(world.store, accountId, [ANN, BEN, CAL])
    const stream = await connect('/messages/events')
    const told: string[] = []
    const more = (count: number) => {
      const ppnums = Array.from({ length: count }, (_, i) => String(12_310_000_000 + i))
      told.push(...tell(...ppnums.map((ppnum) => eventOf(requestId, 'recipient_delivered', ppnum))))
    }
    more(3)
    await stream.until(() => deliveries(stream).length === 3)
    stream.close()
    more(500) // nobody is there, and it is more than one batch
    const second = await connect('/messages/events?after=0', { 'Last-Event-ID': lastId(stream) })
    more(2)
    await second.until(() => deliveries(second).length === 502)
    second.close()
    const third = await connect(`/messages/events?after=${lastId(second)}`)
    more(1)
    await third.until(() => deliveries(third).length === 1)
    expect([stream, second, third].flatMap(eventIds)).toEqual(told)
  })

  test('misses nothing between the moment its page was made and now', async () => {
    const { id, requestId } = acceptedSend(world.store, accountId, [ANN])
    const { text } = await browser.get(`/messages/${id}`).expect(200)
    const [, path, place] = /data-stream="([^"]+)" data-place="(\d+)"/.exec(text) ?? []
    const told = tell(eventOf(requestId, 'recipient_delivered', ANN))
    const stream = await connect(`${path}?after=${place}`)
    await stream.until(() => deliveries(stream).length > 0)
    expect(eventIds(stream)).toEqual(told)
  })

  test.each(['', 'abc', '-1', '1.5', '9'.repeat(15), '9'.repeat(400), '1e3', '0x10', '00; DROP TABLE'])(
    'that starts at an unknown position (%#) gets the current state, and then what happens',
    async (place) => {
      const { id, requestId } = acceptedSend(world.store, accountId, [ANN, BEN])
      tell(eventOf(requestId, 'recipient_delivered', ANN))
      for (const path of [`/messages/${id}/events`, '/messages/events']) {
        const stream = await connect(path, { 'Last-Event-ID': place })
        expect(stream.answer.statusCode).toBe(200)
        await stream.until((received) => received.some(({ data }) => data?.['send'] === id))
        if (path !== '/messages/events') {
          await stream.until((received) => received.some(({ event }) => event === 'recipients'))
          expect(stream.received.find(({ event }) => event === 'recipients')?.data).toMatchObject({
            recipients: [{ ppnum: ANN, state: 'delivered', words: 'Delivered.' }],
          })
        }
        expect(deliveries(stream)).toEqual([])
        const told = tell(eventOf(requestId, 'recipient_delivered', BEN))
        await stream.until(() => deliveries(stream).length > 0)
        expect(eventIds(stream)).toEqual(told)
        stream.close()
      }
    },
  )

  test('reports only the person’s own sends, and only one send if it is for one', async () => {
    world.sandbox.control.set({ autoSignIn: 'mina' })
    const mina = world.browser()
    await mina.signIn().finally(() => world.sandbox.control.set({ autoSignIn: 'alex' }))
    const mine = [acceptedSend(world.store, accountId, [ANN]), acceptedSend(world.store, accountId, [ANN])] as const
    const hers = acceptedSend(world.store, await accountOf(mina), [ANN])
    const all = await connect('/messages/events')
    const one = await connect(`/messages/${mine[1].id}/events`)
    const her = await connect('/messages/events', {}, mina)
    const told = tell(
      eventOf('snd_of_nobody', 'recipient_delivered', ANN),
      ...[mine[0], hers, mine[1]].map(({ requestId }) => eventOf(requestId, 'recipient_delivered', ANN)),
    )
    await all.until(() => deliveries(all).length === 2)
    await one.until(() => deliveries(one).length === 1)
    await her.until(() => deliveries(her).length === 1)
    expect([all, one, her].map(eventIds)).toEqual([[told[1], told[3]], [told[3]], [told[2]]])
    expect((await connect(`/messages/${hers.id}/events`)).answer.statusCode).toBe(404)
    expect((await connect('/messages/999999/events')).answer.statusCode).toBe(404)
  })

  test('needs a sign-in, and ends when that has ended', async () => {
    expect((await connect('/messages/events', {}, world.browser())).answer.statusCode).toBe(401)
    const other = world.browser()
    await other.signIn()
    const streams = [await connect('/messages/events'), await connect('/messages/events', {}, other)] as const
    const { requestId } = acceptedSend(world.store, accountId, [ANN])
    await browser.post('/auth/logout').expect(303)
    await streams[0].ended
    tell(eventOf(requestId, 'recipient_delivered', ANN))
    await streams[1].until(() => deliveries(streams[1]).length === 1)
    expect(deliveries(streams[0])).toEqual([])
    await other.post('/sign-ins/end-all').expect(303)
    await streams[1].ended
  })

  test('answers HEAD without beginning one', async () => {
    const head = await fetch(`${world.url}/messages/events`, { method: 'HEAD', headers: { Cookie: browser.cookies() } })
    expect(head.status).toBe(200)
    expect(head.headers.get('content-type')).toContain('text/event-stream')
  })
})

describe('too many', () => {
  test('connections of one person are limited to 20: more get 429 with Retry-After until one is closed', async () => {
    for (let i = 0; i < 20; i += 1) expect((await connect('/messages/events')).answer.statusCode).toBe(200)
    const { answer } = await connect('/messages/events')
    expect(answer.statusCode).toBe(429)
    expect(answer.headers['retry-after']).toBe('30')
    open[0]?.close()
    await until(async () => (await connect('/messages/events')).answer.statusCode === 200)
  })

  test('events for a reader that does not read: it is dropped, and finds all when it comes back', async () => {
    const ppnums = Array.from({ length: 800 }, (_, i) => String(12_310_000_000 + i))
    const { requestId } = acceptedSend(world.store, accountId, ppnums)
    const before = world.feed.size
    const stream = await connect('/messages/events')
    stream.answer.pause()
    // More than all the buffers of two sockets take.
    const long = '0'.repeat(15_000)
    const told = tell(...ppnums.map((ppnum) => eventOf(requestId, 'recipient_failed', ppnum + long)))
    await until(() => world.feed.size <= before)
    stream.answer.resume()
    await stream.ended
    expect(deliveries(stream).length).toBeLessThan(told.length)
    // As a browser does; with heartbeats this fast it may be found too slow once more.
    const seen = [...eventIds(stream)]
    for (let last = lastId(stream); seen.at(-1) !== told.at(-1); ) {
      const again = await connect('/messages/events', { 'Last-Event-ID': last })
      await again.until(() => eventIds(again).at(-1) === told.at(-1)).catch(() => {})
      again.close()
      seen.push(...eventIds(again))
      last = lastId(again) || last
    }
    expect(seen).toEqual(told)
  })
})
