import { lstat, readFile } from 'node:fs/promises'
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
