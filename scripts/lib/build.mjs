import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleLibrary } from './bundle.mjs'
import { copyDeclarations } from './declarations.mjs'
import { exitCodeOf, start } from './processes.mjs'

/** The repository. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')
const SOURCES = join(ROOT, 'src')
const LIBRARY = join(ROOT, 'dist')
const TSC = fileURLToPath(import.meta.resolve('typescript/bin/tsc'))

/** In the order in which they need each other. */
const PROJECTS = { library: 'tsconfig.build.json', sandbox: 'sandbox', 'example-app': 'example-app' }
/** Where `tsc` writes what it says of the types of the library: all of it, of which `dist/` gets what people can reach. */
const DECLARATIONS = '.cache/library'
const OUTPUTS = ['dist', DECLARATIONS, 'sandbox/dist', 'example-app/dist']

/**
 * Compiles what has changed since the last time.
 * Without `checksTypes` it leaves out what takes most of the time, and what `npm run check` does.
 * @param {{ only?: readonly (keyof typeof PROJECTS)[], checksTypes?: boolean }} [options] all, without, by default
 * @returns {Promise<boolean>} whether all compiled
 */
export async function build({ only = ['library', 'sandbox', 'example-app'], checksTypes = false } = {}) {
  const { library, ...others } = PROJECTS
  if (only.includes('library')) {
    const [isRight] = await Promise.all([compile([library], checksTypes), bundleLibrary(SOURCES, LIBRARY)])
    if (!isRight) return false
    copyDeclarations(join(ROOT, DECLARATIONS), LIBRARY)
  }
  const rest = Object.entries(others).filter(([name]) => only.some((wanted) => wanted === name))
  const folders = rest.map(([, folder]) => folder)
  if (folders.length > 0 && !(await compile(folders, checksTypes))) return false
  if (only.includes('sandbox')) await import('../../sandbox/scripts/copy-proto.mjs')
  return true
}

/**
 * @param {readonly string[]} projects
 * @param {boolean} checksTypes
 */
async function compile(projects, checksTypes) {
  const args = [TSC, '-b', ...(checksTypes ? [] : ['--noCheck']), ...projects]
  return (await exitCodeOf(start(process.execPath, args, { cwd: ROOT }))) === 0
}

/** Forgets what was built: so no file of a source that is gone gets packed. */
export function clean() {
  for (const folder of OUTPUTS) rmSync(join(ROOT, folder), { recursive: true, force: true })
}
