import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { errorCode } from '../../lib/error-code.js'

/** An environment, with what a file adds to it. */
export interface ReadEnvironment {
  readonly env: NodeJS.ProcessEnv
  /** Which file was read; `undefined` for none. */
  readonly file?: string
  /** How many variables it has. */
  readonly named: number
  /** How many of them it added: the others were set already. */
  readonly added: number
}

/** The file that is read if none is named. */
const DEFAULT_FILE = '.env'

/**
 * Adds the variables of a file to the environment, as `node --env-file` does: what is set already wins.
 * @param file as named by the user, relative to `from`; by default `.env`, if there is one
 * @returns or why the file cannot be read
 */
export function readEnvironment(
  env: NodeJS.ProcessEnv,
  from: string,
  file: string | undefined,
): ReadEnvironment | string {
  try {
    const found = parseEnv(readFileSync(resolve(from, file ?? DEFAULT_FILE), 'utf8'))
    const added = Object.keys(found).filter((name) => env[name] === undefined)
    return {
      env: { ...found, ...env },
      file: file ?? DEFAULT_FILE,
      named: Object.keys(found).length,
      added: added.length,
    }
  } catch (error) {
    return file === undefined ? { env, named: 0, added: 0 } : `--env-file cannot be read (${errorCode(error)})`
  }
}
