/**
 * `npm run release [-- sandbox] [-- --dry-run]`: publishes the library, or the sandbox, from the release workflow. It refuses
 * where something is missing, and says what. `npm run check` and the tests come before, in the workflow.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { readManifest, readText } from './check/repository.mjs'
import { ROOT } from './lib/build.mjs'
import { releaseFaults } from './lib/release-faults.mjs'

const PACKAGES = {
  library: { folder: '', tagPrefix: 'v', args: /** @type {string[]} */ ([]) },
  sandbox: { folder: 'sandbox', tagPrefix: 'sandbox-v', args: ['--workspace', 'ppoppo-sandbox'] },
}

const asked = process.argv.slice(2)
const { folder, tagPrefix, args } = PACKAGES[asked.includes('sandbox') ? 'sandbox' : 'library']
const manifest = /** @type {Record<string, unknown>} */ (readManifest(folder))
const tag = `${tagPrefix}${manifest['version']}`

/** @param {readonly string[]} words */
const git = (...words) => execFileSync('git', words, { cwd: ROOT, encoding: 'utf8' }).split('\n').filter(Boolean)

const faults = releaseFaults({
  manifest,
  tag,
  // The sandbox's changes stand in a chapter of the library's version.
  changelog: folder === '' ? readText('CHANGELOG.md') : `## ${manifest['version']}\n`,
  tags: git('tag', '--points-at', 'HEAD'),
  changedFiles: git('status', '--porcelain').map((line) => line.slice(3)),
})
if (faults.length > 0) {
  console.error(`${tag} is not published:\n${faults.map((fault) => `- ${fault}`).join('\n')}`)
  process.exit(1)
}
const flags = asked.includes('--dry-run') ? ['--dry-run'] : []
execFileSync('npm', ['publish', ...args, ...flags], { cwd: join(ROOT), stdio: 'inherit' })
