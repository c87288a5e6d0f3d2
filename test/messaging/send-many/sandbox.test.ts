import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { createMessaging, type Messaging, type Recipient, type SendManyReport } from '../../../src/messaging/index.js'
import { until } from '../../support/until.js'
import { ppnumAt, rejectionOf, watchedSource } from './recording-send.js'

let sandbox: Sandbox
let messaging: Messaging
let templateId: string

beforeAll(async () => {
  sandbox = await startSandbox({ pasPort: 0, pcsPort: 0 })
  if (!sandbox.pcs) throw new Error('no messaging service')
  const { prefixUrl: apiUrl, tokenUrl, clientId, clientSecret } = sandbox.pcs
  messaging = createMessaging({ apiUrl, tokenUrl, clientId, clientSecret })
  const template = { name: 'many', components: [{ type: 'text', content: 'Hello' }] } as const
  templateId = (await messaging.templates.create(template)).id
})
beforeEach(() => control().reset())
afterAll(async () => {
  await messaging.close()
  await sandbox.close()
})

const control = () => sandbox.control.pcs

const isRefused = { kind: 'status', code: 'INVALID_ARGUMENT', details: 'malformed ppnum' } as const
/** Recipients of the sends the sandbox took since `before`. */
const taken = (before: number) =>
  control()
    .sends.slice(before)
    .map(({ recipients }) => recipients.length)
const sentSoFar = () => control().sends.length

describe('sendMany against the sandbox', () => {
  test('halves a rejected send among 2,500 recipients, and sends to everybody once', async () => {
    const before = sentSoFar()
    control().inject({ method: 'CreateSendRequest', fault: isRefused })
    const report = await messaging.sendMany({ templateId, recipients: watchedSource(2_500), concurrency: 1 })
    expect(report).toMatchObject({ accepted: 2_500, rejected: 0, unknown: 0, resumeFrom: 3, skipChunks: [] })
    expect(report.chunks[0]).toMatchObject({ index: 0, recipients: 1_000, parts: expect.any(Array) })
    expect(report.chunks.slice(1).map(({ receipt }) => receipt?.totalRecipients)).toEqual([1_000, 500])
    const sizes = taken(before)
    expect(sizes.reduce((sum, size) => sum + size)).toBe(2_500)
    expect(sizes.length).toBeLessThan(20)
    const receipts = report.chunks.flatMap(({ receipt, parts }) => parts?.map((part) => part.receipt) ?? [receipt])
    for (const receipt of receipts) {
      expect((await messaging.status(receipt?.id ?? '')).total).toBe(receipt?.totalRecipients)
    }
  })

  test('does not resume a chunk with an unknown outcome, but resumes a rejected one', async () => {
    const before = sentSoFar()
    control().inject({ method: 'CreateSendRequest', fault: { kind: 'drop', afterProcessing: true } })
    const request = { templateId, chunkSize: 100, concurrency: 1 } as const
    const first = await messaging.sendMany({ ...request, recipients: watchedSource(250), patienceMs: 0 })
    expect(first).toMatchObject({ accepted: 150, unknown: 100, resumeFrom: 3 })
    const { resumeFrom, skipChunks } = first
    const rest = await messaging.sendMany({ ...request, recipients: watchedSource(250), resumeFrom, skipChunks })
    expect(rest).toMatchObject({ accepted: 0, skipped: 250, notSent: 0, rejected: 0 })
    expect(taken(before)).toEqual([100, 100, 50])
  })

  test('counts a send as unknown if the connection drops after it was received, and does not send it again', async () => {
    const before = sentSoFar()
    control().inject({ method: 'CreateSendRequest', fault: { kind: 'drop', afterProcessing: true } })
    const report = await messaging.sendMany({
      templateId,
      recipients: watchedSource(250),
      chunkSize: 100,
      concurrency: 1,
    })
    expect(report).toMatchObject({ accepted: 150, unknown: 100, resumeFrom: 3, skipChunks: [] })
    expect(report.chunks[0]?.error).toMatchObject({ code: 'send_outcome_unknown' })
    expect(taken(before)).toEqual([100, 100, 50])
  })

  test('waits for a rate limit with a hint', async () => {
    const trailers = { 'retry-after-ms': '50' }
    const fault = { kind: 'status', code: 'RESOURCE_EXHAUSTED', trailers } as const
    control().inject({ method: 'CreateSendRequest', fault, times: 2 })
    const report = await messaging.sendMany({ templateId, recipients: watchedSource(30), chunkSize: 10 })
    expect(report).toMatchObject({ accepted: 30, rejected: 0 })
  })

  test('is stopped by a used-up quota', async () => {
    const fault = { kind: 'status', code: 'RESOURCE_EXHAUSTED', details: 'monthly quota' } as const
    control().inject({ method: 'CreateSendRequest', fault, times: 'until-cleared' })
    const source = watchedSource()
    const report = await messaging.sendMany({ templateId, recipients: source, chunkSize: 10 })
    expect(report.stoppedBy).toMatchObject({ code: 'quota_exceeded' })
    expect([report.accepted, source.isClosed]).toEqual([0, true])
  })

  test('is stopped by a template that does not exist', async () => {
    const report = await messaging.sendMany({ templateId: 'tpl_none', recipients: watchedSource(), chunkSize: 10 })
    expect(report.stoppedBy).toMatchObject({ code: 'not_found' })
  })

  test('reports what was accepted if the list throws', async () => {
    const before = sentSoFar()
    async function* recipients(): AsyncGenerator<Recipient> {
      yield* watchedSource(120)
      throw new Error('the file is cut')
    }
    const error = await rejectionOf(messaging.sendMany({ templateId, recipients: recipients(), chunkSize: 50 }))
    expect(error).toMatchObject({
      code: 'recipients_source_failed',
      report: { accepted: 100, notSent: 20, resumeFrom: 2 },
    })
    expect(taken(before)).toEqual([50, 50])
  })

  test('reports sends that were in flight at an abort', async () => {
    const before = sentSoFar()
    const abort = new AbortController()
    const error = await rejectionOf(
      messaging.sendMany(
        {
          templateId,
          recipients: watchedSource(),
          chunkSize: 20,
          onProgress: ({ accepted }) => {
            if (accepted >= 200) abort.abort()
          },
        },
        { signal: abort.signal },
      ),
    )
    const report = error['report'] as SendManyReport
    expect(error.name).toBe('AbortError')
    expect(report.unknown).toBe(0)
    // One that had not left yet is rejected: the next run sends it.
    const left = report.chunks.filter(({ error }) => error === undefined)
    const outcomes = report.chunks.map(({ error }) => (error === undefined ? 'accepted' : 'rejected'))
    expect(report.chunks.map(({ outcome }) => outcome)).toEqual(outcomes)
    expect(left.length).toBeGreaterThanOrEqual(report.chunks.length - 3)
    expect(taken(before)).toEqual(left.map(() => 20))
    expect(report.accepted).toBe(left.length * 20)
    expect(report.rejected).toBe((report.chunks.length - left.length) * 20)
  })

  test('is ended by close(), and counts sends in flight as unknown', async () => {
    const { prefixUrl: apiUrl, tokenUrl, clientId, clientSecret } = sandbox.pcs as NonNullable<Sandbox['pcs']>
    const other = createMessaging({ apiUrl, tokenUrl, clientId, clientSecret })
    control().inject({ method: 'CreateSendRequest', fault: { kind: 'hang' }, times: 'until-cleared' })
    const source = watchedSource()
    const running = other.sendMany({ templateId, recipients: source, chunkSize: 10 })
    await until(() => control().counters.CreateSendRequest >= 4)
    await other.close()
    const report = await running
    expect(report).toMatchObject({ accepted: 0, unknown: 40, rejected: 0, stoppedBy: { code: 'closed' } })
    expect(source.isClosed).toBe(true)
  })

  test('sends once to a recipient that occurs in two distant chunks', async () => {
    const before = sentSoFar()
    const recipients = [...watchedSource(50), { ppnum: ppnumAt(0) }, { ppnum: ppnumAt(99) }]
    const report = await messaging.sendMany({ templateId, recipients, chunkSize: 25 })
    expect(report).toMatchObject({ accepted: 51, duplicates: 1 })
    expect(taken(before).sort()).toEqual([1, 25, 25])
  })
})
