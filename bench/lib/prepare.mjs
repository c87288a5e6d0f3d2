import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from '../../scripts/lib/build.mjs'

const BENCH = fileURLToPath(new URL('..', import.meta.url))

/** Installs the peers, where that has not been done, and builds the library. */
export async function prepare() {
  if (!existsSync(`${BENCH}node_modules`)) installPeers()
  await prepareLibrary()
}

/** Builds the library and the sandbox, as they are in `src/` now. */
export async function prepareLibrary() {
  console.error('building')
  if (!(await build({ only: ['library', 'sandbox'] }))) throw new Error('building failed')
}

function installPeers() {
  console.error('installing the peers')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: BENCH, stdio: 'inherit' })
  if (status !== 0) throw new Error('installing the peers failed')
}
