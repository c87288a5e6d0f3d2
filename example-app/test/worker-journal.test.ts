import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { PpoppoError } from 'express-ppoppo'
import { openJournal } from '../src/worker/journal.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const open = (startOver = false) =>
  openJournal({ file: join(folder, 'a.csv'), template: 'tpl', chunkSize: 10, startOver }, { sha256: 'abc' })
const counts = { accepted: 0, rejected: 0, unknown: 0, duplicates: 0, skipped: 0, notSent: 0 }
const report = { ...counts, resumeFrom: 1, skipChunks: [] }

describe('the journal', () => {
  test.each(['rejected', 'unknown'] as const)('keeps of a chunk what the library says of it: %s', async (outcome) => {
    const journal = open()
    const error = new DOMException('aborted', 'AbortError')
    await journal.close({ ...report, chunks: [{ index: 0, recipients: 10, outcome, error }] }, { isDone: false })
    expect(journal.chunks).toMatchObject([{ index: 0, outcome }])
  })

  test('is on the disk before anything is sent, and keeps what an earlier run wrote', async () => {
    await open().start()
    const content = () => JSON.parse(readFileSync(open().file, 'utf8')) as unknown
    expect(content()).toMatchObject({ resumeFrom: 0, skipChunks: [], isDone: false, chunks: [] })
    const outcome = 'unknown' as const
    const chunk = { index: 0, recipients: 10, outcome, error: new PpoppoError('send_outcome_unknown', 'broke') }
    await open().close({ ...report, chunks: [chunk] }, { isDone: false })
    await open().start()
    expect(content()).toMatchObject({ resumeFrom: 1, chunks: [{ index: 0, outcome: 'unknown' }] })
    await open(true).start()
    expect(content()).toMatchObject({ resumeFrom: 0, chunks: [] })
  })

  test('of a chunk that was sent in parts keeps each, and what a later run says of one stands', async () => {
    const receipt = (id: string) => ({ id, status: 'queued', totalRecipients: 1 }) as const
    const [refused, quota] = [new PpoppoError('not_found', 'no'), new PpoppoError('quota_exceeded', 'no')]
    const parts = [
      { from: 0, recipients: 4, outcome: 'accepted', receipt: receipt('snd_1') },
      { from: 4, recipients: 1, outcome: 'rejected', error: refused },
      { from: 5, recipients: 5, outcome: 'rejected', error: quota },
    ] as const
    const invalidRecipients = [{ index: 4, ppnum: '12300000004', code: 'not_found' } as const]
    const resumeParts = [{ chunk: 0, from: 5, to: 10 }]
    const outcome = 'rejected' as const
    const chunk = { index: 0, recipients: 10, outcome, receipt: receipt('snd_1'), error: refused, parts }
    const first = open()
    await first.close({ ...report, chunks: [chunk], invalidRecipients, resumeParts }, { isDone: false })
    expect(first.counts()).toEqual({ accepted: 4, rejected: 6, unknown: 0 })

    const next = open()
    expect(next.position).toEqual({ resumeFrom: 1, skipChunks: [], resumeParts })
    const rest = {
      index: 0,
      recipients: 5,
      outcome: 'accepted',
      receipt: receipt('snd_2'),
      parts: [{ from: 5, recipients: 5, outcome: 'accepted', receipt: receipt('snd_2') }],
    } as const
    await next.close({ ...report, chunks: [rest] }, { isDone: true })
    expect(next.counts()).toEqual({ accepted: 9, rejected: 1, unknown: 0 })
    expect(open()).toMatchObject({
      isDone: true,
      position: { resumeFrom: 1, skipChunks: [] },
      refused: [{ ppnum: '12300000004', code: 'not_found' }],
      chunks: [{ sendRequestId: 'snd_1' }, { from: 4, outcome: 'rejected' }, { from: 5, sendRequestId: 'snd_2' }],
    })
    expect(open().position.resumeParts).toBeUndefined()
  })

  test('that cannot be written says so before anything is sent', async () => {
    const journal = open()
    mkdirSync(`${journal.file}.new`)
    await expect(journal.start()).rejects.toThrow(/^Nothing was sent: .* cannot be written \(EISDIR\)\.$/)
  })
})
