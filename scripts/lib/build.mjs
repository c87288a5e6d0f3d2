import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleForJest } from './jest-bundle.mjs'
import { exitCodeOf, start } from './processes.mjs'

/** The repository. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')
const TSC = fileURLToPath(import.meta.resolve('typescript/bin/tsc'))

/** In the order in which they need each other. */
const PROJECTS = { library: 'tsconfig.build.json', sandbox: 'sandbox', 'example-app': 'example-app' }
const OUTPUTS = ['dist', 'sandbox/dist', 'example-app/dist']

/**
 * Compiles what has changed since the last time.
 * Without `checksTypes` it leaves out what takes most of the time, and what `npm run check` does.
 * @param {{ only?: readonly (keyof typeof PROJECTS)[], checksTypes?: boolean }} [options] all, without, by default
 * @returns {Promise<boolean>} whether all compiled
 */
export async function build({ only = ['library', 'sandbox', 'example-app'], checksTypes = false } = {}) {
  const child = start(
    process.execPath,
    [TSC, '-b', ...(checksTypes ? [] : ['--noCheck']), ...only.map((name) => PROJECTS[name])],
    { cwd: ROOT },
  )
  if ((await exitCodeOf(child)) !== 0) return false
  if (only.includes('library')) await bundleForJest(join(ROOT, 'dist'))
  if (only.includes('sandbox')) await import('../../sandbox/scripts/copy-proto.mjs')
  return true
}

/** Forgets what was built: so no file of a source that is gone gets packed. */
export function clean() {
  for (const folder of OUTPUTS) rmSync(join(ROOT, folder), { recursive: true, force: true })
}
