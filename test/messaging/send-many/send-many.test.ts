import { Readable } from 'node:stream'
import { describe, expect, test } from '@jest/globals'
import { PpoppoError } from '../../../src/errors.js'
import { createSendMany } from '../../../src/messaging/send-many/send-many.js'
import type { Recipient, SendManyProgress } from '../../../src/messaging/types/methods.js'
import { failure, ppnumAt, RecordingSend, rejectionOf, watchedSource } from './recording-send.js'

const templateId = '01TEMPLATE'
const numbers = (count: number): Recipient[] => Array.from({ length: count }, (_, index) => ({ ppnum: ppnumAt(index) }))
const sizes = (recording: RecordingSend) => recording.requests.map(({ recipients }) => recipients.length)

describe('sendMany', () => {
  test('cuts a list into chunks of 1,000 and reports each', async () => {
    const recording = new RecordingSend()
    const report = await createSendMany(recording)({ templateId, recipients: numbers(2_500) })
    expect(sizes(recording)).toEqual([1_000, 1_000, 500])
    expect(recording.ppnums).toEqual(numbers(2_500).map(({ ppnum }) => ppnum))
    expect(report).toEqual({
      chunks: [0, 1, 2].map((index) => ({
        index,
        recipients: index === 2 ? 500 : 1_000,
        outcome: 'accepted',
        receipt: { id: `send-${index}`, status: 'queued', totalRecipients: index === 2 ? 500 : 1_000 },
      })),
      accepted: 2_500,
      rejected: 0,
      unknown: 0,
      duplicates: 0,
      skipped: 0,
      notSent: 0,
      resumeFrom: 3,
      skipChunks: [],
    })
  })

  test.each<[string, () => Iterable<Recipient> | AsyncIterable<Recipient>]>([
    ['an array', () => numbers(25)],
    ['a Set', () => new Set(numbers(25))],
    ['a generator', () => watchedSource(25)],
    [
      'an async generator',
      async function* () {
        for (const recipient of numbers(25)) yield await Promise.resolve(recipient)
      },
    ],
    ['a stream', () => Readable.from(numbers(25))],
    [
      'an iterator without return()',
      () => {
        const left = numbers(25).values()
        return { [Symbol.asyncIterator]: () => ({ next: async () => left.next() }) }
      },
    ],
  ])('accepts %s', async (_, recipients) => {
    const recording = new RecordingSend()
    const report = await createSendMany(recording)({ templateId, recipients: recipients(), chunkSize: 10 })
    expect(sizes(recording)).toEqual([10, 10, 5])
    expect(report).toMatchObject({ accepted: 25, resumeFrom: 3 })
    expect(report.stoppedBy).toBeUndefined()
  })

  test('reports nothing for an empty list', async () => {
    const recording = new RecordingSend()
    const report = await createSendMany(recording)({ templateId, recipients: [] })
    expect(report).toMatchObject({ chunks: [], accepted: 0, resumeFrom: 0 })
    expect(recording.requests).toEqual([])
  })

  test('passes template, poll, vars and deadline to every send', async () => {
    const recording = new RecordingSend()
    const recipients = [{ ppnum: ppnumAt(1), vars: { name: 'Alex' } }, { ppnum: ppnumAt(2) }]
    const poll = { allowMultiple: true }
    await createSendMany(recording)({ templateId, recipients, poll, chunkSize: 1 }, { deadlineMs: 123 })
    expect(recording.requests).toEqual(recipients.map((recipient) => ({ templateId, recipients: [recipient], poll })))
    expect(recording.options.map((options) => options?.deadlineMs)).toEqual([123, 123])
  })

  test('sends to each ppnum of the whole list once; the first occurrence wins', async () => {
    const recording = new RecordingSend()
    const recipients = [
      { ppnum: '12312345678', vars: { n: 1 } },
      { ppnum: '12312345679' },
      { ppnum: '12312345678', vars: { n: 2 } },
      { ppnum: '012312345678' },
      { ppnum: '12312345679' },
      { ppnum: '1231234567812345678901' },
      { ppnum: '1231234567812345678901' },
    ]
    const report = await createSendMany(recording)({ templateId, recipients, chunkSize: 2 })
    expect(recording.requests.map((request) => request.recipients)).toEqual([
      [recipients[0], recipients[1]],
      [recipients[3], recipients[5]],
    ])
    expect(report).toMatchObject({ accepted: 4, duplicates: 3 })
  })

  test('continues after a chunk that failed for good, and reports it', async () => {
    const bad = failure('request_invalid')
    const recording = new RecordingSend((_, call) => (call === 1 ? Promise.reject(bad) : undefined))
    const report = await createSendMany(recording)({ templateId, recipients: numbers(2_500) })
    expect(report.chunks[1]).toEqual({ index: 1, recipients: 1_000, outcome: 'rejected', error: bad })
    expect(report).toMatchObject({ accepted: 1_500, rejected: 1_000, unknown: 0, resumeFrom: 1, skipChunks: [2] })
  })

  test('counts a send with an unknown outcome separately, and does not resume it', async () => {
    const answers = [undefined, failure('send_outcome_unknown'), new TypeError('a bug'), failure('not_found')]
    const recording = new RecordingSend((_, call) => (answers[call] ? Promise.reject(answers[call]) : undefined))
    const report = await createSendMany(recording)({ templateId, recipients: numbers(40), chunkSize: 10 })
    expect(report).toMatchObject({ accepted: 10, unknown: 20, rejected: 10, resumeFrom: 3, skipChunks: [] })
  })

  test.each([
    'credentials_rejected',
    'permission_denied',
    'not_found',
    'precondition_failed',
    'quota_exceeded',
    'messaging_misconfigured',
    'closed',
  ] as const)('%s, which every chunk would meet, stops the reading; the report says so', async (code) => {
    const error = failure(code)
    const recording = new RecordingSend(() => Promise.reject(error))
    const source = watchedSource()
    const report = await createSendMany(recording)({ templateId, recipients: source, chunkSize: 10, concurrency: 2 })
    expect(report.stoppedBy).toBe(error)
    const refused = report.chunks.length * 10
    // A send that close() ended in the middle may have been accepted.
    expect(report).toMatchObject(code === 'closed' ? { unknown: refused } : { rejected: refused, resumeFrom: 0 })
    expect([source.read <= 40, source.isClosed]).toEqual([true, true])
    expect(refused + report.notSent).toBeLessThanOrEqual(source.read)
  })

  test('continues after not_found if a chunk was accepted before, because it is about a recipient', async () => {
    const recording = new RecordingSend((_, call) => (call === 1 ? Promise.reject(failure('not_found')) : undefined))
    const options = { templateId, recipients: numbers(40), chunkSize: 10, concurrency: 1 }
    expect(await createSendMany(recording)(options)).toMatchObject({ accepted: 30, rejected: 10 })
  })

  test('is stopped by send_outcome_unknown eight times in a row, so that an outage does not use up the list', async () => {
    const unknown = failure('send_outcome_unknown')
    const recording = new RecordingSend((_, call) => (call === 2 ? undefined : Promise.reject(unknown)))
    const source = watchedSource()
    const report = await createSendMany(recording)({ templateId, recipients: source, chunkSize: 1, concurrency: 1 })
    expect(report).toMatchObject({ stoppedBy: { code: 'send_outcome_unknown' }, accepted: 1, unknown: 10 })
    expect(source.isClosed).toBe(true)
  })

  test.each(['messaging_unavailable', 'deadline_exceeded'] as const)(
    '%s is waited out: the same chunk is sent until it is accepted, and only then the next',
    async (code) => {
      const recording = new RecordingSend((_, call) => (call === 1 ? Promise.reject(failure(code)) : undefined))
      const paused: unknown[] = []
      const report = await createSendMany(recording)({
        templateId,
        recipients: watchedSource(4),
        chunkSize: 1,
        concurrency: 1,
        onProgress: (progress) => {
          if (progress.paused) paused.push(progress.paused.error, progress.chunk.index)
        },
      })
      expect(report).toMatchObject({ accepted: 4, rejected: 0, unknown: 0 })
      expect(recording.ppnums).toEqual([0, 1, 1, 2, 3].map(ppnumAt))
      expect(paused).toEqual([expect.objectContaining({ code }), 1])
    },
  )

  test.each(['messaging_unavailable', 'deadline_exceeded'] as const)(
    '%s for longer than "patienceMs" stops the run; nothing is unknown, and it goes on where it stopped',
    async (code) => {
      const recording = new RecordingSend((_, call) => (call === 0 ? undefined : Promise.reject(failure(code))))
      const source = watchedSource()
      const request = { templateId, recipients: source, chunkSize: 1, concurrency: 2, patienceMs: 300 }
      const report = await createSendMany(recording)(request)
      expect(report).toMatchObject({ stoppedBy: { code }, accepted: 1, unknown: 0, rejected: 2, resumeFrom: 1 })
      expect([source.isClosed, recording.requests.length >= 4]).toEqual([true, true])
    },
  )

  test('with patienceMs 0 is stopped by the first outage', async () => {
    const recording = new RecordingSend(() => Promise.reject(failure('messaging_unavailable')))
    const request = { templateId, recipients: watchedSource(), chunkSize: 1, concurrency: 1, patienceMs: 0 }
    expect(await createSendMany(recording)(request)).toMatchObject({ rejected: 1, resumeFrom: 0 })
    expect(recording.requests.length).toBe(1)
  })

  test('is slowed down by a rate limit, and nothing fails', async () => {
    const limited = new PpoppoError('rate_limited', 'slow down', { retryAfterMs: 30 })
    const recording = new RecordingSend((_, call) => (call < 6 ? Promise.reject(limited) : undefined))
    const startedAt = performance.now()
    const report = await createSendMany(recording)({
      templateId,
      recipients: numbers(40),
      chunkSize: 10,
      concurrency: 2,
    })
    expect(report).toMatchObject({ accepted: 40, rejected: 0 })
    expect(recording.requests.length).toBe(10)
    expect(performance.now() - startedAt).toBeGreaterThan(85)
  })

  test('is stopped by a rate limit of an hour, and an abort ends the wait for a shorter one', async () => {
    const anHour = new PpoppoError('rate_limited', 'slow down', { retryAfterMs: 3_600_000 })
    const { send } = new RecordingSend(() => Promise.reject(anHour))
    expect((await createSendMany({ send })({ templateId, recipients: numbers(9) })).stoppedBy).toBe(anHour)

    const aMinute = new PpoppoError('rate_limited', 'slow down', { retryAfterMs: 60_000 })
    const waiting = new RecordingSend(() => Promise.reject(aMinute))
    const run = createSendMany(waiting)({ templateId, recipients: numbers(9) }, { signal: AbortSignal.timeout(50) })
    expect(await rejectionOf(run)).toMatchObject({ name: 'AbortError', report: { rejected: 9, unknown: 0 } })
  })

  test('without credentials rejects as every call does', async () => {
    const { send } = new RecordingSend(() => Promise.reject(failure('messaging_not_configured')))
    const error = await rejectionOf(createSendMany({ send })({ templateId, recipients: watchedSource() }))
    expect(error).toMatchObject({ name: 'PpoppoError', code: 'messaging_not_configured', report: { accepted: 0 } })
  })

  test('reports progress one call at a time with the current counts, and waits for it before the next chunk', async () => {
    const told: SendManyProgress[] = []
    let inside = 0
    const recording = new RecordingSend()
    const report = await createSendMany(recording)({
      templateId,
      recipients: numbers(50),
      chunkSize: 10,
      concurrency: 2,
      onProgress: async (progress) => {
        inside += 1
        expect([inside, recording.requests.length <= told.length + 2]).toEqual([1, true])
        await new Promise(setImmediate)
        told.push(progress)
        inside -= 1
      },
    })
    expect(told.map(({ accepted }) => accepted)).toEqual([10, 20, 30, 40, 50])
    expect(told.map(({ chunk }) => chunk).sort((one, other) => one.index - other.index)).toEqual(report.chunks)
    expect(told.at(-1)).toMatchObject({ accepted: report.accepted, resumeFrom: 5 })
  })

  test('checks vars while the list is read', async () => {
    const recipients = [
      { ppnum: ppnumAt(0) },
      { ppnum: ppnumAt(1), vars: { at: new Date() } },
    ] as unknown as Recipient[]
    const error = await rejectionOf(createSendMany(new RecordingSend())({ templateId, recipients }))
    expect(error).toMatchObject({ code: 'request_invalid', message: expect.stringContaining('recipients[1].vars.at') })
  })

  test.each([
    [{ concurrency: 0 }, '"concurrency"'],
    [{ concurrency: 1.5 }, '"concurrency"'],
    [{ chunkSize: 1_001 }, '"chunkSize" must be a whole number from 1 to 1000'],
    [{ chunkSize: 0 }, '"chunkSize"'],
    [{ resumeFrom: -1 }, '"resumeFrom"'],
    [{ skipChunks: 3 }, '"skipChunks"'],
    [{ skipChunks: [1, 'a'] }, '"skipChunks[1]"'],
    [{ onProgress: true }, '"onProgress"'],
    [{ patienceMs: -1 }, '"patienceMs" must be a whole number from 0'],
    [{ onInvalidRecipient: 'ignore' }, '"onInvalidRecipient" must be "fail" or "skip"'],
    [{ resumeParts: {} }, '"resumeParts" must be a list'],
    [{ resumeParts: [{ chunk: 0, from: 3, to: 3 }] }, '"resumeParts[0].to" must be a whole number of 4 or more'],
    [{ resumeParts: [{ chunk: 0, form: 3, to: 4 }] }, 'did you mean "resumeParts[0].from"?'],
    [{ templateId: '' }, '"templateId"'],
    [{ poll: { allowMultipel: true } }, 'did you mean "poll.allowMultiple"?'],
    [{ recipients: 'abc' }, '"recipients"'],
    [{ recipients: { ppnum: '12312345678' } }, '"recipients"'],
    [{ recipients: undefined }, '"recipients"'],
  ])('rejects %j before anything is sent', async (wrong, named) => {
    const recording = new RecordingSend()
    const request = { templateId, recipients: numbers(1), ...wrong } as Parameters<ReturnType<typeof createSendMany>>[0]
    const error = await rejectionOf(createSendMany(recording)(request))
    expect(error).toMatchObject({ code: 'request_invalid', message: expect.stringContaining(named) })
    expect(recording.requests).toEqual([])
  })
})
