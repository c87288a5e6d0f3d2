import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What a handler wrote, in whichever process. */
export interface Line {
  readonly what: 'begin' | 'end'
  readonly fence: number
  readonly pid: number
  readonly at: number
  readonly attempt: number
  readonly eventId: string
  readonly sendRequestId: string
}

/** What all handlers of all processes did, in the order in which they did it. */
export class Journal {
  readonly path: string
  readonly #folder: string
  readonly #file: number
  readonly #lines: Line[] = []
  readonly #ended = new Set<string>()
  readonly #buffer = Buffer.alloc(1 << 16)
  #offset = 0
  #rest = ''

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'ppoppo-journal-'))
    this.path = join(this.#folder, 'journal')
    writeFileSync(this.path, '')
    this.#file = openSync(this.path, 'r')
  }

  /** All so far. */
  get lines(): readonly Line[] {
    this.#read()
    return this.#lines
  }

  /** Events that a handler has ended with. */
  get ended(): ReadonlySet<string> {
    this.#read()
    return this.#ended
  }

  get begins(): readonly Line[] {
    return this.lines.filter(({ what }) => what === 'begin')
  }

  /** Ids of the events in the order in which they were begun, each as often as it was. */
  get begunIds(): readonly string[] {
    return this.begins.map(({ eventId }) => eventId)
  }

  /** How many beginnings there were beyond one for each event. */
  get repeats(): number {
    const ids = this.begunIds
    return ids.length - new Set(ids).size
  }

  close(): void {
    closeSync(this.#file)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #read(): void {
    for (;;) {
      const bytes = readSync(this.#file, this.#buffer, 0, this.#buffer.length, this.#offset)
      if (bytes === 0) return
      this.#offset += bytes
      const lines = (this.#rest + this.#buffer.toString('latin1', 0, bytes)).split('\n')
      this.#rest = lines.pop() ?? ''
      for (const line of lines) this.#take(line)
    }
  }

  #take(text: string): void {
    const [what = '', fence, pid, at, attempt, eventId = '', sendRequestId = ''] = text.split(' ')
    if (what !== 'begin' && what !== 'end') throw new Error(`a line that no handler writes: ${text}`)
    const [numbers] = [{ fence: Number(fence), pid: Number(pid), at: Number(at), attempt: Number(attempt) }]
    this.#lines.push({ what, ...numbers, eventId, sendRequestId })
    if (what === 'end') this.#ended.add(eventId)
  }
}
