import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const BENCH = fileURLToPath(new URL('..', import.meta.url))
const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Installs the peers and builds the library, where that has not been done. */
export function prepare() {
  if (!existsSync(`${BENCH}node_modules`)) run('npm', ['ci', '--no-audit', '--no-fund'], BENCH, 'installing the peers')
  prepareLibrary()
}

/** Builds the library and the sandbox, where that has not been done. */
export function prepareLibrary() {
  run('npx', ['tsc', '-b', 'tsconfig.build.json', 'sandbox'], ROOT, 'building')
}

function run(command, args, cwd, what) {
  console.error(what)
  const { status } = spawnSync(command, args, { cwd, stdio: 'inherit' })
  if (status !== 0) throw new Error(`${what} failed`)
}
