import { describe, expect, test } from '@jest/globals'
import { SendManyAbortError, SendManyError } from '../../../src/messaging/send-many/error.js'
import { createSendMany } from '../../../src/messaging/send-many/send-many.js'
import type { CallOptions, SendManyProgress, SendManyReport } from '../../../src/messaging/types/methods.js'
import { allowed } from '../../support/allowed.js'
import { ppnumAt, RecordingSend, rejectionOf, watchedSource } from './recording-send.js'

const templateId = '01TEMPLATE'
const small = { templateId, chunkSize: 10 }

/** A send that ends only when `release` is called, or by its signal. */
function heldSend() {
  let release: () => void = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const recording = new RecordingSend(
    (_request, _call, options: CallOptions | undefined) =>
      new Promise<void>((resolve, reject) => {
        void released.then(resolve)
        options?.signal?.addEventListener('abort', () => reject(options.signal?.reason))
      }),
  )
  return { recording, release: () => release() }
}

const turns = async (count = 20) => {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate)
}

describe('a run of sendMany that ends early', () => {
  test.each(['a generator', 'an async generator'])('waits for sends in flight if %s throws', async (kind) => {
    const broken = new Error('line 26 of the file')
    function* recipients() {
      for (let index = 0; index < 25; index += 1) yield { ppnum: ppnumAt(index) }
      throw broken
    }
    const asyncRecipients = async function* () {
      yield* recipients()
    }
    const { recording, release } = heldSend()
    const run = createSendMany(recording)({
      ...small,
      recipients: kind === 'a generator' ? recipients() : asyncRecipients(),
    })
    await turns()
    release()
    const error = await rejectionOf(run)
    expect(error).toBeInstanceOf(SendManyError)
    expect(error).toMatchObject({
      name: 'PpoppoError',
      code: 'recipients_source_failed',
      message: expect.stringContaining('after 25 recipients'),
      cause: broken,
      report: { accepted: 20, rejected: 0, notSent: 5, resumeFrom: 2, skipChunks: [] },
    })
    expect((error['report'] as SendManyReport).chunks.map(({ receipt }) => receipt?.id)).toEqual(['send-0', 'send-1'])
  })

  test.each<[unknown, string]>([
    [{ ppnum: '123' }, '"recipients[25].ppnum"'],
    [{ ppnum: 12312345678 }, '"recipients[25].ppnum"'],
    [{ ppnum: '123-1234-5678' }, 'parsePpnum()'],
    [{}, '"recipients[25].ppnum"'],
    [null, '"recipients[25]"'],
    ['12312345678', '"recipients[25]"'],
  ])('names the index if recipient 25 is %j', async (wrong, named) => {
    const recording = new RecordingSend()
    let isClosed = false
    function* recipients() {
      try {
        yield* watchedSource(25)
        yield wrong as { ppnum: string }
        yield { ppnum: ppnumAt(0) }
      } finally {
        isClosed = true
      }
    }
    const error = await rejectionOf(createSendMany(recording)({ ...small, recipients: recipients() }))
    expect(error).toMatchObject({
      code: 'request_invalid',
      message: expect.stringContaining(named),
      report: { accepted: 20, notSent: 5, resumeFrom: 2 },
    })
    expect(isClosed).toBe(true)
  })

  test.each<[string, unknown]>([
    ['no next()', { [Symbol.asyncIterator]: () => ({}) }],
    ['no results', { [Symbol.iterator]: () => ({ next: () => 1 }) }],
    ['a result of another kind', { [Symbol.asyncIterator]: () => ({ next: async () => undefined }) }],
  ])('rejects with its report if the source returns %s', async (_, recipients) => {
    const request = { ...small, recipients: recipients as [] }
    const error = await rejectionOf(createSendMany(new RecordingSend())(request))
    expect(error).toMatchObject({ code: 'recipients_source_failed', report: { accepted: 0 } })
  })

  test('lets sends in flight finish after an abort, and counts them', async () => {
    const { recording, release } = heldSend()
    const source = watchedSource()
    const abort = new AbortController()
    const run = createSendMany(recording)({ ...small, recipients: source }, { signal: abort.signal })
    await turns()
    expect(recording.underWay).toBe(4)
    abort.abort(new Error('the worker is told to end'))
    await turns()
    release()
    const error = await rejectionOf(run)
    expect(error).toBeInstanceOf(SendManyAbortError)
    expect(error).toMatchObject({
      name: 'AbortError',
      code: 'ABORT_ERR',
      cause: abort.signal.reason,
      report: { accepted: 40, unknown: 0, notSent: 10, resumeFrom: 4 },
    })
    expect([recording.requests.length, source.read, source.isClosed]).toEqual([4, 50, true])
  })

  test('cuts off sends that do not finish after an abort, and counts them as unknown', async () => {
    const { recording } = heldSend()
    const abort = new AbortController()
    const sendMany = createSendMany({ send: recording.send, abortGraceMs: 20 })
    const run = sendMany({ ...small, recipients: watchedSource() }, { signal: abort.signal })
    await turns()
    abort.abort()
    const error = await rejectionOf(run)
    expect(error).toMatchObject({ report: { accepted: 0, unknown: 40, rejected: 0, resumeFrom: 4 } })
    expect(recording.underWay).toBe(0)
  })

  test('ends at an abort even while it waits for its source', async () => {
    let isClosed = false
    const recipients = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<{ ppnum: string }>>(() => {}),
        return: () => {
          isClosed = true
          return new Promise<IteratorResult<{ ppnum: string }>>(() => {})
        },
      }),
    }
    const abort = new AbortController()
    const run = createSendMany(new RecordingSend())({ ...small, recipients }, { signal: abort.signal })
    await turns()
    const startedAt = performance.now()
    abort.abort()
    expect(await rejectionOf(run)).toMatchObject({ name: 'AbortError', report: { chunks: [], notSent: 0 } })
    expect(isClosed).toBe(true)
    // Its return() will never be answered, and is not waited for.
    expect(performance.now() - startedAt).toBeLessThan(await allowed(2_000))
  })

  test('reads nothing if its signal was aborted before', async () => {
    const source = watchedSource()
    const recording = new RecordingSend()
    const run = createSendMany(recording)({ ...small, recipients: source }, { signal: AbortSignal.abort() })
    expect(await rejectionOf(run)).toMatchObject({ name: 'AbortError', report: { accepted: 0 } })
    expect([source.read, recording.requests.length]).toEqual([0, 0])
  })

  test('ends at an abort while an endless synchronous source yields only duplicates', async () => {
    function* sameForEver() {
      for (;;) yield { ppnum: ppnumAt(0) }
    }
    const abort = new AbortController()
    const run = createSendMany(new RecordingSend())({ ...small, recipients: sameForEver() }, { signal: abort.signal })
    setTimeout(() => abort.abort(), 20)
    const error = await rejectionOf(run)
    expect(error).toMatchObject({ name: 'AbortError', report: { notSent: 1 } })
    expect((error['report'] as SendManyReport).duplicates).toBeGreaterThan(1_000)
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('disk full')
      },
    ],
    ['rejects', () => Promise.reject(new Error('disk full'))],
  ])('is aborted if onProgress %s, which is not called again', async (_, fail) => {
    const heard: SendManyProgress[] = []
    const recording = new RecordingSend(() => new Promise(setImmediate))
    const error = await rejectionOf(
      createSendMany(recording)({
        ...small,
        recipients: watchedSource(),
        onProgress: (progress) => {
          heard.push(progress)
          return heard.length === 2 ? fail() : undefined
        },
      }),
    )
    const report = error['report'] as SendManyReport
    expect(error).toMatchObject({ name: 'AbortError', cause: { message: 'disk full' } })
    expect(report.accepted).toBe(recording.requests.length * 10)
    expect([heard.length, recording.underWay]).toEqual([2, 0])
  })

  test('ends at an abort even if onProgress never settles', async () => {
    const abort = new AbortController()
    const run = createSendMany({ send: new RecordingSend().send, abortGraceMs: 20 })(
      { ...small, recipients: watchedSource(), onProgress: () => new Promise<void>(() => {}) },
      { signal: abort.signal },
    )
    await turns()
    abort.abort()
    expect(await rejectionOf(run)).toMatchObject({ name: 'AbortError', report: { accepted: 40 } })
  })
})
