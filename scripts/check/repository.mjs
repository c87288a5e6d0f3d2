import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../lib/build.mjs'

/** Package folders, the repository's root first. */
export const PACKAGES = ['', 'sandbox', 'example-app']

/** Every file that is, or would be, committed. */
export function listFiles() {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z']
  const names = execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).split('\0')
  return [...new Set(names)].filter((name) => name !== '' && existsSync(join(ROOT, name)))
}

/** @param {string} name */
export function readText(name) {
  return readFileSync(join(ROOT, name), 'utf8')
}

/**
 * @param {string} folder one of {@link PACKAGES}
 * @returns {Record<string, Record<string, string> | undefined>}
 */
export function readManifest(folder) {
  return JSON.parse(readText(join(folder, 'package.json')))
}
