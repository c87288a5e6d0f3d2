import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../lib/build.mjs'
import { readManifest } from './repository.mjs'
import { outcomeOf } from './run.mjs'

const ALLOWED =
  /^(dist\/.+[.]d[.]ts|dist\/(library|load)[.]cjs|dist\/jest\/\w+[.](d[.]cts|cjs)|proto\/.+[.]proto|(docs|skills)\/.+[.](md|json)|llms[.]txt|README[.]md|LICENSE|(AGENTS|CHANGELOG|SECURITY)[.]md|package[.]json)$/
const REQUIRED = [
  'dist/library.cjs',
  'proto/ppoppo/external/v1/external.proto',
  'docs/README.md',
  'AGENTS.md',
  'llms.txt',
  'skills/express-ppoppo/SKILL.md',
  'docs/errors/closed.md',
  'README.md',
  'LICENSE',
  'SECURITY.md',
  'CHANGELOG.md',
  'package.json',
]

/**
 * The tarball holds what users need, nothing else, and nothing whose source is gone.
 * @param {import('./pack.mjs').Packed} packed
 */
export function checkContents({ contents }) {
  const named = listNamed()
  const isAllowed = (/** @type {string} */ path) => ALLOWED.test(path) || named.includes(path)
  return outcomeOf([
    ...contents.filter((path) => !isAllowed(path)).map((path) => `${path} must not be in the package`),
    ...contents.filter(isStale).map((path) => `${path} has no source any more: npm run build`),
    ...[...REQUIRED, ...named].filter((path) => !contents.includes(path)).map((path) => `${path} is missing`),
  ])
}

/** Files that package.json names: entries, their types, and the command line. */
function listNamed() {
  const { exports: entries = {}, bin = {} } = readManifest('')
  const paths = Object.values({ ...entries, bin }).flatMap((entry) =>
    typeof entry === 'string' ? entry : Object.values(entry),
  )
  return paths.map((path) => String(path).replace('./', ''))
}

/** @param {string} path */
function isStale(path) {
  if (!/^dist\/.*[.](d[.]ts|js)$/.test(path)) return false
  return !existsSync(join(ROOT, path.replace(/^dist\//, 'src/').replace(/([.]d[.]ts|[.]js)$/, '.ts')))
}
