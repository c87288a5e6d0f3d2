import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { PpoppoError } from '../../../src/errors.js'
import { sendJson } from '../support/fake-token-endpoint.js'
import { createClock, untilTurned } from './support/clock.js'
import { type EventsWorld, startEventsWorld, take } from './support/world.js'

let world: EventsWorld
beforeEach(async () => {
  world = await startEventsWorld()
})
afterEach(() => world.close())

const DONE = { done: true, value: undefined }

/** The error in which reading ends. */
async function faultOf(reading: Promise<unknown>): Promise<PpoppoError> {
  return reading.then(
    () => {
      throw new Error('no fault')
    },
    (error: PpoppoError) => error,
  )
}

describe('failures that reopening cannot fix end the stream', () => {
  test.each([
    [3, 'request_invalid'],
    [5, 'not_found'],
    [6, 'messaging_response_invalid'],
    [7, 'permission_denied'],
    [9, 'precondition_failed'],
    [11, 'request_invalid'],
    [12, 'messaging_misconfigured'],
    [16, 'credentials_rejected'],
  ])('status %d: %s', async (grpcCode, code) => {
    world.pcs.script = (stream) => stream.fail(grpcCode, 'so it is')
    const events = world.connect().events({ sendRequestId: 'snd_7' })
    const error = await faultOf(events.next())
    expect(error).toMatchObject({ code, grpcCode, message: expect.stringMatching(/^events of snd_7: /) })
    expect(await events.next()).toEqual(DONE)
    expect(world.pcs.opened.length).toBe(code === 'credentials_rejected' ? 2 : 1)
  })

  test('a wrong path is reported as such until PCS has answered once', async () => {
    const { events: open } = world.connect({ apiUrl: `${world.pcs.url}/wrong` })
    expect(await faultOf(open().next())).toMatchObject({ message: expect.stringContaining('path of PCS_API_URL') })
    world.pcs.script = (stream) => (stream.index === 0 ? stream.send('a') : stream.fail(12))
    const { events } = world.connect()
    expect(await take(events(), 1)).toEqual(['a'])
    expect(await faultOf(events().next())).toMatchObject({ message: expect.stringContaining('no such method') })
  })

  test('events that arrived before it are handed out first', async () => {
    world.pcs.script = (stream) => {
      stream.send('a', 'b')
      setImmediate(() => stream.fail(7, 'suspended'))
    }
    const events = world.connect().events()
    expect(await take(events, 2)).toEqual(['a', 'b'])
    expect(await faultOf(events.next())).toMatchObject({ code: 'permission_denied' })
  })
})

describe('a cursor that PCS does not know', () => {
  test.each([5, 9, 11])('status %d: cursor_lost', async (grpcCode) => {
    world.pcs.script = (stream) => stream.fail(grpcCode, 'event is gone')
    const error = await faultOf(world.connect().events({ after: '01HQ' }).next())
    expect(error).toMatchObject({ code: 'cursor_lost', grpcCode, retryable: false })
    expect(error.message).toBe(
      `events: PCS cannot continue after event 01HQ: it does not know it (or no longer does) (gRPC status ${grpcCode}: event is gone). Start without "after" (a consumer: set "onCursorLost"), and look up with status() what was missed.`,
    )
    expect(world.pcs.opened.length).toBe(1)
  })

  test.each([5, 9, 11])('status %d with a send: either may be meant', async (grpcCode) => {
    world.pcs.script = (stream) => stream.fail(grpcCode)
    const error = await faultOf(world.connect().events({ after: '01HQ', sendRequestId: 'snd_7' }).next())
    expect(error).toMatchObject({
      code: 'cursor_lost',
      message: expect.stringContaining('it does not know it, or the send request snd_7 (or no longer does)'),
    })
  })

  test('when the stream is reopened later: cursor_lost', async () => {
    world.pcs.script = (stream) => {
      if (stream.index > 0) return stream.fail(11, 'gone')
      stream.send('a')
      stream.end()
    }
    const events = world.connect().events()
    expect(await take(events, 1)).toEqual(['a'])
    expect(await faultOf(events.next())).toMatchObject({ code: 'cursor_lost' })
  })
})

describe('an event that can never be read', () => {
  /** Field 15 of wire type 7, which is none. */
  const POISON = Buffer.from([0x7f])

  test.each([
    ['bytes that are no message', (): Buffer => POISON, 13],
    ['a message above 16 MiB', (): Buffer => Buffer.alloc(17 * 1024 * 1024), 8],
  ] as const)('%s: cursor_lost after five', async (_what, poison, grpcCode) => {
    world.pcs.script = (stream) => {
      if (stream.index === 0) stream.send('a', 'b')
      stream.send(poison())
    }
    const events = world.connect().events()
    expect(await take(events, 2)).toEqual(['a', 'b'])
    const error = await faultOf(events.next())
    expect(error).toMatchObject({ code: 'cursor_lost', grpcCode, message: expect.stringContaining('after event b') })
    expect(world.pcs.opened.slice(1).map(({ request }) => request.after_event_id)).toEqual(['b', 'b', 'b', 'b'])
  })

  test.each([
    ['bytes that are no message', (): Buffer => POISON],
    ['a message above 16 MiB', (): Buffer => Buffer.alloc(17 * 1024 * 1024)],
  ] as const)('%s, and no cursor: messaging_response_invalid after five', async (_what, poison) => {
    world.pcs.script = (stream) => stream.send(poison())
    expect(await faultOf(world.connect().events().next())).toMatchObject({ code: 'messaging_response_invalid' })
    expect(world.pcs.opened.length).toBe(5)
  })

  test.each([2, 15])('status %d alike', async (code) => {
    world.pcs.script = (stream) => stream.fail(code, 'a bug')
    expect(await faultOf(world.connect().events({ after: 'a' }).next())).toMatchObject({ code: 'cursor_lost' })
    expect(await faultOf(world.connect().events().next())).toMatchObject({ code: 'messaging_response_invalid' })
    expect(world.pcs.opened.length).toBe(10)
  })
})

describe('temporary failures do not end the stream', () => {
  test.each([1, 4, 10, 13, 14])('status %d, thirty times', async (code) => {
    world.pcs.script = (stream) => (stream.index < 30 ? stream.fail(code, 'not now') : stream.send('a'))
    const events = world.connect().events()
    expect(await take(events, 1)).toEqual(['a'])
    expect(world.pcs.opened.length).toBe(31)
    await events.return(undefined)
  })

  test('RESOURCE_EXHAUSTED is waited out for as long as PCS asks, or with long pauses', async () => {
    const clock = createClock(0)
    world.pcs.script = (stream) => {
      if (stream.index === 0) stream.fail(8, 'slow down', { 'retry-after-ms': '1500' })
      else if (stream.index < 4) stream.fail(8, 'quota')
      else stream.send('a')
    }
    const events = world.connect({}, clock).events()
    const first = take(events, 1)
    const openedAt: number[] = []
    await untilTurned(
      () => world.pcs.opened.length === 5,
      () => {
        while (openedAt.length < world.pcs.opened.length) openedAt.push(clock.now())
        // The stale timer and the pause: nothing else is under way.
        if (world.pcs.active === 0 && clock.timers > 0) clock.advance(50)
      },
    )
    openedAt.push(clock.now())
    const gaps = openedAt.slice(1).map((at, index) => at - (openedAt[index] ?? 0))
    for (const [index, expected] of [1_500, 10_000, 20_000, 40_000].entries()) {
      expect(gaps[index]).toBeGreaterThanOrEqual(expected)
      expect(gaps[index]).toBeLessThan(expected + 1_000)
    }
    expect(await first).toEqual(['a'])
    await events.return(undefined)
  })
})

describe('tokens', () => {
  test('a token that is refused is replaced at once, and so is one that expires later', async () => {
    world.pcs.script = (stream) => {
      if (stream.index === 0) stream.fail(16, 'expired')
      else stream.send(`e${stream.index}`)
    }
    const events = world.connect().events()
    for (const index of [1, 2, 3]) {
      expect(await take(events, 1)).toEqual([`e${index}`])
      world.pcs.opened[index]?.fail(16, 'expired')
    }
    const tokens = world.pcs.opened.map(({ token }) => token)
    expect(new Set(tokens).size).toBe(tokens.length)
    await events.return(undefined)
  })

  test('PAS that is away does not end the stream', async () => {
    const clock = createClock(0)
    world.pas.answer = (response, count) => {
      if (count < 5) return sendJson(response, 503, {})
      world.pas.answer = undefined
      sendJson(response, 200, { access_token: 'tok_x', token_type: 'Bearer', expires_in: 3_600 })
    }
    world.pcs.script = (stream) => stream.send('a')
    const events = world.connect({}, clock).events()
    const first = take(events, 1)
    await untilTurned(
      () => world.pcs.opened.length === 1,
      () => clock.advance(100),
    )
    expect(await first).toEqual(['a'])
    expect(world.pas.requests.length).toBe(5)
    await events.return(undefined)
  })

  test('PAS that refuses the client ends the stream', async () => {
    world.pas.answer = (response) => sendJson(response, 401, { error: 'invalid_client' })
    const error = await faultOf(world.connect().events().next())
    expect(error).toMatchObject({ code: 'credentials_rejected' })
    expect(world.pas.requests.length).toBe(1)
  })

  test('are in no error, even if a server echoes them', async () => {
    const errors: (Error | undefined)[] = []
    world.pcs.script = (stream) => {
      const said = `what is "${stream.token}" or Bearer ${stream.token}`
      if (stream.index < 3) stream.fail(14, said)
      else stream.fail(3, said, { leak: stream.token })
    }
    const events = world.connect().events({ onDisconnected: ({ error }) => errors.push(error) })
    errors.push(await faultOf(events.next()))
    expect(errors.length).toBe(5)
    for (const error of errors) {
      expect(`${error?.stack}${JSON.stringify(error)}${error?.cause}`).not.toContain('tok_')
    }
  })
})
