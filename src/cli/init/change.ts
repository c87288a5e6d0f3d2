import { lstat, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../../lib/error-code.js'
import { writeWhole } from '../write-whole.js'

/** Lines to insert before the line of this number, counted from 0. */
export interface Insertion {
  readonly at: number
  readonly lines: readonly string[]
}

/** A file that is written, or extended by lines. Everything that was in it stays. */
export interface Change {
  /** Relative to the folder of the app, with `/`. */
  readonly file: string
  /** What is in it now; `undefined` if there is no such file. */
  readonly before: string | undefined
  readonly after: string
  readonly insertions: readonly Insertion[]
  /** Whether the lines hold secrets, which are not shown. */
  readonly isSecret: boolean
}

const CONTEXT = 2
/** Readable by its owner alone. */
const SECRET_MODE = 0o600

/** The change that inserts lines. */
export function toChange(parts: Pick<Change, 'file' | 'before' | 'insertions'> & { isSecret?: boolean }): Change {
  const { file, before, insertions, isSecret = false } = parts
  return { file, before, insertions, isSecret, after: insert(before ?? '', insertions) }
}

function insert(before: string, insertions: readonly Insertion[]): string {
  const end = before.includes('\r\n') ? '\r\n' : '\n'
  const lines = before === '' ? [] : before.split('\n')
  // A text that ends with a line break has an empty piece behind it; one that does not gets one.
  const isOpen = lines.length > 0 && lines.at(-1) !== ''
  const pieces = lines.map((line, index) => (index === lines.length - 1 ? line : `${line}\n`))
  for (const { at, lines: added } of [...insertions].sort((one, other) => other.at - one.at)) {
    const text = added.map((line) => `${line}${end}`)
    const isAtEnd = at >= pieces.length
    if (isAtEnd && isOpen) pieces.push(end)
    pieces.splice(isAtEnd ? pieces.length : at, 0, ...text)
  }
  return pieces.join('')
}

/** What changes, as people read it: `+` before each new line, with the lines around it. */
export function toDiff({ file, before, insertions, isSecret }: Change): readonly string[] {
  const lines = (before ?? '').split('\n').map((line) => line.replace(/\r$/, ''))
  if (lines.at(-1) === '') lines.pop()
  const hunks = insertions.flatMap(({ at, lines: added }, index) => [
    ...(index > 0 ? ['  ...'] : []),
    ...lines.slice(Math.max(0, at - CONTEXT), at).map((line) => `  ${shown(line, isSecret)}`),
    ...added.map((line) => `+ ${shown(line, isSecret)}`),
    ...lines.slice(at, at + CONTEXT).map((line) => `  ${shown(line, isSecret)}`),
  ])
  return [`${file}${before === undefined ? ' (new)' : ''}`, ...hunks.map((line) => line.trimEnd())]
}

/** One of our variables without its value, if that may be a secret. Any other line may be a part of one, such as a PEM key's. */
function shown(line: string, isSecret: boolean): string {
  if (!isSecret || /^(PPOPPO_(CLIENT_ID|BASE_URL|ENVIRONMENT)=|#[^=]*$|\s*$)/.test(line)) return line
  return /^(PPOPPO|PAS|PCS|REDIS)_[A-Z_]+=/.test(line) ? line.replace(/=.*/, '=...') : '...'
}

/** Reads a file of the app; `undefined` if there is none. @throws Error if it cannot be read */
export async function readIfThere(folder: string, file: string): Promise<string | undefined> {
  try {
    const bytes = await readFile(join(folder, file))
    const text = bytes.toString('utf8')
    // Written back, it would be another file.
    if (!Buffer.from(text, 'utf8').equals(bytes)) throw new Error('not UTF-8')
    return text
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT') return undefined
    throw new Error(`${file} cannot be read (${code === 'unknown' ? 'it is not UTF-8' : code})`)
  }
}

/**
 * Writes all changes, each at once and whole. First looks whether all files are still as they were.
 * @returns what went wrong; nothing was written then, unless a later file failed
 */
export async function applyChanges(folder: string, changes: readonly Change[]): Promise<string | undefined> {
  for (const { file, before } of changes) {
    if ((await readIfThere(folder, file)) !== before) return `${file} has changed meanwhile; nothing was written`
  }
  for (const change of changes) {
    const problem = await write(join(folder, change.file), change)
    if (problem !== undefined) return `${change.file} ${problem}`
  }
  return undefined
}

async function write(path: string, { before, after, isSecret }: Change): Promise<string | undefined> {
  const bytes = Buffer.from(after, 'utf8')
  if (before === undefined) return writeWhole(path, bytes, isSecret ? SECRET_MODE : undefined)
  // Through a link, so that the link stays one.
  const target = await realpath(path)
  return writeWhole(target, bytes, (await lstat(target)).mode & 0o777)
}
