/**
 * `npm run test:examples`: packs the library, installs every example with it in a folder of its own, as somebody who copied it
 * would, and runs the examples' tests there; likewise the projects whose sources are on a page of docs/. Apart from
 * `npm test`, because Nest, Vite, Vitest and the like are large.
 */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
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
  const projects = ['examples', 'test/examples/pages'].flatMap(projectsIn)
  for (const source of projects) if (!(await install(source, join(folder, basename(source)), file))) return 1
  const env = { ...process.env, EXAMPLES_INSTALLED: folder }
  const tests = start('node', ['scripts/test.mjs', 'test/examples'], { cwd: ROOT, env, stdio: 'inherit' })
  return new Promise((resolve) => tests.once('close', (code) => resolve(code ?? 1)))
})

/** @param {string} folder */
function projectsIn(folder) {
  const all = readdirSync(join(ROOT, folder)).map((name) => join(ROOT, folder, name))
  return all.filter((project) => existsSync(join(project, 'package.json')))
}

/**
 * @param {string} source
 * @param {string} target
 * @param {string} tarball
 */
async function install(source, target, tarball) {
  cpSync(source, target, { recursive: true })
  const { scripts = {} } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
  const steps = [['install', ...FLAGS, tarball], ...(scripts.build === undefined ? [] : [['run', 'build']])]
  for (const args of steps) {
    const { ok, output } = await run('npm', args, { cwd: target })
    console.log(`${ok ? 'ok    ' : 'FAILED'}  ${basename(source)}: npm ${args[0]} ${args[0] === 'run' ? args[1] : ''}`)
    if (!ok) console.log(output)
    if (!ok) return false
  }
  return true
}
