import { randomBytes } from 'node:crypto'
import { lstat, open, readFile, rename, rm } from 'node:fs/promises'
import { errorCode } from '../../lib/error-code.js'

/** A descriptor set has about 20 KB. */
const MAX_BYTES = 16 * 1024 * 1024

/** Why a descriptor set must not be written to a path. */
export interface WriteRefusal {
  /** The rest of a sentence that starts with `--out`. */
  readonly text: string
  /** Whether `--force` overrides it. */
  readonly isForceable: boolean
}

/**
 * Why a descriptor set must not be written to a path; `undefined` if it may. An empty file may be replaced.
 * @param isOurs whether the bytes of an existing file are a descriptor set
 */
export async function refuseToWrite(
  path: string,
  isOurs: (bytes: Uint8Array) => boolean,
): Promise<WriteRefusal | undefined> {
  try {
    const found = await lstat(path)
    if (!found.isFile()) return refused('exists and is not a plain file; choose another name')
    if (found.size === 0 || (found.size <= MAX_BYTES && isOurs(await readFile(path)))) return undefined
    return refused('exists and is not a descriptor set; choose another name, or add --force', true)
  } catch (error) {
    const code = errorCode(error)
    return code === 'ENOENT' ? undefined : refused(`cannot be written (${code})`)
  }
}

function refused(text: string, isForceable = false): WriteRefusal {
  return { text, isForceable }
}

/** Writes atomically: a reader sees either the old or the new content. @returns what went wrong, after `--out` */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<string | undefined> {
  const beside = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(beside, 'wx')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(beside, path)
    return undefined
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined)
    const code = errorCode(error)
    return code === 'ENOENT' ? 'cannot be written: its folder does not exist' : `cannot be written (${code})`
  }
}
