import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { answerHeaders, answerHttp, answerReset, type Script, startRawServer } from '../hostile/raw-server.js'
import { startTcpProxy, type TcpProxy } from '../hostile/tcp-proxy.js'
import { untilTurned } from './support/clock.js'
import { type EventsWorld, startEventsWorld, take } from './support/world.js'

let world: EventsWorld
let proxy: TcpProxy
beforeEach(async () => {
  world = await startEventsWorld()
  proxy = await startTcpProxy(() => world.pcs.port)
  world.pcs.script = (stream) => stream.send(`e${stream.index}`)
})
afterEach(async () => {
  await world.close()
  await proxy.close()
})

const keepalive = { timeMs: 500, timeoutMs: 3_000 }

test('a silently dead connection is detected by pings, and the stream continues', async () => {
  const reasons: unknown[] = []
  const { events: open } = world.connect({ apiUrl: proxy.url, keepalive })
  const events = open({ onDisconnected: ({ reason, error }) => reasons.push([reason, error]) })
  expect(await take(events, 1)).toEqual(['e0'])
  proxy.set('blackhole')
  const next = take(events, 1)
  await untilTurned(() => reasons.length === 1)
  expect(reasons).toEqual([['failed', expect.objectContaining({ code: 'messaging_unavailable', grpcCode: 14 })]])
  proxy.set('pass')
  expect(await next).toEqual(['e1'])
  expect(world.pcs.opened[1]?.request.after_event_id).toBe('e0')
  await events.return(undefined)
})

test('the watchdog gives up a peer that accepts and stays silent, and the stream is reopened', async () => {
  proxy.set('silent')
  const stale: unknown[] = []
  const { events: open } = world.connect({ apiUrl: proxy.url }, { connectWatchdogMs: 1_500 })
  const events = open({ staleAfterMs: 50, onStale: (state) => stale.push(state) })
  const next = take(events, 1)
  await untilTurned(() => proxy.accepted >= 3)
  expect(stale.length).toBe(1)
  proxy.set('pass')
  expect(await next).toEqual(['e0'])
  await events.return(undefined)
})

test('connections that are reset repeatedly lose no event', async () => {
  const { events: open } = world.connect({ apiUrl: proxy.url })
  const events = open()
  for (let index = 0; index < 10; index += 1) {
    expect(await take(events, 1)).toEqual([`e${index}`])
    proxy.set('reset')
    proxy.set('pass')
  }
  await events.return(undefined)
})

describe('a server that speaks no gRPC, or only half of it', () => {
  const goaway: Script = (stream) => {
    stream.session?.goaway(0)
    stream.session?.destroy()
  }
  test.each<readonly [string, Script]>([
    ['RST_STREAM 2', answerReset(2)],
    ['RST_STREAM REFUSED', answerReset(7)],
    ['RST_STREAM CANCEL', answerReset(8)],
    ['GOAWAY', goaway],
    [
      'headers and nothing more',
      (stream) => {
        answerHeaders(stream)
        stream.end()
      },
    ],
    ['HTTP 500', answerHttp(500)],
    ['HTTP 502', answerHttp(502)],
    ['HTTP 503', answerHttp(503)],
    ['HTTP 429', answerHttp(429)],
  ])('%s: the stream is reopened, and a page never counts as a connection', async (what, script) => {
    const told: string[] = []
    const raw = await startRawServer(script)
    const { events: open } = world.connect({ apiUrl: raw.url })
    const events = open({ onConnected: () => told.push('connected') })
    const next = events.next()
    await untilTurned(() => raw.seen.length > 8)
    expect(told).toEqual(what === 'headers and nothing more' ? ['connected'] : [])
    await events.return(undefined)
    await next
    await raw.close()
  })

  test('an event counts as a connection, whatever a gateway made of the headers', async () => {
    const told: string[] = []
    const raw = await startRawServer((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/octet-stream' })
      // SendRequestEvent { event_id: 'a' }
      stream.write(Buffer.from('0000000003' + '0a0161', 'hex'))
    })
    const events = world.connect({ apiUrl: raw.url }).events({ onConnected: () => told.push('connected') })
    expect(await take(events, 1)).toEqual(['a'])
    expect(told).toEqual(['connected'])
    await events.return(undefined)
    await raw.close()
  })

  test.each([
    [400, 5],
    // Once more, with another token.
    [401, 6],
    [403, 5],
    [404, 5],
    [418, 5],
  ])('HTTP %d ends the stream as a wrong URL if nothing else has ever answered', async (status, seen) => {
    const raw = await startRawServer(answerHttp(status))
    const events = world.connect({ apiUrl: raw.url }).events({ after: '01HQ' })
    await expect(events.next()).rejects.toMatchObject({ code: 'messaging_misconfigured' })
    expect(raw.seen.length).toBe(seen)
    await raw.close()
  })
})
