import { readManifest, readText } from './repository.mjs'
import { outcomeOf } from './run.mjs'

/**
 * @typedef {object} LockedPackage
 * @property {string} [version]
 * @property {boolean} [link]
 * @property {boolean} [hasInstallScript]
 * @property {string} [resolved]
 * @property {Record<string, string>} [optionalDependencies]
 */

/** @returns {import('./run.mjs').Outcome} */
export function checkLockfile() {
  const { packages } = JSON.parse(readText('package-lock.json'))
  return outcomeOf([...faultsOf(packages), ...unreviewedScripts(packages, readManifest('')['allowScripts'] ?? {})])
}

/**
 * npm warns at every install of a package whose install script nobody has decided on.
 * @param {Record<string, LockedPackage>} packages
 * @param {Readonly<Record<string, unknown>>} decided
 */
export function unreviewedScripts(packages, decided) {
  return Object.entries(packages)
    .filter(([path, { hasInstallScript }]) => hasInstallScript && !(path.replace(/^.*node_modules\//, '') in decided))
    .map(([path]) => `${path} has an install script: decide on it in package.json, "allowScripts"`)
}

/**
 * `npm ci` refuses a lockfile in which the binaries of other platforms are missing, which is how npm writes it when it
 * could not find them. A download address ties it to one registry.
 * @param {Record<string, LockedPackage>} packages
 */
export function faultsOf(packages) {
  const faults = []
  for (const [path, locked] of Object.entries(packages)) {
    if (locked.resolved?.startsWith('http')) faults.push(`${path} names a registry: remove "resolved"`)
    for (const name of Object.keys(locked.optionalDependencies ?? {})) {
      if (findInstalled(packages, path, name) === undefined)
        faults.push(`${path} lacks its optional ${name}: npm ci fails`)
    }
  }
  return faults
}

/**
 * Node's search, from a package's own node_modules upwards.
 * @param {Record<string, LockedPackage>} packages
 * @param {string} path
 * @param {string} name
 */
function findInstalled(packages, path, name) {
  for (let folder = path; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('/'), 0))) {
    const found = packages[folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`]
    if (found !== undefined || folder === '') return found
  }
}
