import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createSendMany } from '../../../src/messaging/send-many/send-many.js'
import type { SendManyReport } from '../../../src/messaging/types/methods.js'
import { failure, ppnumAt, RecordingSend, watchedSource } from './recording-send.js'

const templateId = '01TEMPLATE'
type Fate = 'accepted' | 'rejected' | 'unknown'
const ERRORS = { rejected: failure('request_invalid'), unknown: failure('send_outcome_unknown') }

/** A run in which chunk `n` ends after `delays[n]` turns of the event loop with `fates[n]`. */
interface Schedule {
  readonly list: readonly number[]
  readonly fates: readonly Fate[]
  readonly delays: readonly number[]
  readonly concurrency: number
  readonly chunkSize: number
  readonly isAsync: boolean
  /** Recipients after which the source throws. */
  readonly breaksAfter: number | undefined
}

const schedules: fc.Arbitrary<Schedule> = fc.record({
  list: fc.array(fc.nat(60), { maxLength: 150 }),
  fates: fc.array(fc.constantFrom<Fate>('accepted', 'accepted', 'rejected', 'unknown'), { minLength: 1 }),
  delays: fc.array(fc.nat(6), { minLength: 1 }),
  concurrency: fc.integer({ min: 1, max: 5 }),
  chunkSize: fc.integer({ min: 1, max: 12 }),
  isAsync: fc.boolean(),
  breaksAfter: fc.option(fc.nat(150), { nil: undefined, freq: 3 }),
})

const at = <T>(list: readonly T[], index: number): T => list[index % list.length] as T

async function runOf(schedule: Schedule, from: { resumeFrom?: number; skipChunks?: readonly number[] } = {}) {
  const { list, fates, delays, concurrency, chunkSize, isAsync, breaksAfter } = schedule
  let read = 0
  function* source() {
    for (const number of list) {
      if (read === breaksAfter) throw new Error('broken')
      read += 1
      yield { ppnum: ppnumAt(number) }
    }
  }
  async function* asyncSource() {
    for (const one of source()) yield one
  }
  const recording = new RecordingSend(async (_, call) => {
    for (let turn = at(delays, call); turn > 0; turn -= 1) await new Promise(setImmediate)
    const fate = at(fates, call)
    if (fate !== 'accepted') throw ERRORS[fate]
  })
  const recipients = isAsync ? asyncSource() : source()
  const run = createSendMany(recording)({ templateId, recipients, concurrency, chunkSize, ...from })
  const report = await run.catch((error: { report: SendManyReport }) => error.report)
  return { report, recording, read }
}

describe('sendMany under random latencies and outcomes', () => {
  test('accounts for every recipient read, and reports every receipt in order', async () => {
    await fc.assert(
      fc.asyncProperty(schedules, async (schedule) => {
        const { report, recording, read } = await runOf(schedule)
        const unique = new Set(schedule.list.slice(0, read))
        expect(report.accepted + report.rejected + report.unknown + report.notSent + report.skipped).toBe(unique.size)
        expect(report.duplicates).toBe(read - unique.size)
        expect(new Set(recording.ppnums).size).toBe(recording.ppnums.length)
        expect(recording.mostUnderWay).toBeLessThanOrEqual(schedule.concurrency)

        expect(report.chunks.map(({ index }) => index)).toEqual(report.chunks.map((_, position) => position))
        expect(report.chunks.length).toBe(recording.requests.length)
        // Without a resumption the nth request is the nth chunk.
        for (const [call, { recipients }] of recording.requests.entries()) {
          const fate = at(schedule.fates, call)
          expect(report.chunks[call]).toEqual({
            index: call,
            recipients: recipients.length,
            outcome: fate,
            ...(fate === 'accepted'
              ? { receipt: { id: `send-${call}`, status: 'queued', totalRecipients: recipients.length } }
              : { error: ERRORS[fate] }),
          })
        }
      }),
      { numRuns: 150 },
    )
  })

  test('if resumed until nothing is rejected, sends to each recipient once, and never again after accepted or unknown', async () => {
    await fc.assert(
      fc.asyncProperty(schedules, fc.boolean(), async (schedule, isBroken) => {
        const first = await runOf({ ...schedule, breaksAfter: isBroken ? schedule.breaksAfter : undefined })
        const { resumeFrom, skipChunks } = first.report
        const rest = await runOf(
          { ...schedule, breaksAfter: undefined, fates: ['accepted'] },
          { resumeFrom, skipChunks },
        )

        const settled = first.report.chunks.filter(({ error }) => error !== ERRORS.rejected).map(({ index }) => index)
        const sentBefore = settled.flatMap((index) => first.recording.requests[index]?.recipients ?? [])
        const sent = [...sentBefore, ...rest.recording.requests.flatMap(({ recipients }) => recipients)]
        const expected = [...new Set(schedule.list)].map(ppnumAt)
        expect(sent.map(({ ppnum }) => ppnum).sort()).toEqual(expected.sort())
        expect(rest.report).toMatchObject({ skipped: sentBefore.length, notSent: 0, skipChunks: [] })
        expect(rest.report.resumeFrom).toBe(Math.ceil(expected.length / schedule.chunkSize))
      }),
      { numRuns: 150 },
    )
  })
})

describe('sendMany', () => {
  test.each([1, 3, 8])('with concurrency %d reads at most one chunk ahead of the sends', async (concurrency) => {
    const source = watchedSource(300)
    const recording: RecordingSend = new RecordingSend(async (_, call) => {
      await new Promise(setImmediate)
      // Whatever is read is in a send that ended, one under way, or the one chunk in hand.
      const ended = recording.requests.length - recording.underWay
      expect(source.read).toBeLessThanOrEqual((ended + concurrency + 1) * 10)
      expect(call).toBeLessThan(30)
    })
    const report = await createSendMany(recording)({ templateId, recipients: source, chunkSize: 10, concurrency })
    expect(report).toMatchObject({ accepted: 300, unknown: 0 })
    expect(recording.mostUnderWay).toBe(concurrency)
  })

  test('with resumeFrom sends exactly the rest, and reads earlier chunks to find duplicates', async () => {
    const recording = new RecordingSend()
    const recipients = [...watchedSource(50), { ppnum: ppnumAt(3) }, { ppnum: ppnumAt(50) }]
    const report = await createSendMany(recording)({ templateId, recipients, chunkSize: 10, resumeFrom: 3 })
    expect(recording.ppnums).toEqual(Array.from({ length: 21 }, (_, index) => ppnumAt(30 + index)))
    expect(report.chunks.map(({ index }) => index)).toEqual([3, 4, 5])
    expect(report).toMatchObject({ accepted: 21, skipped: 30, notSent: 0, duplicates: 1, resumeFrom: 6 })
  })

  test('with resumeFrom past the end sends nothing', async () => {
    const recording = new RecordingSend()
    const run = createSendMany(recording)({ templateId, recipients: watchedSource(50), chunkSize: 10, resumeFrom: 9 })
    expect(await run).toMatchObject({ accepted: 0, skipped: 50, notSent: 0, resumeFrom: 9, chunks: [] })
    expect(recording.requests).toEqual([])
  })

  test('resumed after a crash from the last onProgress, sends the rest and what was in flight', async () => {
    let saved: { resumeFrom: number; skipChunks: readonly number[] } = { resumeFrom: 0, skipChunks: [] }
    const late = new Promise<void>(() => {})
    const crashed = new RecordingSend((_, call) => (call === 1 ? late : undefined))
    void createSendMany(crashed)({
      templateId,
      recipients: watchedSource(50),
      chunkSize: 10,
      concurrency: 2,
      onProgress: ({ resumeFrom, skipChunks }) => {
        saved = { resumeFrom, skipChunks }
      },
    })
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate)
    expect(saved).toEqual({ resumeFrom: 1, skipChunks: [2, 3, 4] })
    const recording = new RecordingSend()
    await createSendMany(recording)({ templateId, recipients: watchedSource(50), chunkSize: 10, ...saved })
    expect(recording.ppnums).toEqual(Array.from({ length: 10 }, (_, index) => ppnumAt(10 + index)))
  })
})
