import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { build } from 'esbuild'

/** What people import, by its name in `library.cjs`: files of `src/`, and of a build. */
const ENTRIES = {
  index: 'index',
  messaging: 'messaging/index',
  testing: 'testing/index',
  campaigns: 'campaigns/index',
  otel: 'observability/otel',
}
/** What an app's tests may import, in Jest's CommonJS mode too. */
const IN_JEST = /** @type {const} */ (['index', 'messaging', 'testing', 'campaigns'])
/** A dependency that is ES modules only: `library.cjs` is given it by who loads it, since not all can `require` those. */
const MODULES_ONLY = 'openid-client'
/** Its imports as esbuild writes them: the names are in braces. */
const IMPORT_OF_MODULES = new RegExp(`import \\{([^}]*)\\} from "${MODULES_ONLY}"`, 'g')

/** @type {import('esbuild').BuildOptions} */
const COMMON = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  charset: 'utf8',
  packages: 'external',
  // Else what a file does when it is loaded is left out: package.json says `sideEffects: false`.
  ignoreAnnotations: true,
  tsconfigRaw: { compilerOptions: { target: 'ES2023', verbatimModuleSyntax: true } },
  logLevel: 'error',
}

/**
 * Without indentation, which is a fifth, and with the shorter syntax. Names stay, except those of function expressions, and lines
 * are short, so that a stack says where it was.
 * @type {import('esbuild').BuildOptions}
 */
const SHORT = { minifyWhitespace: true, minifySyntax: true, lineLimit: 200, legalComments: 'none' }

/**
 * Writes the library as JavaScript: nearly all of it into one file, `library.cjs`, since 300 files take 200 ms to load, and
 * for each entry a small ES module that says what of it is exported. A file of the sources still runs when it is first
 * imported, and there is one copy of it for all entries, the command line, and Jest.
 * @param {string} sources
 * @param {string} folder
 */
export async function bundleLibrary(sources, folder) {
  const [{ used, ofModules }, lent] = await Promise.all([
    findNames(sources),
    bundleCommandLine(sources, folder),
    bundleReact(sources, folder),
  ])
  await bundleForJest(folder, ofModules)
  const parts = [...Object.entries(ENTRIES), ...lent.map((file) => [file, file])]
  const getters = parts.map(([name, file]) => `get '${name}'() { return require('./${file}.ts') },`)
  // webpack renames the members of an object literal that is `module.exports`, but not its getters: hence a variable.
  await build({
    ...COMMON,
    ...SHORT,
    stdin: {
      contents: `const given = require('given:')
const library = { provide(modules) { Object.assign(given, modules) }, ${getters.join(' ')} }
module.exports = library`,
      resolveDir: sources,
    },
    outfile: join(folder, 'library.cjs'),
    format: 'cjs',
    plugins: [{ name: 'given modules', setup: takeGivenModules }],
  })
  write(join(folder, 'load.cjs'), LOAD)
  for (const [name, file] of Object.entries(ENTRIES)) {
    write(join(folder, `${file}.js`), entryOf(name, relative(dirname(file), 'load.cjs'), used[file]))
  }
}

/**
 * The command line, without what it has in common with the rest.
 * @param {string} sources
 * @param {string} folder
 * @returns {Promise<readonly string[]>} what `library.cjs` has to lend it: files of `src/`
 */
async function bundleCommandLine(sources, folder) {
  /** @type {Set<string>} */
  const lent = new Set()
  await build({
    ...COMMON,
    ...SHORT,
    // Nobody debugs it within an app: only the names that a stack shows have to stay.
    minifyIdentifiers: true,
    keepNames: true,
    entryPoints: [join(sources, 'cli/main.ts')],
    outfile: join(folder, 'cli/main.js'),
    format: 'esm',
    banner: { js: CLI_START },
    plugins: [{ name: 'lent files', setup: borrow }],
  })
  return [...lent].sort()

  /** @param {import('esbuild').PluginBuild} build */
  function borrow({ onResolve, onLoad }) {
    onResolve({ filter: /^[.]/ }, ({ path, resolveDir, namespace }) => {
      if (namespace === 'lent') return { path, external: true }
      const file = relative(sources, join(resolveDir, path)).replace(/[.](js|ts)$/, '')
      if (file.startsWith('cli/') || resolveDir === '') return undefined
      lent.add(file)
      return { path: file, namespace: 'lent' }
    })
    onLoad({ filter: /./, namespace: 'lent' }, ({ path }) => ({
      contents: `module.exports = require('../load.cjs').library['${path}']`,
    }))
  }
}

/**
 * For browsers: on its own, so that bundlers find nothing of Node.
 * @param {string} sources
 * @param {string} folder
 */
async function bundleReact(sources, folder) {
  await build({
    ...COMMON,
    entryPoints: [join(sources, 'browser/react.ts')],
    outfile: join(folder, 'browser/react.js'),
    format: 'esm',
  })
}

/**
 * What each entry exports, and whether it needs what is an ES module only; and what all of them import from that.
 * @param {string} sources
 * @returns {Promise<{
 *   used: Record<string, { exports: readonly string[], needsModules: boolean }>
 *   ofModules: readonly string[]
 * }>}
 */
async function findNames(sources) {
  const { metafile, outputFiles } = await build({
    ...COMMON,
    entryPoints: Object.values(ENTRIES).map((file) => join(sources, `${file}.ts`)),
    outbase: sources,
    outdir: sources,
    format: 'esm',
    write: false,
    metafile: true,
  })
  const used = Object.fromEntries(
    Object.values(metafile.outputs).map(({ entryPoint = '', exports, imports }) => [
      relative(sources, entryPoint).replace(/[.]ts$/, ''),
      { exports, needsModules: imports.some(({ path }) => path === MODULES_ONLY) },
    ]),
  )
  const imported = outputFiles.flatMap(({ text }) => [...text.matchAll(IMPORT_OF_MODULES)])
  const mentions = outputFiles.flatMap(({ text }) => text.split(`"${MODULES_ONLY}"`).slice(1))
  if (imported.length === 0 || mentions.length > imported.length)
    throw new Error(`${MODULES_ONLY} is imported in another way than by "import { names }", so the names are not known`)
  const ofModules = imported.flatMap(([, names = '']) =>
    names.split(',').map((name) => name.trim().replace(/ as .*/, '')),
  )
  return { used, ofModules: [...new Set(ofModules)].sort() }
}

/**
 * @param {string} name
 * @param {string} library
 * @param {{ exports: readonly string[], needsModules: boolean } | undefined} used
 */
function entryOf(name, library, used) {
  const path = library.startsWith('.') ? library : `./${library}`
  const { exports = [], needsModules = true } = used ?? {}
  return [
    ...(needsModules ? [`import * as modules from '${MODULES_ONLY}'`] : []),
    `import { library } from '${path}'`,
    '',
    ...(needsModules ? [`library.provide({ '${MODULES_ONLY}': modules })`] : []),
    `export const { ${exports.join(', ')} } = library.${name}`,
    '',
  ].join('\n')
}

/**
 * Jest in CommonJS mode cannot load ES modules from `node_modules`, and compiling them would need packages that an app may
 * not have. So `jest/` has what is needed as CommonJS, for `express-ppoppo/jest-preset`.
 * @param {string} library
 * @param {readonly string[]} ofModules what the library imports from what is ES modules only: the rest of it, two thirds,
 * nobody would use
 */
async function bundleForJest(library, ofModules) {
  const folder = join(library, 'jest')
  await build({
    stdin: { contents: `export { ${ofModules.join(', ')} } from '${MODULES_ONLY}'`, resolveDir: import.meta.dirname },
    bundle: true,
    platform: 'node',
    target: 'node20',
    outfile: join(folder, 'modules.cjs'),
    format: 'cjs',
    minify: true,
    legalComments: 'inline',
    logLevel: 'error',
  })
  for (const name of IN_JEST) {
    const given = `library.provide({ '${MODULES_ONLY}': require('./modules.cjs') })`
    const text = `const library = require('../library.cjs')\n\n${given}\nmodule.exports = library.${name}\n`
    write(join(folder, `${name}.cjs`), text)
  }
  write(join(folder, 'preset.cjs'), PRESET)
  write(join(folder, 'preset.d.cts'), PRESET_TYPES)
}

/** @param {import('esbuild').PluginBuild} build */
function takeGivenModules({ onResolve, onLoad }) {
  onResolve({ filter: /^(given:|openid-client)$/ }, ({ path }) => ({ path, namespace: 'given' }))
  onLoad({ filter: /./, namespace: 'given' }, ({ path }) => ({
    contents: path === 'given:' ? 'module.exports = {}' : `module.exports = require('given:')['${path}']`,
  }))
}

/** @param {string} file @param {string} text */
function write(file, text) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

// Node reads all of a CommonJS file that a module imports, in search of names: of `library.cjs` that would take 100 ms.
const LOAD = `const library = require('./library.cjs')

exports.library = library
`
const CLI_START = `import { createRequire as requireFrom } from 'node:module'
import * as givenModules from '${MODULES_ONLY}'
const require = requireFrom(import.meta.url)
require('../load.cjs').library.provide({ '${MODULES_ONLY}': givenModules })`
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
