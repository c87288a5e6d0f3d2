import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { whenEnding } from '../lib/processes.mjs'
import { run } from './run.mjs'

/**
 * @typedef {object} Packed
 * @property {string} file the tarball
 * @property {readonly string[]} contents
 * @property {number} unpackedBytes
 */

/** @type {Promise<Packed> | undefined} */
let packed

/** Packs the library as `npm publish` would, once. What it packs was built by an earlier step. */
export function pack() {
  packed ??= packOnce()
  return packed
}

/** @returns {Promise<Packed>} */
async function packOnce() {
  const folder = mkdtempSync(join(tmpdir(), 'ppoppo-pack-'))
  whenEnding(() => rmSync(folder, { recursive: true, force: true }))
  const { ok, stdout, output } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder])
  if (!ok) throw new Error(output)
  // A list, or since npm 12 an object by package name.
  /** @type {{ filename: string, unpackedSize: number, files: { path: string }[] }[]} */
  const [entry] = Object.values(JSON.parse(stdout))
  if (entry === undefined) throw new Error(`npm pack answered ${stdout}`)
  return {
    file: join(folder, entry.filename),
    contents: entry.files.map(({ path }) => path),
    unpackedBytes: entry.unpackedSize,
  }
}
