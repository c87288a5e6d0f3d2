import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pack } from '../../scripts/check/pack.mjs'
import { whenEnding } from '../../scripts/lib/processes.mjs'

const FLAGS = ['--omit=dev', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
const BENCH = fileURLToPath(new URL('..', import.meta.url))

/**
 * Installs packages into an empty project, at the versions the benchmarks have, as for production.
 * @param {readonly string[]} names `express-ppoppo` is what `npm pack` makes of this repository
 * @returns {Promise<{ packages: number, megabytes: number, apps: string, remove(): void }>} without the empty project
 * itself; `apps` is a copy of the folder of that name beside the packages
 */
export async function installForProduction(names) {
  const folder = mkdtempSync(join(tmpdir(), 'ppoppo-bench-install-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  whenEnding(remove)
  const wanted = await Promise.all(
    names.map(async (name) => (name === 'express-ppoppo' ? (await pack()).file : pinned(name))),
  )
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'app', private: true }))
  const { status, stderr } = spawnSync('npm', ['install', ...FLAGS, ...wanted], { cwd: folder, encoding: 'utf8' })
  if (status !== 0) throw new Error(`npm install ${names.join(' ')}: ${stderr}`)
  const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'))
  const apps = join(folder, 'apps')
  cpSync(join(BENCH, 'apps'), apps, { recursive: true })
  const ours = join(apps, 'ours.mjs')
  writeFileSync(ours, readFileSync(ours, 'utf8').replace("'../../dist/index.js'", "'express-ppoppo'"))
  return {
    packages: Object.keys(packages).length - 1,
    megabytes: bytesIn(join(folder, 'node_modules')) / 1_000_000,
    apps,
    remove,
  }
}

function pinned(name) {
  const { version } = JSON.parse(readFileSync(join(BENCH, 'node_modules', name, 'package.json'), 'utf8'))
  return `${name}@${version}`
}

function bytesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sum + bytesIn(path)
    return entry.isFile() ? sum + statSync(path).size : sum
  }, 0)
}
