import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../lib/build.mjs'
import { readManifest } from './repository.mjs'
import { outcomeOf } from './run.mjs'

const ALLOWED =
  /^(dist\/.+[.](js|d[.]ts)|dist\/jest\/\w+[.](d[.]cts|cjs)|proto\/.+[.]proto|(docs|skills)\/.+[.](md|json)|llms[.]txt|README[.]md|LICENSE|SECURITY[.]md|CHANGELOG[.]md|package[.]json)$/
const REQUIRED = [
  'dist/index.js',
  'dist/index.d.ts',
  'dist/messaging/index.js',
  'dist/messaging/index.d.ts',
  'dist/testing/index.js',
  'dist/testing/index.d.ts',
  'dist/observability/otel.js',
  'dist/observability/otel.d.ts',
  'dist/browser/react.js',
  'dist/jest/preset.cjs',
  'proto/ppoppo/external/v1/external.proto',
  'docs/README.md',
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
  const bins = Object.values(readManifest('')['bin'] ?? {})
  return outcomeOf([
    ...contents.filter((path) => !ALLOWED.test(path)).map((path) => `${path} must not be in the package`),
    ...contents.filter(isStale).map((path) => `${path} has no source any more: npm run build`),
    ...[...REQUIRED, ...bins].filter((path) => !contents.includes(path)).map((path) => `${path} is missing`),
  ])
}

/** @param {string} path */
function isStale(path) {
  if (!path.startsWith('dist/') || path.startsWith('dist/jest/')) return false
  return !existsSync(join(ROOT, path.replace(/^dist\//, 'src/').replace(/([.]d[.]ts|[.]js)$/, '.ts')))
}
