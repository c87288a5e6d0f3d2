import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../lib/build.mjs'
import { whenEnding } from '../lib/processes.mjs'
import { readManifest } from './repository.mjs'
import { run } from './run.mjs'

/** How the two kinds of TypeScript project find a package. */
const RESOLUTIONS = [
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
]

const FLAGS = ['--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error']

/**
 * Installs the packed library into an empty project, outside of the repository, and uses it in every way it promises.
 * @param {import('./pack.mjs').Packed} packed
 * @param {4 | 5} expressMajor
 * @returns {Promise<import('./run.mjs').Outcome>}
 */
export async function checkInstall({ file }, expressMajor) {
  const cwd = createConsumer()
  const versions = readManifest('')['devDependencies'] ?? {}
  const packages = [
    `express@${expressMajor}`,
    `@types/express@${expressMajor}`,
    ...['express-session', '@types/express-session', 'ioredis', '@types/node', 'typescript'].map(
      (name) => `${name}@${versions[name]}`,
    ),
  ]
  return runAll(cwd, [
    ['npm', 'install', ...FLAGS, '--ignore-scripts', file, ...packages],
    ['node', 'esm.mjs'],
    ['node', '--disable-warning=ExperimentalWarning', 'require.cjs'],
    ...RESOLUTIONS.map(([module, resolution]) => [
      join(cwd, 'node_modules/.bin/tsc'),
      ...['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--types', 'node'],
      // Our own declarations are checked too, against this version's of Express.
      ...['--skipLibCheck', 'false', '--module', `${module}`, '--moduleResolution', `${resolution}`, 'app.ts'],
    ]),
  ])
}

/**
 * Installs what was committed last, as a git dependency of an empty project: nothing is built there but by `prepare`.
 * @returns {Promise<import('./run.mjs').Outcome>}
 */
export async function checkGitInstall() {
  const cwd = createConsumer()
  const versions = readManifest('')['devDependencies'] ?? {}
  const peers = ['express', 'express-session', 'ioredis'].map((name) => `${name}@${versions[name]}`)
  return runAll(cwd, [
    ['npm', 'install', ...FLAGS, `git+file://${ROOT}`, ...peers],
    ['node', 'esm.mjs'],
  ])
}

/** @returns {string} the folder of an empty project, which goes when the program ends */
function createConsumer() {
  const cwd = mkdtempSync(join(tmpdir(), 'ppoppo-install-'))
  whenEnding(() => rmSync(cwd, { recursive: true, force: true }))
  cpSync(join(ROOT, 'test/package/consumer'), cwd, { recursive: true })
  writeFileSync(join(cwd, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  return cwd
}

/**
 * One after the other, up to the first that fails.
 * @param {string} cwd
 * @param {readonly (readonly string[])[]} steps
 * @returns {Promise<import('./run.mjs').Outcome>}
 */
async function runAll(cwd, steps) {
  for (const [command = '', ...args] of steps) {
    const { ok, output } = await run(command, args, { cwd })
    if (!ok) return { ok, output: `${command} ${args.join(' ')}\n${output}`.replaceAll(cwd, '.') }
  }
  return { ok: true, output: '' }
}
