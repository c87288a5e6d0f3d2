/**
 * `npm run test:examples`: packs the library, installs every example with it in a folder of its own, as somebody who copied it
 * would, and runs the examples' tests there. Apart from `npm test`, because Nest, Vite, Vitest and the like are large.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pack } from './check/pack.mjs'
import { run } from './check/run.mjs'
import { build, ROOT } from './lib/build.mjs'
import { runToEnd, start, whenEnding } from './lib/processes.mjs'

const FLAGS = [
  '--prefer-offline',
  '--no-audit',
  '--no-fund',
  '--no-package-lock',
  '--ignore-scripts',
  '--loglevel=error',
]

await runToEnd(async () => {
  if (!(await build({ only: ['library'] }))) return 1
  const { file } = await pack()
  const folder = mkdtempSync(join(tmpdir(), 'ppoppo-examples-'))
  whenEnding(() => rmSync(folder, { recursive: true, force: true }))
  const names = readdirSync(join(ROOT, 'examples')).filter((name) => existsSync(manifestOf(name)))
  for (const name of names) if (!(await install(name, join(folder, name), file))) return 1
  const env = { ...process.env, EXAMPLES_INSTALLED: folder }
  const tests = start('node', ['scripts/test.mjs', 'test/examples'], { cwd: ROOT, env, stdio: 'inherit' })
  return new Promise((resolve) => tests.once('close', (code) => resolve(code ?? 1)))
})

/** @param {string} name */
function manifestOf(name) {
  return join(ROOT, 'examples', name, 'package.json')
}

/**
 * @param {string} name
 * @param {string} target
 * @param {string} tarball
 */
async function install(name, target, tarball) {
  mkdirSync(target)
  cpSync(join(ROOT, 'examples', name), target, { recursive: true })
  const { scripts = {} } = JSON.parse(readFileSync(manifestOf(name), 'utf8'))
  const steps = [['install', ...FLAGS, tarball], ...(scripts.build === undefined ? [] : [['run', 'build']])]
  for (const args of steps) {
    const { ok, output } = await run('npm', args, { cwd: target })
    console.log(`${ok ? 'ok    ' : 'FAILED'}  ${name}: npm ${args[0]} ${args[0] === 'run' ? args[1] : ''}`)
    if (!ok) console.log(output)
    if (!ok) return false
  }
  return true
}
