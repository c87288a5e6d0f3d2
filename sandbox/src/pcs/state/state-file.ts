import { readFile, rename, writeFile } from 'node:fs/promises'
import { errorCodeOf } from '../../lib/error-code.js'

const DEBOUNCE_MS = 300

/**
 * Keeps a snapshot in a file: written beside it and renamed, so that a half-written one is never found. Soon after a
 * change, and once more at the end.
 */
export class StateFile {
  readonly #path: string
  readonly #takeSnapshot: () => object
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(path: string, takeSnapshot: () => object) {
    this.#path = path
    this.#takeSnapshot = takeSnapshot
  }

  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#writing = this.#writing
        .then(() => this.#write())
        .catch((error: unknown) => {
          process.emitWarning(`the sandbox's state was not written to ${this.#path}: ${errorCodeOf(error)}`)
        })
    }, DEBOUNCE_MS)
  }

  /** Writes what is there now. @throws TypeError where the file cannot be written */
  async save(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#writing
    await this.#write().catch((error: unknown) => {
      throw new TypeError(`state file ${this.#path}: it cannot be written (${errorCodeOf(error)})`)
    })
  }

  async #write(): Promise<void> {
    const draft = `${this.#path}.${process.pid}.tmp`
    await writeFile(draft, JSON.stringify(this.#takeSnapshot()))
    await rename(draft, this.#path)
  }
}

/** What the file says; `undefined` where there is none yet. @throws TypeError for one that is not a sandbox's */
export async function readStateFile<T>(path: string, parse: (input: unknown) => T): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (errorCodeOf(error) === 'ENOENT') return undefined
    throw new TypeError(`state file ${path}: it cannot be read (${errorCodeOf(error)})`)
  })
  if (text === undefined) return undefined
  try {
    return parse(JSON.parse(text))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new TypeError(`state file ${path}: not a state file of this sandbox (${reason}); name another, or delete it`)
  }
}
