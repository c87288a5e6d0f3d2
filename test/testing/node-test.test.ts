import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import { programsOf } from '../../scripts/check/doc-programs.mjs'
import { libraryForTests } from '../support/built-library.js'

const PAGE = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8')

test('the first program of docs/testing.md passes in node --test', async () => {
  const library = await libraryForTests()
  const [program = ''] = programsOf(PAGE)
  const file = join(library, 'account.test.js')
  await writeFile(
    file,
    program.replace("'express-ppoppo/testing'", "'./testing/index.js'").replace("'express-ppoppo'", "'./index.js'"),
  )
  const env = { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'test' }
  const { stdout } = await promisify(execFile)(process.execPath, ['--test', '--test-reporter=tap', file], { env })
  expect(stdout).toMatch(/^# pass 1$/m)
  expect(stdout).toMatch(/^# fail 0$/m)
})
