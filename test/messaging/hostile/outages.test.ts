import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Messaging, SendManyProgress } from '../../../src/messaging/types/methods.js'
import { timed } from '../../support/clock.js'
import { elapse, until } from '../../support/until.js'
import { ppnumAt, watchedSource } from '../send-many/recording-send.js'
import { type FakePcs, startFakePcs } from '../support/fake-pcs.js'
import { connect, outcomeOf, startTokenEndpoint, type TokenEndpoint } from './hostile-client.js'
import { answerHttp, answerWell, startRawServer } from './raw-server.js'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js'

/*
 * PCS is away for a while: what surely was not sent is sent once it is back, and nothing is sent twice. The times are
 * those of an outage, not of a test: what is waited for is a condition.
 */

const REQUEST = { templateId: 't1', recipients: [{ ppnum: '12312345678' }] } as const
let tokens: TokenEndpoint
let pcs: FakePcs
let proxy: TcpProxy
const clients: Messaging[] = []
beforeAll(async () => {
  tokens = await startTokenEndpoint()
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  await proxy?.close().catch(() => {})
  pcs?.close()
})
afterAll(() => tokens.close())

/** A client of a PCS behind a proxy that can cut it off: nobody is there for new connections, and old ones are reset. */
async function world(options = {}) {
  pcs = await startFakePcs()
  pcs.answer = () => ({ ok: { id: 'snd_1', status: 'QUEUED', total_recipients: 1 } })
  const { port } = new URL(pcs.url)
  proxy = await startTcpProxy(() => Number(port))
  const client = connect(proxy.url, tokens.url, { deadlineMs: 120_000, ...options }, { random: Math.random })
  clients.push(client)
  return client
}

const sends = () => pcs.calls.filter(({ method }) => method === 'CreateSendRequest')
const sentTo = (): string[] =>
  sends().flatMap(({ request }) => (request['recipients'] as { ppnum: string }[]).map(({ ppnum }) => ppnum))
/** Cuts PCS off, and sees to it that the client has noticed. */
async function cutOff(client: Messaging): Promise<void> {
  proxy.set('reset')
  await outcomeOf(client.status('s1', { deadlineMs: 200 }))
}

describe('PCS away for a while', () => {
  test('single sends wait for it until their deadline, and each is sent once', async () => {
    const client = await world()
    await client.send(REQUEST)
    await cutOff(client)
    const sending = Promise.all(Array.from({ length: 5 }, () => outcomeOf(client.send(REQUEST))))
    await elapse(1_500)
    proxy.set('pass')
    expect((await sending).map(({ outcome }) => outcome)).toEqual(Array(5).fill('ok'))
    expect(sends().length).toBe(6)
  })

  test('is reached again within 3 s of its return, also after a long outage', async () => {
    const client = await world()
    await client.send(REQUEST)
    await cutOff(client)
    const sending = outcomeOf(client.send(REQUEST))
    // Pauses between connections have grown to their longest by then.
    const before = proxy.accepted
    await until(() => proxy.accepted >= before + 7)
    proxy.set('pass')
    const { result, tookMs } = await timed(() => sending)
    expect(result).toMatchObject({ outcome: 'ok' })
    expect(tookMs).toBeLessThan(3_000)
  })

  test('a run pauses, reports it once, resumes, and sends to everybody once', async () => {
    const client = await world()
    const paused: NonNullable<SendManyProgress['paused']>[] = []
    let ended = 0
    const report = await client.sendMany({
      templateId: 't1',
      recipients: watchedSource(400),
      chunkSize: 10,
      concurrency: 4,
      onProgress: (progress) => {
        if (progress.paused) paused.push(progress.paused)
        else ended += 1
        if (ended === 8 && !progress.paused) {
          proxy.set('reset')
          setTimeout(() => proxy.set('pass'), 1_500)
        }
      },
    })
    expect(report.stoppedBy).toBeUndefined()
    // Those that were under way when the connection broke may be in doubt; nobody else is.
    expect(report).toMatchObject({ rejected: 0, notSent: 0, resumeFrom: 40, skipChunks: [] })
    expect(report.unknown).toBeLessThanOrEqual(40)
    expect(report.accepted + report.unknown).toBe(400)
    expect(new Set(sentTo()).size).toBe(sentTo().length)
    expect(paused[0]?.error).toMatchObject({ code: 'messaging_unavailable' })
    expect([paused[0]?.since instanceof Date, paused.length <= 2]).toEqual([true, true])
  })

  test('a run that gives up says why; the next one resumes where it stopped', async () => {
    const client = await world()
    const request = { templateId: 't1', chunkSize: 10, concurrency: 2 } as const
    const first = await client.sendMany({
      ...request,
      recipients: watchedSource(100),
      patienceMs: 600,
      onProgress: ({ accepted }) => {
        if (accepted === 20) proxy.set('reset')
      },
    })
    expect(first.stoppedBy).toMatchObject({ code: 'messaging_unavailable' })
    proxy.set('pass')
    const { resumeFrom, skipChunks } = first
    const rest = await client.sendMany({ ...request, recipients: watchedSource(100), resumeFrom, skipChunks })
    expect(rest).toMatchObject({ rejected: 0, unknown: 0, notSent: 0, resumeFrom: 10 })
    expect(first.accepted + first.unknown + rest.accepted).toBe(100)
    expect(new Set(sentTo()).size).toBe(sentTo().length)
  })

  test('an abort ends the pause immediately, and nothing is sent after it', async () => {
    const client = await world()
    await client.send(REQUEST)
    await cutOff(client)
    const abort = new AbortController()
    const run = client.sendMany(
      {
        templateId: 't1',
        recipients: watchedSource(100),
        chunkSize: 10,
        onProgress: ({ paused }) => {
          if (paused) abort.abort()
        },
      },
      { signal: abort.signal },
    )
    await expect(run).rejects.toMatchObject({ name: 'AbortError', report: { accepted: 0, unknown: 0, resumeFrom: 0 } })
    proxy.set('pass')
    await client.send(REQUEST)
    expect(sentTo()).toEqual(['12312345678', '12312345678'])
  })

  test('"maxAttempts" of 1 means no retry', async () => {
    const client = await world({ maxAttempts: 1 })
    proxy.set('reset')
    expect(await outcomeOf(client.send(REQUEST))).toMatchObject({ outcome: 'messaging_unavailable' })
  })
})

test('a gateway that answers 503 for PCS: sends in flight have an unknown outcome, and no others are attempted', async () => {
  let isAway = false
  const taken: number[] = []
  const gateway = await startRawServer((stream, call) => {
    if (isAway) return answerHttp(503)(stream)
    taken.push(call)
    answerWell(stream)
  })
  const client = connect(gateway.url, tokens.url, { deadlineMs: 120_000 }, { random: Math.random })
  clients.push(client)
  let pauses = 0
  const report = await client.sendMany({
    templateId: 't1',
    recipients: Array.from({ length: 400 }, (_, index) => ({ ppnum: ppnumAt(index) })),
    chunkSize: 10,
    concurrency: 4,
    onProgress: ({ chunk, paused }) => {
      if (paused) pauses += 1
      if (chunk.index !== 8 || isAway || paused) return
      isAway = true
      setTimeout(() => {
        isAway = false
      }, 1_500)
    },
  })
  await gateway.close()
  expect(report).toMatchObject({ rejected: 0, notSent: 0, resumeFrom: 40 })
  expect(report.stoppedBy).toBeUndefined()
  expect([report.unknown > 0, report.unknown <= 40, pauses]).toEqual([true, true, 1])
})
