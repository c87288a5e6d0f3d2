import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { errorCode } from '../lib/error-code.js'

/**
 * Writes atomically: a reader sees either the old or the new content.
 * @param mode rights of the file. @default those of a new file
 * @returns what went wrong, as the rest of a sentence
 */
export async function writeWhole(path: string, bytes: Uint8Array, mode?: number): Promise<string | undefined> {
  const beside = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(beside, 'wx')
    try {
      if (mode !== undefined) await file.chmod(mode)
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
