import { setImmediate as nextTurn } from 'node:timers/promises'
import { PpoppoError } from '../errors.js'
import { isPromise, type RecipientSource } from './recipient-source.js'
import { SeenPpnums } from './seen-ppnums.js'
import type { Recipient } from './types.js'
import { parseRecipient } from './validate.js'

/** A source that is always ready would let nobody else run: after so many steps the event loop has its turn. */
const STEPS_PER_TURN = 5_000

/** Reads recipients into chunks, each ppnum once: the first of a number wins, over the whole of the source. */
export class ChunkReader {
  /** Recipients read, duplicates left out. */
  unique = 0
  duplicates = 0
  readonly #source: RecipientSource
  readonly #chunkSize: number
  readonly #seen = new SeenPpnums()
  #steps = 0

  constructor(source: RecipientSource, chunkSize: number) {
    this.#source = source
    this.#chunkSize = chunkSize
  }

  /**
   * The next chunk; the last may be smaller. `undefined` at the end, and as soon as `isWanted` says no: what was read
   * by then is counted in {@link unique} and is in no chunk.
   *
   * @throws `recipients_source_failed`, `request_invalid` with the recipient's index in the whole source.
   */
  async next(isWanted: () => boolean): Promise<Recipient[] | undefined> {
    const chunk: Recipient[] = []
    while (chunk.length < this.#chunkSize && isWanted()) {
      let step: IteratorResult<unknown, unknown>
      try {
        const answer = this.#source.ask()
        // Waiting for what is at hand already would cost a promise for each recipient.
        step = this.#source.take(isPromise(answer) ? await answer : answer)
      } catch (cause) {
        this.#source.fail()
        throw this.#sourceFailed(cause)
      }
      if (step.done) return chunk.length > 0 ? chunk : undefined
      if (!isWanted()) return undefined
      this.#take(step.value, chunk)
      if (this.#steps % STEPS_PER_TURN === 0) await nextTurn()
    }
    return isWanted() ? chunk : undefined
  }

  #take(value: unknown, chunk: Recipient[]): void {
    const recipient = toRecipient(value, this.#steps)
    this.#steps += 1
    if (this.#seen.add(recipient.ppnum)) {
      this.unique += 1
      chunk.push(recipient)
    } else this.duplicates += 1
  }

  #sourceFailed(cause: unknown): PpoppoError {
    const message = `sendMany: "recipients" threw after ${this.#steps} recipients; error.cause says what, error.report what was sent before.`
    return new PpoppoError('recipients_source_failed', message, { cause })
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
