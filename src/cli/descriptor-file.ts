import { randomBytes } from 'node:crypto'
import { lstat, open, readFile, rename, rm } from 'node:fs/promises'
import { errorCode } from '../lib/error-code.js'

/** A descriptor set is some 20 KB. */
const MAX_BYTES = 16 * 1024 * 1024

/**
 * Why a descriptor must not be written there, or nothing. An empty file may be replaced.
 * @param isOurs whether the bytes that lie there are of the kind that is written
 */
export async function refuseToWrite(path: string, isOurs: (bytes: Uint8Array) => boolean): Promise<string | undefined> {
  try {
    const found = await lstat(path)
    if (!found.isFile()) return 'is there and is no plain file; choose another name'
    if (found.size === 0 || (found.size <= MAX_BYTES && isOurs(await readFile(path)))) return undefined
    return 'is there and is not a descriptor set; choose another name, or add --force'
  } catch (error) {
    const code = errorCode(error)
    return code === 'ENOENT' ? undefined : `cannot be written (${code})`
  }
}

/** Writes all or nothing: whoever reads meanwhile finds the former content. */
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
    return code === 'ENOENT' ? 'cannot be written: its folder is not there' : `cannot be written (${code})`
  }
}
