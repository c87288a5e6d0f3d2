import { spawnSync } from 'node:child_process'
import { findBinary } from './find-binary.mjs'

let hasUpdated = false

/**
 * Installs Debian packages where that needs no password; says so first.
 * @param {readonly string[]} packages
 * @returns {boolean} whether they are installed
 */
export function installWithApt(packages) {
  const asRoot = rootPrefix()
  if (findBinary(['apt-get']) === undefined || asRoot === undefined) return false
  console.log(`installing ${packages.join(', ')} with apt-get`)
  // RUNLEVEL=1 keeps Debian from starting the server it just installed: only the program is wanted.
  const aptGet = [...asRoot, 'env', 'RUNLEVEL=1', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq', '-y']
  if (!hasUpdated) hasUpdated = run([...aptGet, 'update'])
  return run([...aptGet, 'install', '--no-install-recommends', ...packages])
}

/**
 * @param {string} formula
 * @returns {boolean} whether it is installed
 */
export function installWithBrew(formula) {
  if (process.platform !== 'darwin' || findBinary(['brew']) === undefined) return false
  console.log(`installing ${formula} with brew`)
  return run(['brew', 'install', formula])
}

/** @returns {string[] | undefined} what to put before a command so that root runs it */
function rootPrefix() {
  if (process.getuid?.() === 0) return []
  const canSudo =
    findBinary(['sudo']) !== undefined && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0
  return canSudo ? ['sudo', '-n'] : undefined
}

/** @param {readonly string[]} command */
function run([command = '', ...args]) {
  return spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
}
