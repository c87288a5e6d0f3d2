import { setImmediate as nextTurn } from 'node:timers/promises'
import { PpoppoError } from '../../errors.js'
import { isPlainObject } from '../../lib/guards.js'
import { isPpnum } from '../../ppnum.js'
import type { InvalidRecipient, Recipient } from '../types/calls.js'
import { parseRecipient } from '../wire/validate.js'
import { isPromise, type RecipientSource } from './recipient-source.js'
import { SeenPpnums } from './seen-ppnums.js'

/** A source that is always ready would let nobody else run: after so many steps the event loop has its turn. */
const STEPS_PER_TURN = 5_000
/** As many invalid recipients of a chunk are kept; of the others only how many there are. */
const MOST_KEPT = 1_000

/** Recipients to send to at once, and what else was read on the way to them. */
export interface Chunk {
  readonly recipients: readonly Recipient[]
  /** The index of each in the whole source. */
  readonly rows: readonly number[]
  /** Those that are wrong in themselves and were left out: how many, and the first of them. */
  readonly invalid: { readonly count: number; readonly first: readonly InvalidRecipient[] }
}

export interface ChunkReaderOptions {
  /** Whether a recipient that is wrong in itself is left out, rather than an error. */
  readonly isSkipping?: boolean
  /** What else may be wrong with one. @throws PpoppoError */
  readonly check?: ((recipient: Recipient) => void) | undefined
}

/** Reads recipients into chunks, each ppnum once: the first of a number wins, over the whole of the source. */
export class ChunkReader {
  /** Recipients read, duplicates and invalid ones left out. */
  unique = 0
  duplicates = 0
  readonly #source: RecipientSource
  readonly #chunkSize: number
  readonly #options: ChunkReaderOptions
  readonly #seen = new SeenPpnums()
  #steps = 0

  constructor(source: RecipientSource, chunkSize: number, options: ChunkReaderOptions = {}) {
    this.#source = source
    this.#chunkSize = chunkSize
    this.#options = options
  }

  /**
   * The next chunk; the last may be smaller, and without a recipient where only invalid ones were left. `undefined` at
   * the end, and as soon as `isWanted` says no: what was read by then is counted in {@link unique} and is in no chunk.
   *
   * @throws `recipients_source_failed`, `request_invalid` with the recipient's index in the whole source.
   */
  async next(isWanted: () => boolean): Promise<Chunk | undefined> {
    const chunk = new Draft()
    while (chunk.recipients.length < this.#chunkSize && isWanted()) {
      let step: IteratorResult<unknown, unknown>
      try {
        const answer = this.#source.ask()
        // Waiting for what is at hand already would cost a promise for each recipient.
        step = this.#source.take(isPromise(answer) ? await answer : answer)
      } catch (cause) {
        this.#source.fail()
        throw this.#sourceFailed(cause)
      }
      if (step.done) return chunk.isEmpty ? undefined : chunk
      if (!isWanted()) return undefined
      this.#take(step.value, chunk)
      if (this.#steps % STEPS_PER_TURN === 0) await nextTurn()
    }
    return isWanted() ? chunk : undefined
  }

  #take(value: unknown, chunk: Draft): void {
    const row = this.#steps
    this.#steps += 1
    let recipient: Recipient
    try {
      recipient = toRecipient(value, row)
      if (this.#options.isSkipping) this.#options.check?.(recipient)
    } catch (error) {
      // A getter of its own threw: no recipient that is wrong, but a source that is.
      if (!(error instanceof PpoppoError)) throw this.#sourceFailed(error)
      if (!this.#options.isSkipping) throw error
      return chunk.addInvalid(toInvalid(value, row, error))
    }
    if (this.#seen.add(recipient.ppnum)) {
      this.unique += 1
      chunk.add(recipient, row)
    } else this.duplicates += 1
  }

  #sourceFailed(cause: unknown): PpoppoError {
    const message = `sendMany: "recipients" threw after ${this.#steps} recipients; error.cause says what, error.report what was sent before.`
    return new PpoppoError('recipients_source_failed', message, { cause })
  }
}

class Draft implements Chunk {
  readonly recipients: Recipient[] = []
  readonly rows: number[] = []
  readonly invalid: { count: number; first: InvalidRecipient[] } = { count: 0, first: [] }

  get isEmpty(): boolean {
    return this.recipients.length === 0 && this.invalid.count === 0
  }

  add(recipient: Recipient, row: number): void {
    this.recipients.push(recipient)
    this.rows.push(row)
  }

  addInvalid(invalid: InvalidRecipient): void {
    this.invalid.count += 1
    if (this.invalid.first.length < MOST_KEPT) this.invalid.first.push(invalid)
  }
}

function toRecipient(value: unknown, index: number): Recipient {
  try {
    return parseRecipient(value, 'recipients[]')
  } catch {
    // A text for the place is made for the one that is wrong only, not for a million that are right.
    return parseRecipient(value, `recipients[${index}]`)
  }
}

/** Only a ppnum that is one is told: anything else may be anything. */
function toInvalid(value: unknown, index: number, { code }: PpoppoError): InvalidRecipient {
  const ppnum = isPlainObject(value) ? value['ppnum'] : undefined
  return { index, ...(isPpnum(ppnum) ? { ppnum } : {}), code }
}
