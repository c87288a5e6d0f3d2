import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { runProgram } from '../../support/built-library.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ppoppo-cli-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** In a process of its own: the command loads what lies on the disk. */
async function runIn(cwd: string, ...args: string[]): Promise<{ code: number | null; output: string }> {
  return runProgram(`
    import { run } from './cli/commands.js'
    import { processIo } from './cli/io.js'
    process.chdir(${JSON.stringify(cwd)})
    process.exitCode = await run(['sandbox', ...${JSON.stringify(args)}], processIo)
  `)
}

test('sandbox runs the ppoppo-sandbox of the project, with the same arguments and exit code', async () => {
  const home = join(folder, 'node_modules/ppoppo-sandbox')
  mkdirSync(home, { recursive: true })
  writeFileSync(join(home, 'package.json'), JSON.stringify({ type: 'module', exports: { './cli': './cli.js' } }))
  writeFileSync(
    join(home, 'cli.js'),
    'export const runCommandLine = async (args) => (console.log(JSON.stringify(args)), 7)\n',
  )
  const { code, output } = await runIn(folder, '--pas-port', '0', '--open')
  expect([code, output.trim()]).toEqual([7, '["--pas-port","0","--open"]'])
})

test('sandbox passes an unknown flag on, and returns what it answers', async () => {
  const { code, output } = await runIn(process.cwd(), '--no-such-flag')
  expect(code).toBe(2)
  expect(output).toMatch(/^ppoppo-sandbox: Unknown option '--no-such-flag'/)
})
