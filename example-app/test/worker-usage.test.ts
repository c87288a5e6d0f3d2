import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { folder, list, numbersFrom, received, run, sandbox, TEMPLATE, useWorker } from './worker-support.js'

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

  // "홍길동" as Excel in Korea writes it by its plain "CSV".
  const cp949 = Buffer.from([0xc8, 0xab, 0xb1, 0xe6, 0xb5, 0xbf])
  test.each([
    ['CP949 on its third line', Buffer.concat([Buffer.from('ppnum,name\n12310000000,Alex\n12310000001,'), cp949]), 3],
    ['CP949 in its header', Buffer.concat([Buffer.from('ppnum,'), cp949, Buffer.from('\r\n12310000000,x\r\n')]), 1],
    [
      'ISO 2022, which is all ASCII',
      Buffer.from('ppnum,name\n12310000000,Kim\n12310000001,\u001b$)C\u000eH+1f5?\u000f\n'),
      3,
    ],
    ['UTF-16 with a byte order mark', Buffer.from('\ufeffppnum\n12310000000\n', 'utf16le'), 1],
    ['UTF-16 without one', Buffer.from('ppnum\n12310000000\n', 'utf16le'), 1],
    ['UTF-8 that breaks off', Buffer.from('ppnum,name\n12310000000,한').subarray(0, -1), 2],
    [
      'something else after 9,000 good lines',
      Buffer.from(`ppnum,name\n${'12310000000,x\n'.repeat(9_000)}1,\xff`, 'latin1'),
      9_002,
    ],
  ])('a list in %s is refused by its line, with what to do, and nothing is sent', async (_what, bytes, line) => {
    writeFileSync(join(folder, 'people.csv'), bytes)
    const { code, errors } = await run(['people.csv', '--template', TEMPLATE, '--skip-bad'])
    expect(errors).toMatch(new RegExp(`people\\.csv: line ${line} is not UTF-8 text\\. Save the list as "CSV UTF-8"`))
    expect([code, received()]).toEqual([2, []])
  })

  test('a list whose letters were lost before is refused by its line', async () => {
    writeFileSync(join(folder, 'people.csv'), 'ppnum,name\n12310000000,Alex\n12310000001,\ufffd\ufffd\n')
    const { code, errors } = await run(['people.csv', '--template', TEMPLATE, '--skip-bad'])
    expect(errors).toMatch(/people\.csv: line 3 holds \ufffd: letters were lost/)
    expect([code, received()]).toEqual([2, []])
  })

  test('a column whose name macOS has decomposed fills the placeholder of its name', async () => {
    writeFileSync(join(folder, 'mac.csv'), `ppnum,${'이름'.normalize('NFD')}\n12310000000,Kim\n`)
    const before = sandbox.control.pcs.sends.length
    expect((await run(['mac.csv', '--template', TEMPLATE])).code).toBe(0)
    const [sent] = sandbox.control.pcs.sends.slice(before).flatMap(({ recipients }) => recipients)
    expect(sent?.vars).toEqual({ ['이름'.normalize('NFC')]: 'Kim' })
  })

  test('Korean in UTF-8, with and without a byte order mark, across chunks of the file, is sent as it is', async () => {
    for (const mark of ['', '\ufeff']) {
      writeFileSync(
        join(folder, `people${mark.length}.csv`),
        `${mark}ppnum,name,more\n12310000000,홍길동,${'가나다'.repeat(30_000)}\n`,
      )
      const { code } = await run([`people${mark.length}.csv`, '--template', TEMPLATE])
      expect(code).toBe(0)
    }
    const vars = sandbox.control.pcs.sends.flatMap(({ recipients }) => recipients.map((recipient) => recipient.vars))
    expect(vars).toMatchObject([{ name: '홍길동' }, { name: '홍길동' }])
  })

  test('what a list makes of the terminal is printed, not obeyed', async () => {
    const red = '\u001b[31m'
    const { code, output, errors } = await run([
      list('people.csv', ['ppnum', `${red}123`, '\u009b2J\u202e']),
      '--template',
      TEMPLATE,
    ])
    expect(code).toBe(2)
    expect(output).toContain('line 2: "\\u001b[31m123" is not')
    expect(output).toContain('line 3: "\\u009b2J\\u202e" is not')
    const header = await run([list('header.csv', [`ppnum,${red}x,${red}x`, '1,2,3']), '--template', TEMPLATE])
    expect(header.errors).toContain('the column "\\u001b[31mx" twice')
    for (const text of [output, errors, header.errors]) {
      expect(['\u001b', '\u009b', '\u202e'].filter((character) => text.includes(character))).toEqual([])
    }
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
