import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { folder, list, numbersFrom, received, run, TEMPLATE, useWorker } from './worker-support.js'

useWorker()

interface Change {
  readonly rows?: readonly string[]
  readonly template?: string
  readonly chunkSize?: string
}

describe('wrong usage is one line and exit code 2:', () => {
  test.each([
    ['no file', ['--template', TEMPLATE], /^one CSV file is needed\. Usage: /],
    ['no template', ['people.csv'], /^--template <id> is needed\. Usage: /],
    ['a flag that is not there', ['people.csv', '--templat', 'x'], /^Unknown option '--templat'.* Usage: /],
    [
      'a chunk that is too large',
      ['a.csv', '--template', 'x', '--chunk-size', '1001'],
      /^--chunk-size must be a whole number from 1 to 1000/,
    ],
    ['a file that is not there', ['nowhere.csv', '--template', 'x'], /nowhere\.csv cannot be read \(ENOENT\)/],
    ['a folder', ['.', '--template', 'x'], /cannot be read \(EISDIR\)/],
  ])('%s', async (_what, args, line) => {
    const { code, errors } = await run(args)
    expect(code).toBe(2)
    expect(errors).toMatch(line)
    expect(errors.trimEnd().split('\n')).toHaveLength(1)
  })

  test.each([
    ['no column for the numbers', ['number', '12310000000'], /has no column "ppnum"/],
    ['a column twice', ['ppnum,name,name', '12310000000,a,b'], /has the column "name" twice/],
    ['no rows', ['ppnum'], /has no rows below its header line/],
    ['a row with too many fields', ['ppnum', '12310000000,x'], /is no proper CSV: .*line 2/],
  ])('a list with %s', async (_what, rows, line) => {
    const { code, errors } = await run([list('people.csv', rows), '--template', TEMPLATE])
    expect(code).toBe(2)
    expect(errors).toMatch(line)
    expect(errors.trimEnd().split('\n')).toHaveLength(1)
  })

  test.each([
    ['another list', { rows: numbersFrom(5, 3) }, /the list has changed since/],
    ['another template', { template: 'tpl_sandbox_poll' }, /it was about template tpl_sandbox_welcome/],
    ['another chunk size', { chunkSize: '7' }, /it was with --chunk-size 1000/],
  ])('a progress file of %s', async (_what, { rows, template = TEMPLATE, chunkSize = '1000' }: Change, line) => {
    await run([list('people.csv', ['ppnum', ...numbersFrom(0, 3)]), '--template', TEMPLATE])
    if (rows !== undefined) list('people.csv', ['ppnum', ...rows])
    const { code, errors } = await run(['people.csv', '--template', template, '--chunk-size', chunkSize])
    expect(code).toBe(2)
    expect(errors).toMatch(line)
    expect(received()).toHaveLength(3)
  })

  test('a progress file that is something else', async () => {
    const file = list('people.csv', ['ppnum', ...numbersFrom(0, 3)])
    writeFileSync(join(folder, 'people.csv.progress.json'), '{"version":1}')
    const { code, errors } = await run([file, '--template', TEMPLATE])
    expect(code).toBe(2)
    expect(errors).toContain('is not a progress file of this worker')
  })
})
