import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { ChunkReport, Messaging, Recipient, SendManyReport } from '../../../src/messaging/types/methods.js'
import type { SeenCall } from '../support/fake-pcs.js'
import { type MessagingWorld, RECEIPT, startWorld, TEMPLATE_ID } from '../support/world.js'
import { ppnumAt, watchedSource } from './recording-send.js'

const templateId = TEMPLATE_ID
let world: MessagingWorld
let client: Messaging
beforeEach(async () => {
  world = await startWorld()
  client = world.connect()
})
afterEach(() => world.close())

const people = (count: number): Recipient[] => Array.from({ length: count }, (_, index) => ({ ppnum: ppnumAt(index) }))
const numbersIn = ({ request }: SeenCall): string[] => (request['recipients'] as Recipient[]).map(({ ppnum }) => ppnum)
const goodAmong = (count: number, bad: readonly number[]): string[] =>
  Array.from({ length: count }, (_, index) => index)
    .filter((index) => !bad.includes(index))
    .map(ppnumAt)

/** PCS takes a send as a whole, or refuses it as a whole where one of these is in it. Notes whom it took. */
function refuse(bad: readonly number[], code = 5): { readonly taken: string[] } {
  const wrong = new Set(bad.map(ppnumAt))
  const taken: string[] = []
  world.pcs.answer = (call) => {
    const numbers = numbersIn(call)
    if (numbers.some((number) => wrong.has(number))) return { code, details: 'no such recipient' }
    taken.push(...numbers)
    return { ok: RECEIPT }
  }
  return { taken }
}

const invalidIndexes = (report: SendManyReport): number[] =>
  (report.invalidRecipients ?? []).map(({ index }) => index).sort((one, other) => one - other)

describe('a recipient that PCS rejects', () => {
  test.each([1, 4, 8])(
    'does not stop a run of chunks of one if the first ten are rejected, %d at a time',
    async (concurrency) => {
      const bad = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
      const { taken } = refuse(bad)
      const report = await client.sendMany({ templateId, recipients: people(30), chunkSize: 1, concurrency })
      expect(taken.sort()).toEqual(goodAmong(30, bad))
      expect([report.accepted, report.rejected, report.stoppedBy]).toEqual([20, 10, undefined])
      expect(invalidIndexes(report)).toEqual(bad)
    },
  )

  test('is told apart from an unknown template, which stops a run of chunks of one', async () => {
    refuse(people(500).map((_, index) => index))
    const report = await client.sendMany({ templateId, recipients: people(500), chunkSize: 1, concurrency: 2 })
    expect(report).toMatchObject({ accepted: 0, stoppedBy: { code: 'not_found' }, resumeFrom: 0 })
    expect(world.pcs.calls.length).toBeLessThan(30)
  })

  test.each([
    ['in the middle of the first chunk', [437], 5],
    ['the very first', [0], 5],
    ['the last of a chunk', [999], 3],
    ['in a later chunk', [1_700], 3],
    ['two far apart in one chunk', [100, 900], 5],
    ['two beside each other', [500, 501], 11],
    ['one in every chunk', [7, 1_007, 2_007], 5],
  ])('is reported, and everybody else is sent to once: %s', async (_, bad, code) => {
    const { taken } = refuse(bad, code)
    const report = await client.sendMany({ templateId, recipients: people(2_500) })
    expect(taken.sort()).toEqual(goodAmong(2_500, bad))
    expect(report).toMatchObject({
      accepted: 2_500 - bad.length,
      rejected: bad.length,
      invalid: bad.length,
      unknown: 0,
      notSent: 0,
      resumeFrom: 3,
      skipChunks: [],
    })
    expect([report.stoppedBy, report.resumeParts]).toEqual([undefined, undefined])
    expect(invalidIndexes(report)).toEqual(bad)
    for (const { index, ppnum, code: why } of report.invalidRecipients ?? []) {
      expect([ppnum, why]).toEqual([ppnumAt(index), code === 5 ? 'not_found' : 'request_invalid'])
    }
    // A call for each halving of 1,000, twice at most, and a few to see that the template is not meant.
    expect(world.pcs.calls.length).toBeLessThan(3 + 24 * bad.length + 6)
  })

  test('does not stop the run if a whole chunk is rejected after an accepted one; each is reported', async () => {
    const bad = Array.from({ length: 100 }, (_, index) => 100 + index)
    const { taken } = refuse(bad)
    const report = await client.sendMany({ templateId, recipients: people(300), chunkSize: 100, concurrency: 1 })
    expect(report).toMatchObject({ accepted: 200, rejected: 100, invalid: 100, resumeFrom: 3, skipChunks: [] })
    expect(invalidIndexes(report)).toEqual(bad)
    expect(taken.length).toBe(200)
    expect(world.pcs.calls.length).toBeLessThan(2 + 2 * 100)
  })

  test.each([1, 2, 3])('does not stop the run if it is first in a list of chunks of %d', async (chunkSize) => {
    const bad = [0, 1, 2]
    const { taken } = refuse(bad)
    const report = await client.sendMany({ templateId, recipients: people(20), chunkSize, concurrency: 2 })
    expect(taken.sort()).toEqual(goodAmong(20, bad))
    expect(invalidIndexes(report)).toEqual(bad)
    expect(report).toMatchObject({ accepted: 17, rejected: 3, resumeFrom: Math.ceil(20 / chunkSize), skipChunks: [] })
    expect(report.stoppedBy).toBeUndefined()
  })

  test('is reported by its index in the list, duplicates included', async () => {
    refuse([3])
    const recipients = [...people(2), ...people(2), ...people(5)]
    const report = await client.sendMany({ templateId, recipients })
    expect(report.invalidRecipients).toEqual([{ index: 7, ppnum: ppnumAt(3), code: 'not_found' }])
  })

  test('splits its chunk into parts with the receipts and the error', async () => {
    refuse([2])
    const [chunk] = (await client.sendMany({ templateId, recipients: people(4) })).chunks
    const whole = { index: 0, recipients: 4, outcome: 'rejected' }
    expect(chunk).toMatchObject({ ...whole, receipt: { id: 'snd_1' }, error: { code: 'not_found' } })
    const sizes = chunk?.parts?.map(({ from, recipients, receipt }) => [from, recipients, receipt !== undefined])
    expect(sizes?.filter(([, , isAccepted]) => isAccepted === false)).toEqual([[2, 1, false]])
    expect(chunk?.parts?.map(({ outcome, error }) => [outcome, error !== undefined])).toEqual(
      chunk?.parts?.map(({ from }) => (from === 2 ? ['rejected', true] : ['accepted', false])),
    )
    expect(sizes?.reduce((sum, [, size]) => sum + Number(size), 0)).toBe(4)
  })

  test('is not searched for endlessly if there are too many', async () => {
    // Everybody but one: finding that out costs two calls for each, as often as others were accepted.
    const bad = Array.from({ length: 2_999 }, (_, index) => index + 1)
    refuse(bad)
    const report = await client.sendMany({ templateId, recipients: people(3_000), chunkSize: 250, concurrency: 1 })
    expect(report.accepted).toBe(1)
    expect(world.pcs.calls.length).toBeLessThan(2_600)
    expect(report.rejected).toBe(2_999)
    // What was not looked through stays to be sent.
    expect(report.resumeFrom).toBeGreaterThan(0)
    expect(report.resumeFrom).toBeLessThan(12)
  })
})

describe('a request that PCS rejects as a whole', () => {
  test.each([
    [5, 'not_found', 'template tpl_01HQ does not exist'],
    [3, 'request_invalid', 'this template takes no poll'],
    [11, 'request_invalid', ''],
  ])(
    'stops the run after a few calls with status %d, reports no recipient, and can be resumed',
    async (code, expected, details) => {
      world.pcs.answer = () => ({ code, details })
      const source = watchedSource()
      const report = await client.sendMany({ templateId, recipients: source })
      expect(report).toMatchObject({
        stoppedBy: { code: expected },
        accepted: 0,
        unknown: 0,
        resumeFrom: 0,
        skipChunks: [],
      })
      expect([report.invalid, report.invalidRecipients, source.isClosed]).toEqual([undefined, undefined, true])
      expect(report.rejected).toBe(report.chunks.length * 1_000)
      expect(world.pcs.calls.length).toBeLessThanOrEqual(4 + 6)
    },
  )

  test('stops the run even if the list is too short to be sure', async () => {
    world.pcs.answer = () => ({ code: 5, details: 'template' })
    const report = await client.sendMany({ templateId, recipients: people(2) })
    expect(report).toMatchObject({ stoppedBy: { code: 'not_found' }, rejected: 2, resumeFrom: 0 })
    expect(report.invalidRecipients).toBeUndefined()
  })

  test('leaves the rest to be resumed if the template is deleted halfway', async () => {
    let calls = 0
    world.pcs.answer = () => (++calls > 3 ? { code: 9, details: 'inactive' } : { ok: RECEIPT })
    const report = await client.sendMany({ templateId, recipients: people(100), chunkSize: 10, concurrency: 1 })
    expect(report).toMatchObject({ stoppedBy: { code: 'precondition_failed' }, accepted: 30, resumeFrom: 3 })
  })
})

describe('while a rejected chunk is being halved', () => {
  /** Refuses whatever holds `bad`, and answers its `call`th call otherwise. */
  const disturb = (bad: number, at: number, disturbance: { code: number; details?: string }) => {
    const taken: string[] = []
    world.pcs.answer = (call) => {
      if (world.pcs.calls.length - 1 === at) return disturbance
      const numbers = numbersIn(call)
      if (numbers.includes(ppnumAt(bad))) return { code: 5, details: 'no such recipient' }
      taken.push(...numbers)
      return { ok: RECEIPT }
    }
    return taken
  }

  test.each([0, 1, 2, 3, 4])(
    'a send with an unknown outcome (call %d) is not retried, and everything else is sent once',
    async (at) => {
      const taken = disturb(5, at, { code: 14, details: 'Connection dropped' })
      const first = await client.sendMany({ templateId, recipients: people(16), chunkSize: 16 })
      expect(first.accepted + first.rejected + first.unknown).toBe(16)
      expect(first.unknown).toBeGreaterThan(0)
      const inDoubt = new Set(numbersIn(world.pcs.calls[at] as SeenCall))
      expect(new Set(taken).size).toBe(taken.length)
      expect(taken.filter((number) => inDoubt.has(number))).toEqual([])
    },
  )

  test('a run stopped by a quota leaves the remaining parts to the next run, and nothing is sent twice', async () => {
    const taken = disturb(5, 3, { code: 8, details: 'quota' })
    const request = { templateId, chunkSize: 8, concurrency: 1 } as const
    const first = await client.sendMany({ ...request, recipients: people(24) })
    expect(first.stoppedBy).toMatchObject({ code: 'quota_exceeded' })
    expect(first.resumeParts?.length).toBeGreaterThan(0)
    const { resumeFrom, skipChunks, resumeParts = [] } = first
    const rest = await client.sendMany({ ...request, recipients: people(24), resumeFrom, skipChunks, resumeParts })
    expect(taken.sort()).toEqual(goodAmong(24, [5]))
    expect(rest).toMatchObject({ unknown: 0, notSent: 0, resumeFrom: 3, skipChunks: [], invalid: 1 })
    expect([rest.resumeParts, rest.stoppedBy]).toEqual([undefined, undefined])
    expect(rest.accepted + rest.rejected + rest.skipped).toBe(24)
  })

  test('resuming with only resumeFrom and skipChunks sends to nobody twice', async () => {
    const taken = disturb(5, 3, { code: 8, details: 'quota' })
    const request = { templateId, chunkSize: 8, concurrency: 1 } as const
    const { resumeFrom, skipChunks } = await client.sendMany({ ...request, recipients: people(24) })
    await client.sendMany({ ...request, recipients: people(24), resumeFrom, skipChunks })
    expect(new Set(taken).size).toBe(taken.length)
  })
})

test('with random rejected recipients and chunk sizes, valid ones are sent to once and rejected ones are reported', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 60 }),
      fc.uniqueArray(fc.nat(59), { maxLength: 12 }),
      fc.integer({ min: 1, max: 25 }),
      fc.integer({ min: 1, max: 4 }),
      async (count, wrong, chunkSize, concurrency) => {
        const bad = wrong.filter((index) => index < count).sort((one, other) => one - other)
        const { taken } = refuse(bad)
        const told: ChunkReport[] = []
        const report = await client.sendMany({
          templateId,
          recipients: people(count),
          chunkSize,
          concurrency,
          onProgress: ({ chunk }) => {
            told.push(chunk)
          },
        })
        expect(new Set(taken).size).toBe(taken.length)
        expect(report.accepted).toBe(taken.length)
        expect(report.accepted + report.rejected + report.notSent).toBe(count)
        expect(told.length).toBe(report.chunks.length)
        if (report.stoppedBy) return
        expect(taken.sort()).toEqual(goodAmong(count, bad))
        expect(invalidIndexes(report)).toEqual(bad)
        expect(report.resumeFrom).toBe(Math.ceil(count / chunkSize))
      },
    ),
    { numRuns: 60 },
  )
})

describe('an invalid recipient', () => {
  const wrong: readonly unknown[] = [
    { ppnum: '123' },
    { ppnum: 12_312_345_678 },
    null,
    '12312345678',
    { ppnum: ppnumAt(70), vars: { at: new Date() } },
    { ppnum: ppnumAt(71), names: 'x' },
  ]
  const list = [...people(15), ...wrong, ...people(30).slice(15)] as Recipient[]

  test('with "skip" is left out and reported by its index, and by its ppnum if that is well-formed', async () => {
    const { taken } = refuse([])
    const request = { templateId, chunkSize: 10, onInvalidRecipient: 'skip' } as const
    const report = await client.sendMany({ ...request, recipients: list })
    expect(taken.sort()).toEqual(goodAmong(30, []))
    expect(report).toMatchObject({ accepted: 30, rejected: 6, invalid: 6, notSent: 0, resumeFrom: 3 })
    expect(report.invalidRecipients).toEqual([
      { index: 15, code: 'request_invalid' },
      { index: 16, code: 'request_invalid' },
      { index: 17, code: 'request_invalid' },
      { index: 18, code: 'request_invalid' },
      { index: 19, ppnum: ppnumAt(70), code: 'request_invalid' },
      { index: 20, ppnum: ppnumAt(71), code: 'request_invalid' },
    ])
  })

  test('stops the run by default', async () => {
    refuse([])
    await expect(client.sendMany({ templateId, chunkSize: 10, recipients: list })).rejects.toMatchObject({
      code: 'request_invalid',
      message: expect.stringContaining('"recipients[15].ppnum"'),
      report: { accepted: 10, notSent: 5 },
    })
  })

  test('with "skip" is not reported again for a skipped chunk, but is reported at the end of a list', async () => {
    refuse([])
    const recipients = [{ ppnum: 'x' }, ...people(20), { ppnum: 'y' }]
    const request = { templateId, recipients, chunkSize: 10, onInvalidRecipient: 'skip' } as const
    const report = await client.sendMany({ ...request, resumeFrom: 1 })
    expect(report).toMatchObject({ accepted: 10, skipped: 10, invalid: 1 })
    expect(report.invalidRecipients).toEqual([{ index: 21, code: 'request_invalid' }])
  })

  test('with "skip" is left out if it lacks a var that the template needs', async () => {
    world.pcs.answer = ({ method }) => ({ ok: method === 'CreateTemplate' ? { id: templateId, name: 'a' } : RECEIPT })
    await client.templates.create({ name: 'a', components: [{ type: 'text', content: 'Hello {{name}}' }] })
    const recipients = people(4).map(({ ppnum }, index) => (index === 2 ? { ppnum } : { ppnum, vars: { name: 'A' } }))
    const report = await client.sendMany({ templateId, recipients, onInvalidRecipient: 'skip' })
    expect(report).toMatchObject({ accepted: 3, rejected: 1 })
    expect(report.invalidRecipients).toEqual([{ index: 2, ppnum: ppnumAt(2), code: 'request_invalid' }])
  })

  test('with "skip" is listed up to 1,000 times, and always counted', async () => {
    refuse([])
    const recipients = Array.from({ length: 3_000 }, () => ({ ppnum: 'x' }))
    const report = await client.sendMany({ templateId, recipients, onInvalidRecipient: 'skip' })
    expect([report.invalid, report.rejected, report.invalidRecipients?.length]).toEqual([3_000, 3_000, 1_000])
    expect(world.pcs.calls.length).toBe(0)
  })
})
