import type { ServerHttp2Stream } from 'node:http2'
import { Worker } from 'node:worker_threads'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { MessagingOptions } from '../../../src/config/messaging-options.js'
import { type MessagingRuntime, systemMessagingRuntime } from '../../../src/messaging/lib/runtime.js'
import type { Messaging } from '../../../src/messaging/types/methods.js'
import { elapse } from '../../support/until.js'
import { call, connect, outcomeOf, startTokenEndpoint, type TokenEndpoint } from './hostile-client.js'
import { answerHttp, answerReset, answerStatus, answerWell, type RawServer, startRawServer } from './raw-server.js'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js'

/*
 * M10: a connection that broke while nobody looked. A send must not be spent on it, for then nobody knows what became of
 * the message.
 */

const HEALTH = '/grpc.health.v1.Health/Check'
let tokens: TokenEndpoint
let pcs: RawServer
let proxy: TcpProxy
let answerHealth: (stream: ServerHttp2Stream) => void
let clients: Messaging[]
let slept: number
beforeAll(async () => {
  tokens = await startTokenEndpoint()
})
beforeEach(async () => {
  clients = []
  slept = 0
  answerHealth = answerStatus(12, 'unknown service grpc.health.v1.Health')
  pcs = await startRawServer((stream, index) =>
    pathAt(index).endsWith(HEALTH) ? answerHealth(stream) : answerWell(stream),
  )
  proxy = await startTcpProxy(() => pcs.port)
})
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await proxy.close()
  await pcs.close()
})
afterAll(() => tokens.close())

const pathAt = (index: number): string => String(pcs.seen[index]?.[':path'])
const count = (end: string): number => pcs.seen.filter((_, index) => pathAt(index).endsWith(end)).length
const sends = (): number => count('/CreateSendRequest')

/** Its clocks can be put forward: by one, or by both. */
function client(url: string, options: MessagingOptions = {}, clock: 'both' | 'wall' = 'both'): Messaging {
  const runtime: Partial<MessagingRuntime> = {
    now: () => systemMessagingRuntime.now() + slept,
    monotonic: () => systemMessagingRuntime.monotonic() + (clock === 'both' ? slept : 0),
  }
  const made = connect(url, tokens.url, { deadlineMs: 120_000, ...options }, runtime)
  clients.push(made)
  return made
}

test('M10: a process that was frozen while its connection was reset still sends, exactly once', async () => {
  const flags = new Int32Array(new SharedArrayBuffer(8))
  const script = new URL('./reset-while-frozen.mjs', import.meta.url)
  const worker = new Worker(script, { workerData: { targetPort: pcs.port, flags } })
  const port = await new Promise((resolve) => worker.once('message', resolve))
  const messaging = client(`http://127.0.0.1:${port}`)
  try {
    for (let round = 1; round <= 6; round++) {
      await call(messaging, 'send')
      // Back in a callback of its own, as a timer's or a request's after the thaw.
      await elapse(5)
      Atomics.store(flags, 1, 0)
      Atomics.store(flags, 0, 1)
      Atomics.wait(flags, 1, 0)
      expect(await outcomeOf(call(messaging, 'send'))).toEqual({ outcome: 'ok' })
      expect(sends()).toBe(2 * round)
    }
  } finally {
    await worker.terminate()
  }
})

describe('M10: a connection that was idle for more than ten seconds', () => {
  test.each(['both', 'wall'] as const)(
    'and is dead is not trusted with a send: another one is made (%s clock)',
    async (clock) => {
      const messaging = client(proxy.url, {}, clock)
      await call(messaging, 'send')
      slept = 11_000
      proxy.mute()
      const all = Array.from({ length: 5 }, () => outcomeOf(call(messaging, 'send')))
      expect(await Promise.all(all)).toEqual(Array(5).fill({ outcome: 'ok' }))
      expect([sends(), pcs.accepted]).toEqual([6, 2])
    },
  )

  test('and is dead is not used by a send after one that was aborted during the check', async () => {
    const messaging = client(proxy.url)
    await call(messaging, 'send')
    slept = 11_000
    proxy.mute()
    const abort = new AbortController()
    const first = outcomeOf(call(messaging, 'send', { signal: abort.signal }))
    setTimeout(() => abort.abort(), 100)
    expect(await first).toMatchObject({ error: { name: 'AbortError' } })
    expect(await outcomeOf(call(messaging, 'send'))).toEqual({ outcome: 'ok' })
    expect([sends(), pcs.accepted]).toEqual([2, 2])
  })

  test('and is alive is used even if the process was blocked for longer than the check may take', async () => {
    const messaging = client(proxy.url)
    await call(messaging, 'send')
    slept = 11_000
    answerHealth = (stream) => {
      answerStatus(12, 'unknown service grpc.health.v1.Health')(stream)
      setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_500))
    }
    expect(await outcomeOf(call(messaging, 'send'))).toEqual({ outcome: 'ok' })
    expect([sends(), pcs.accepted]).toEqual([2, 1])
  })

  test('and is alive is used by a send that has no time to wait for the check', async () => {
    answerHealth = (stream) => void setTimeout(() => answerStatus(12, 'unknown')(stream), 300)
    const messaging = client(proxy.url)
    await call(messaging, 'send')
    slept = 11_000
    const hasty = call(messaging, 'send', { deadlineMs: 100 })
    expect(await outcomeOf(hasty)).toMatchObject({ outcome: 'deadline_exceeded' })
    expect(await outcomeOf(call(messaging, 'send'))).toEqual({ outcome: 'ok' })
    expect([sends(), pcs.accepted]).toEqual([2, 1])
  })

  test('leaves half of a short deadline to the send after the check', async () => {
    const messaging = client(proxy.url)
    await call(messaging, 'send')
    slept = 11_000
    proxy.mute()
    const send = messaging.send({ templateId: 't1', recipients: [{ ppnum: '12312345678' }] }, { deadlineMs: 10_000 })
    expect(await outcomeOf(send)).toEqual({ outcome: 'ok' })
  })

  test('and is dead, with no server for another one: nothing was sent', async () => {
    const messaging = client(proxy.url)
    await call(messaging, 'send')
    slept = 11_000
    proxy.mute()
    proxy.set('silent')
    const send = messaging.send({ templateId: 't1', recipients: [{ ppnum: '12312345678' }] }, { deadlineMs: 4_000 })
    const { outcome } = await outcomeOf(send)
    expect(['deadline_exceeded', 'messaging_unavailable']).toContain(outcome)
    expect(sends()).toBe(1)
  })

  test.each<[string, (stream: ServerHttp2Stream) => void]>([
    ['has no health service', answerStatus(12, 'unknown service grpc.health.v1.Health')],
    ['refuses it', answerStatus(7, 'not for you')],
    ['wants another token', answerStatus(16, 'who are you')],
    ['is busy', answerStatus(8, 'slow down', { 'retry-after': '60' })],
    ['answers by a page', answerHttp(404)],
    ['answers by an odd page', answerHttp(200)],
    ['answers with something else', answerWell],
    ['resets the call', answerReset(2)],
    ['refuses the stream', answerReset(7)],
  ])('and lives is used as it is, also where the server %s', async (_, answer) => {
    answerHealth = answer
    const messaging = client(proxy.url)
    await call(messaging, 'send')
    slept = 11_000
    const all = Array.from({ length: 5 }, () => outcomeOf(call(messaging, 'send')))
    expect(await Promise.all(all)).toEqual(Array(5).fill({ outcome: 'ok' }))
    expect(await outcomeOf(call(messaging, 'send'))).toEqual({ outcome: 'ok' })
    // Asked once for all of them; a refused stream is asked again by grpc-js itself.
    expect(count(HEALTH)).toBeGreaterThanOrEqual(1)
    expect(count(HEALTH)).toBeLessThanOrEqual(3)
    expect([sends(), pcs.accepted]).toEqual([7, 1])
  })

  test('is replaced if the server never answers the check, but answers sends', async () => {
    answerHealth = () => {}
    const messaging = client(proxy.url)
    await call(messaging, 'send')
    slept = 11_000
    expect(await outcomeOf(call(messaging, 'send'))).toEqual({ outcome: 'ok' })
    expect([sends(), pcs.accepted]).toEqual([2, 2])
  })

  test('is checked under the path of the API, with the token of the calls', async () => {
    const messaging = client(`${proxy.url}/ext`)
    await call(messaging, 'send')
    slept = 11_000
    await call(messaging, 'send')
    const asked = pcs.seen.find((headers) => headers[':path'] === `/ext${HEALTH}`)
    expect(asked?.['authorization']).toBe(pcs.seen[0]?.['authorization'])
  })

  test('is not checked before a read, which can be retried, nor while calls are answered on it', async () => {
    const messaging = client(proxy.url)
    await call(messaging, 'send')
    slept = 11_000
    await call(messaging, 'status')
    await call(messaging, 'send')
    expect(count(HEALTH)).toBe(0)
  })

  test('is closed with the client', async () => {
    answerHealth = () => void messaging.close()
    const messaging = client(proxy.url)
    await call(messaging, 'send')
    slept = 11_000
    expect(await outcomeOf(call(messaging, 'send'))).toMatchObject({ outcome: 'closed' })
    expect(sends()).toBe(1)
  })
})
