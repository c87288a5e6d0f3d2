import { isPlainObject } from '../lib/guards.js'
import { finding } from './finding.js'
import { findPackage, findPackages, type InstalledPackage, readManifest } from './packages.js'
import type { Finding } from './types.js'
import { isInRange } from './versions.js'

/** What the checks of Node and of installed packages need. */
export interface CheckPackagesParts {
  /** Folder of the app. */
  readonly from: string
  /** Such as `'22.11.0'`. */
  readonly nodeVersion: string
  readonly now: number
  /** Whether the app uses Redis. */
  readonly usesRedis: boolean
}

const OWN_NAME = 'express-ppoppo'
const NODE_FLOOR = '20.19.0'
/** Last day of maintenance by major version (nodejs/Release). Odd ones end half a year after the next even one. */
const NODE_ENDS: Readonly<Record<number, string>> = {
  20: '2026-04-30',
  21: '2024-06-01',
  22: '2027-04-30',
  23: '2025-06-01',
  24: '2028-04-30',
  25: '2026-06-01',
}
/** Versions with faults that affect this library. */
const FAULTY: readonly { readonly name: string; readonly range: string; readonly why: string; readonly fix: string }[] =
  [
    {
      name: 'ioredis',
      range: '>=5.4.0 <=5.4.0',
      why: 'It prints debug lines for every command.',
      fix: 'npm install ioredis@latest',
    },
    {
      name: 'bullmq',
      range: '>=6.0.7 <=6.3.2',
      why: 'Its workers do not resume after Redis was away for more than five seconds.',
      fix: 'npm install bullmq@latest',
    },
  ]

/** Checks Node, the versions of packages that work together, and that there is one copy of each. */
export function checkPackages(parts: CheckPackagesParts): readonly Finding[] {
  return [checkNode(parts), ...checkInstalled(parts)]
}

function checkNode({ nodeVersion, now }: CheckPackagesParts): Finding {
  if (!isInRange(nodeVersion, `>=${NODE_FLOOR}`)) {
    return finding('node_too_old', {
      what: `Node ${nodeVersion} is too old: this package needs ${NODE_FLOOR} or newer`,
      fix: 'Install the current LTS version of Node.',
    })
  }
  const end = NODE_ENDS[Number.parseInt(nodeVersion, 10)]
  if (end === undefined || now < Date.parse(end)) return finding('node', { what: `Node ${nodeVersion}` })
  return finding('node_end_of_life', {
    what: `Node ${nodeVersion} has been out of maintenance since ${end}`,
    why: 'It gets no security fixes.',
    fix: 'Install the current LTS version of Node.',
  })
}

function checkInstalled(parts: CheckPackagesParts): readonly Finding[] {
  const own = findPackage(OWN_NAME, parts.from)
  if (own === undefined) {
    return [
      finding('packages_not_found', {
        what: `no installed ${OWN_NAME} was found from here`,
        why: 'That is normal for a bundled app; versions and copies of packages are not checked.',
        fix: 'Otherwise run this in the folder of the app.',
      }),
    ]
  }
  const peers = isPlainObject(own.manifest['peerDependencies']) ? own.manifest['peerDependencies'] : {}
  const versions = Object.entries(peers).flatMap(([name, range]) => checkPeer(name, String(range), own, parts))
  const copies = checkCopies(own, parts)
  const found = [...versions, ...checkConnectRedis(parts), ...copies]
  if (found.length > 0) return found
  const seen = [own, ...Object.keys(peers).flatMap((name) => findPackage(name, parts.from) ?? [])]
  return [finding('packages', { what: seen.map(({ name, version }) => `${name} ${version}`).join(', ') })]
}

function checkPeer(name: string, range: string, own: InstalledPackage, parts: CheckPackagesParts): readonly Finding[] {
  const installed = findPackage(name, parts.from) ?? findPackage(name, own.folder)
  if (installed === undefined) {
    const isNeeded = name === 'express' || name === 'express-session' || (name === 'ioredis' && parts.usesRedis)
    if (!isNeeded) return []
    return [finding('package_missing', { what: `${name} is not installed`, fix: `npm install ${name}` })]
  }
  const { version } = installed
  const fault = FAULTY.find((one) => one.name === name && isInRange(version, one.range))
  if (fault)
    return [finding('package_fault', { what: `${name} ${version} has a known fault`, why: fault.why, fix: fault.fix })]
  if (isInRange(version, range)) return []
  return [
    finding('package_unsupported', {
      what: `${name} ${version} does not work with ${OWN_NAME} ${own.version}, which needs ${range}`,
      fix: `npm install "${name}@${range}"`,
    }),
  ]
}

/** An app with a session of its own: connect-redis 9 calls the `redis` package's methods, which ioredis does not have. */
function checkConnectRedis({ from }: CheckPackagesParts): readonly Finding[] {
  const [store, ioredis, redis] = ['connect-redis', 'ioredis', 'redis'].map((name) => findPackage(name, from))
  if (store === undefined || ioredis === undefined || redis !== undefined || isInRange(store.version, '<9')) return []
  return [
    finding('package_fault', {
      what: `connect-redis ${store.version} does not work with ioredis`,
      why: 'From version 9 on it needs the package "redis"; with ioredis it stores no session.',
      fix: 'npm install connect-redis@8, if your own session is on ioredis.',
    }),
  ]
}

/** A second copy is a second set of sessions and error classes: `instanceof PpoppoError` fails between them. */
function checkCopies(own: InstalledPackage, { from }: CheckPackagesParts): readonly Finding[] {
  const seenByOwn = ['express', 'express-session', 'ioredis'].map((name) => [
    ...findPackages(name, from).slice(0, 1),
    ...findPackages(name, own.folder).slice(0, 1),
  ])
  return [[...findPackages(OWN_NAME, from), ...seenByDependents(from)], ...seenByOwn].flatMap((copies) => {
    const folders = new Map(copies.map((copy) => [copy.folder, copy]))
    const [first, second] = [...folders.values()]
    if (first === undefined || second === undefined) return []
    return [
      finding('two_copies', {
        what: `there are two copies of ${first.name}: ${first.version} and ${second.version}`,
        why: `${first.folder} and ${second.folder}. Neither recognizes the sessions, errors and types of the other.`,
        fix: `Run "npm dedupe", or require the same version of ${first.name} everywhere; "npm ls ${first.name}" shows which package requires which.`,
      }),
    ]
  })
}

/** The copies that packages of the app load: in a monorepo those may differ from the app's. */
function seenByDependents(from: string): readonly InstalledPackage[] {
  const manifest = readManifest(from)
  const names = ['dependencies', 'devDependencies'].flatMap((key) => Object.keys(Object(manifest?.[key])))
  return names.flatMap((name) => {
    const dependent = findPackage(name, from)
    const wants = Object.keys(Object(dependent?.manifest['dependencies']))
    return dependent && wants.includes(OWN_NAME) ? (findPackage(OWN_NAME, dependent.folder) ?? []) : []
  })
}
