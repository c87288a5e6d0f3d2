import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

const SOURCE = /\.[mc]?[jt]sx?$/
/** What is not written by the app's owner, or is built from something that is. */
const SKIPPED = /^(?:\.|node_modules$|dist$|build$|out$|coverage$)/
const MAX_FILES = 5_000
const MAX_BYTES = 1024 * 1024

/** Whether a source file of the app imports a package: one that is installed may be there for the library alone. */
export function importsPackage(folder: string, name: string): boolean {
  const mention = new RegExp(`['"]${name}['"]`)
  let left = MAX_FILES
  const isIn = (at: string): boolean =>
    entriesOf(at).some((entry) => {
      if (SKIPPED.test(entry.name) || left <= 0) return false
      const path = join(at, entry.name)
      if (entry.isDirectory()) return isIn(path)
      if (!entry.isFile() || !SOURCE.test(entry.name)) return false
      left--
      return mention.test(textOf(path))
    })
  return isIn(folder)
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}

/** A file that cannot be read says nothing. */
function textOf(path: string): string {
  try {
    return statSync(path).size > MAX_BYTES ? '' : readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
