import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

/** What of the package an app's tests may import. */
const ENTRIES = ['index', 'messaging', 'testing', 'campaigns']
/** Dependencies that are ES modules only. All others are loaded from `node_modules`. */
const MODULES_ONLY = ['openid-client', 'oauth4webapi', 'jose']

/**
 * Writes `jest/` into a built library: the same library as CommonJS, in one file, for `express-ppoppo/jest-preset`. Jest in
 * CommonJS mode cannot load ES modules from `node_modules`, and compiling them would need packages that an app may not have.
 * @param {string} library
 */
export async function bundleForJest(library) {
  const folder = join(library, 'jest')
  mkdirSync(folder, { recursive: true })
  const parts = ENTRIES.map((entry) => `get ${entry}() { return require('./${fileOf(entry)}') }`)
  await build({
    stdin: { contents: `module.exports = { ${parts.join(', ')} }`, resolveDir: library },
    bundle: true,
    outfile: join(folder, 'library.cjs'),
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    minify: true,
    legalComments: 'inline',
    logLevel: 'error',
    plugins: [{ name: 'packages stay outside', setup: leavePackagesOutside }],
  })
  for (const entry of ENTRIES) {
    writeFileSync(join(folder, `${entry}.cjs`), `module.exports = require('./library.cjs').${entry}\n`)
  }
  writeFileSync(join(folder, 'preset.cjs'), PRESET)
  writeFileSync(join(folder, 'preset.d.cts'), PRESET_TYPES)
}

/** @param {string} entry */
function fileOf(entry) {
  return entry === 'index' ? 'index.js' : `${entry}/index.js`
}

/** @param {import('esbuild').PluginBuild} build */
function leavePackagesOutside({ onResolve }) {
  onResolve({ filter: /^[^./]/ }, ({ path }) =>
    MODULES_ONLY.includes(path.split('/', 1)[0] ?? '') ? undefined : { path, external: true },
  )
}

const PRESET_TYPES = `/** Where Jest finds express-ppoppo as CommonJS. */
export declare const moduleNameMapper: Record<string, string>
`
const PRESET = `const { join } = require('node:path')

/** For Jest in CommonJS mode: express-ppoppo as CommonJS, so that nothing has to be compiled. */
exports.moduleNameMapper = {
  '^express-ppoppo$': join(__dirname, 'index.cjs'),
  '^express-ppoppo/(messaging|testing|campaigns)$': join(__dirname, '$1.cjs'),
}
`
