import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import { libraryForTests } from '../support/built-library.js'

const run = promisify(execFile)

async function load(environment: string): Promise<string> {
  const library = await libraryForTests()
  const program = `import('${library}/testing/index.js').then(() => console.log('loaded'), (e) => console.log(e.code, e.message))`
  const { stdout } = await run(process.execPath, ['-e', program], { env: { PATH: '', NODE_ENV: environment } })
  return stdout
}

test('express-ppoppo/testing does not load in production, and says why', async () => {
  expect(await load('test')).toBe('loaded\n')
  expect(await load('production')).toMatch(/^config_invalid .*does not load with NODE_ENV=production/)
})
