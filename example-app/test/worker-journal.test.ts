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
const report = { accepted: 0, rejected: 0, unknown: 0, duplicates: 0, notSent: 0, resumeFrom: 1, skipChunks: [] }

describe('the journal', () => {
  test.each([
    ['an error of the library', new PpoppoError('request_invalid', 'no'), 'rejected'],
    ['an outcome nobody knows', new PpoppoError('send_outcome_unknown', 'broke'), 'unknown'],
    ['a client that was closed', new PpoppoError('closed', 'closed'), 'unknown'],
    ['a send that was cut off', new DOMException('aborted', 'AbortError'), 'unknown'],
    ['any other error', new TypeError('oops'), 'unknown'],
  ])('after %s says what is sure', async (_what, error, outcome) => {
    const journal = open()
    await journal.close({ ...report, chunks: [{ index: 0, recipients: 10, error }] }, { isDone: false })
    expect(journal.chunks).toMatchObject([{ index: 0, outcome }])
  })

  test('is on the disk before anything is sent, and keeps what an earlier run wrote', async () => {
    await open().start()
    const content = () => JSON.parse(readFileSync(open().file, 'utf8')) as unknown
    expect(content()).toMatchObject({ resumeFrom: 0, skipChunks: [], isDone: false, chunks: [] })
    const chunk = { index: 0, recipients: 10, error: new PpoppoError('send_outcome_unknown', 'broke') }
    await open().close({ ...report, chunks: [chunk] }, { isDone: false })
    await open().start()
    expect(content()).toMatchObject({ resumeFrom: 1, chunks: [{ index: 0, outcome: 'unknown' }] })
    await open(true).start()
    expect(content()).toMatchObject({ resumeFrom: 0, chunks: [] })
  })

  test('that cannot be written says so before anything is sent', async () => {
    const journal = open()
    mkdirSync(`${journal.file}.new`)
    await expect(journal.start()).rejects.toThrow(/^Nothing was sent: .* cannot be written \(EISDIR\)\.$/)
  })
})
