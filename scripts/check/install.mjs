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

/**
 * Installs the packed library into an empty project, outside of the repository, and uses it in every way it promises.
 * @param {import('./pack.mjs').Packed} packed
 * @param {4 | 5} expressMajor
 * @returns {Promise<import('./run.mjs').Outcome>}
 */
export async function checkInstall({ file }, expressMajor) {
  const cwd = mkdtempSync(join(tmpdir(), 'ppoppo-install-'))
  whenEnding(() => rmSync(cwd, { recursive: true, force: true }))
  cpSync(join(ROOT, 'test/package/consumer'), cwd, { recursive: true })
  writeFileSync(join(cwd, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))

  const versions = readManifest('')['devDependencies'] ?? {}
  const packages = [
    `express@${expressMajor}`,
    `@types/express@${expressMajor}`,
    ...['express-session', '@types/express-session', 'ioredis', '@types/node', 'typescript'].map(
      (name) => `${name}@${versions[name]}`,
    ),
  ]
  const flags = [
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
    '--ignore-scripts',
    '--loglevel=error',
  ]
  const steps = [
    ['npm', 'install', ...flags, file, ...packages],
    ['node', 'esm.mjs'],
    ['node', '--disable-warning=ExperimentalWarning', 'require.cjs'],
    ...RESOLUTIONS.map(([module, resolution]) => [
      join(cwd, 'node_modules/.bin/tsc'),
      ...['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--types', 'node'],
      // Our own declarations are checked too, against this version's of Express.
      ...['--skipLibCheck', 'false', '--module', `${module}`, '--moduleResolution', `${resolution}`, 'app.ts'],
    ]),
  ]
  for (const [command = '', ...args] of steps) {
    const { ok, output } = await run(command, args, { cwd })
    if (!ok) return { ok, output: `${command} ${args.join(' ')}\n${output}`.replaceAll(cwd, '.') }
  }
  return { ok: true, output: '' }
}
