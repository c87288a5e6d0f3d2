import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { libraryForTests } from '../../support/built-library.js'

let library: string
beforeAll(async () => {
  library = await libraryForTests()
})

/**
 * Runs in a process of its own: first 100,000, so that code and buffers are there; then the million. Garbage that V8
 * has not come to yet says nothing about the duplicate check, so it is collected before each reading.
 */
const PROGRAM = `
const [, sendManyFile, kind] = process.argv
const { createSendMany } = await import(sendManyFile)
const send = async ({ recipients }) => ({ id: 'x', status: 'queued', totalRecipients: recipients.length })
const sendMany = createSendMany({ send })
function* numbers(count) {
  for (let index = 0; index < count; index += 1) yield { ppnum: String(12300000000 + index * 7), vars: { name: 'Alex' } }
}
async function* asyncNumbers(count) {
  yield* numbers(count)
}
const list = kind === 'async' ? asyncNumbers : numbers
await sendMany({ templateId: 't', recipients: list(100000) })
gc()
const before = process.memoryUsage().rss
let most = before
const onProgress = ({ chunk }) => {
  if (chunk.index % 50 !== 49) return
  gc()
  most = Math.max(most, process.memoryUsage.rss())
}
const report = await sendMany({ templateId: 't', recipients: list(1000000), onProgress })
console.log(JSON.stringify({ accepted: report.accepted, chunks: report.chunks.length, grown: most - before }))
`

describe('1,000,000 recipients', () => {
  test.each(['sync', 'async'])('from a generator (%s): memory grows by less than 64 bytes each', async (kind) => {
    const sendManyFile = join(library, 'messaging/send-many/send-many.js')
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--expose-gc', '--input-type=module', '-e', PROGRAM, sendManyFile, kind],
      { env: { ...process.env, NODE_OPTIONS: '' } },
    )
    const told = JSON.parse(stdout) as { accepted: number; chunks: number; grown: number; ms: number }
    expect(told).toMatchObject({ accepted: 1_000_000, chunks: 1_000 })
    expect(told.grown).toBeLessThan(64 * 1_000_000)
  })
})
