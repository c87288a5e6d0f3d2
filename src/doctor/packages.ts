import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseJsonObject } from '../lib/guards.js'

/** An installed package. */
export interface InstalledPackage {
  readonly name: string
  readonly version: string
  /** Its real folder, links resolved. */
  readonly folder: string
  readonly manifest: Readonly<Record<string, unknown>>
}

/**
 * The package that code in `from` would load: the first `node_modules/<name>` upwards, as Node looks it up. Read from the file
 * system, since `exports` may hide a package.json, and nothing should be run.
 */
export function findPackage(name: string, from: string): InstalledPackage | undefined {
  return findPackages(name, from)[0]
}

/** All copies upwards from a folder, nearest first, each once. */
export function findPackages(name: string, from: string): readonly InstalledPackage[] {
  const found = new Map<string, InstalledPackage>()
  for (let folder = from; ; folder = dirname(folder)) {
    const installed = readPackage(join(folder, 'node_modules', name), name)
    if (installed !== undefined && !found.has(installed.folder)) found.set(installed.folder, installed)
    if (folder === dirname(folder)) return [...found.values()]
  }
}

function readPackage(folder: string, name: string): InstalledPackage | undefined {
  const manifest = readManifest(folder)
  const version = manifest?.['version']
  if (manifest === undefined || typeof version !== 'string') return undefined
  return { name, version, folder: realpathSync(folder), manifest }
}

/** The package.json of a folder; `undefined` if there is none that can be read. */
export function readManifest(folder: string): Readonly<Record<string, unknown>> | undefined {
  const file = join(folder, 'package.json')
  try {
    return existsSync(file) ? parseJsonObject(readFileSync(file, 'utf8')) : undefined
  } catch {
    return undefined
  }
}
