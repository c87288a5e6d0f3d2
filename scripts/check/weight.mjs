import { statSync } from 'node:fs'
import { readManifest, readText } from './repository.mjs'
import { outcomeOf } from './run.mjs'

/** At most; raise one only with a reason in the commit. */
const MOST = {
  tarballKb: 420,
  /** What it takes in an install, where all others, Express and ioredis among them, take some 14.7 MB. */
  unpackedKb: 1_224,
  /** The library's own dependencies, all the way down. */
  alone: 42,
  /** With what an app has anyway. */
  withPeers: 121,
}
const PEERS = ['express', 'express-session', 'ioredis']

/** @typedef {{ dependencies?: Record<string, string>, optionalDependencies?: Record<string, string> }} Locked */

/**
 * What an install costs: the size of the tarball, and how many packages come with it by our lockfile.
 * @param {import('./pack.mjs').Packed} packed
 */
export function checkWeight({ file, unpackedBytes }) {
  /** @type {{ packages: Record<string, Locked> }} */
  const { packages } = JSON.parse(readText('package-lock.json'))
  const own = Object.keys(readManifest('')['dependencies'] ?? {})
  const found = {
    tarballKb: Math.ceil(statSync(file).size / 1_024),
    unpackedKb: Math.ceil(unpackedBytes / 1_024),
    alone: countPackages(packages, own) + 1,
    withPeers: countPackages(packages, [...own, ...PEERS]) + 1,
  }
  const faults = Object.entries(MOST).flatMap(([name, most]) => {
    const value = found[/** @type {keyof typeof MOST} */ (name)]
    return value > most ? [`${name} is ${value}, ${most} at most`] : []
  })
  const said = `${found.withPeers} packages`
  if (!readText('README.md').includes(said)) faults.push(`README does not say that an install is ${said}`)
  return outcomeOf(faults.length === 0 ? [] : [...faults, JSON.stringify(found)])
}

/**
 * How many packages npm puts into node_modules for these, by a lockfile.
 * @param {Record<string, Locked>} packages
 * @param {readonly string[]} names
 */
export function countPackages(packages, names) {
  /** @type {Set<string>} */
  const seen = new Set()
  /** @param {string} name @param {string} from */
  const visit = (name, from) => {
    const path = placeOf(packages, name, from)
    if (path === undefined || seen.has(path)) return
    seen.add(path)
    const { dependencies, optionalDependencies } = packages[path] ?? {}
    for (const next of Object.keys({ ...dependencies, ...optionalDependencies })) visit(next, path)
  }
  for (const name of names) visit(name, '')
  return seen.size
}

/**
 * Where a package finds another one: in its own node_modules, or in those above.
 * @param {Record<string, Locked>} packages
 * @param {string} name
 * @param {string} from
 * @returns {string | undefined}
 */
function placeOf(packages, name, from) {
  const path = `${from === '' ? '' : `${from}/`}node_modules/${name}`
  if (packages[path] !== undefined) return path
  return from === '' ? undefined : placeOf(packages, name, from.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, ''))
}
