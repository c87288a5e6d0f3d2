import { setImmediate as nextTurn } from 'node:timers/promises'
import { PpoppoError } from '../../errors.js'
import { isPlainObject, isThenable } from '../../lib/guards.js'
import { isPpnum } from '../../ppnum.js'
import type { InvalidRecipient, Recipient } from '../types/methods.js'
import type { CheckVars } from '../wire/defined-template.js'
import { parseRecipient } from '../wire/validate.js'
import { SeenPpnums } from './seen-ppnums.js'

/** A synchronous source would block the event loop: it is yielded to after this many recipients. */
const STEPS_PER_TURN = 5_000
/** This many invalid recipients of a chunk are kept; the others are only counted. */
const MAX_KEPT = 1_000

/** Recipients of one send, and the invalid ones that were read with them. */
export interface Chunk {
  readonly recipients: readonly Recipient[]
  /** The index of each recipient in the whole source. */
  readonly rows: readonly number[]
  /** Invalid recipients that were left out: their number, and the first of them. */
  readonly invalid: { readonly count: number; readonly first: readonly InvalidRecipient[] }
}

/** What a {@link ChunkReader} is made of. */
export interface ChunkReaderParts {
  /** Any iterable, not yet checked. */
  readonly recipients: unknown
  readonly chunkSize: number
  /** Whether an invalid recipient is left out instead of throwing. */
  readonly isSkipping?: boolean
  /** Checks the vars of a value by the schema of a template, and gives it those to send. @throws PpoppoError */
  readonly checkVars?: CheckVars | undefined
  /** A further check of each recipient. @throws PpoppoError */
  readonly check?: ((recipient: Recipient) => void) | undefined
}

/** Reads recipients into chunks. Each ppnum occurs once in the whole source; the first one wins. */
export class ChunkReader {
  /** Number of recipients read, without duplicates and invalid ones. */
  unique = 0
  duplicates = 0
  readonly #parts: ChunkReaderParts
  readonly #source: RecipientSource
  readonly #seen = new SeenPpnums()
  #steps = 0

  /** @throws `request_invalid` if `recipients` is not iterable */
  constructor(parts: ChunkReaderParts) {
    this.#parts = parts
    this.#source = new RecipientSource(parts.recipients)
  }

  /**
   * The next chunk. The last one may be smaller, and has no recipients if only invalid ones were left. `undefined` at the
   * end, and as soon as `isWanted` returns false: what was read by then counts in {@link unique} but is in no chunk.
   *
   * @throws `recipients_source_failed`, `request_invalid` with the recipient's index in the whole source.
   */
  async next(isWanted: () => boolean): Promise<Chunk | undefined> {
    const chunk = new Draft()
    while (chunk.recipients.length < this.#parts.chunkSize && isWanted()) {
      let step: IteratorResult<unknown, unknown>
      try {
        const answer = this.#source.ask()
        // Awaiting a value that is no promise would cost a promise for each recipient.
        step = this.#source.take(isThenable(answer) ? await answer : answer)
      } catch (cause) {
        this.#source.fail()
        throw this.#sourceFailed(cause)
      }
      if (step.done) return chunk.isEmpty ? undefined : chunk
      if (!isWanted()) return undefined
      const taking = this.#take(step.value, chunk)
      if (taking) await taking
      if (this.#steps % STEPS_PER_TURN === 0) await nextTurn()
    }
    return isWanted() ? chunk : undefined
  }

  /** Lets the source know that no more is read. Never rejects. */
  close(): Promise<void> {
    return this.#source.close()
  }

  /** @returns a promise only if the template's schema is async */
  #take(value: unknown, chunk: Draft): Promise<void> | undefined {
    const row = this.#steps
    this.#steps += 1
    const { checkVars } = this.#parts
    let toKeep: unknown = value
    try {
      if (checkVars) toKeep = checkVars(value, row)
    } catch (error) {
      this.#refuse(error, { value, row, chunk })
      return undefined
    }
    if (!isThenable(toKeep)) {
      this.#keep(toKeep, row, chunk)
      return undefined
    }
    return Promise.resolve(toKeep).then(
      (result) => this.#keep(result, row, chunk),
      (error: unknown) => this.#refuse(error, { value, row, chunk }),
    )
  }

  #keep(value: unknown, row: number, chunk: Draft): void {
    let recipient: Recipient
    try {
      recipient = parseRecipient(value, row)
      if (this.#parts.isSkipping) this.#parts.check?.(recipient)
    } catch (error) {
      return this.#refuse(error, { value, row, chunk })
    }
    if (this.#seen.add(recipient.ppnum)) {
      this.unique += 1
      chunk.add(recipient, row)
    } else this.duplicates += 1
  }

  #refuse(error: unknown, { value, row, chunk }: { value: unknown; row: number; chunk: Draft }): void {
    // A getter threw: the source is faulty, not the recipient.
    if (!(error instanceof PpoppoError)) throw this.#sourceFailed(error)
    if (!this.#parts.isSkipping || error.code !== 'request_invalid') throw error
    chunk.addInvalid(toInvalid(value, row, error))
  }

  #sourceFailed(cause: unknown): PpoppoError {
    const message = `sendMany: "recipients" threw after ${this.#steps} recipients. error.cause is what it threw; error.report holds what was sent before.`
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
    if (this.invalid.first.length < MAX_KEPT) this.invalid.first.push(invalid)
  }
}

/** A malformed ppnum is not reported: it may be anything. */
function toInvalid(value: unknown, index: number, { code }: PpoppoError): InvalidRecipient {
  const ppnum = isPlainObject(value) ? value['ppnum'] : undefined
  return { index, ...(isPpnum(ppnum) ? { ppnum } : {}), code }
}

type Step = IteratorResult<unknown, unknown>

/**
 * Reads any iterable of recipients one by one. It behaves as `for await` does, without creating a promise for each of a
 * million recipients.
 */
class RecipientSource {
  readonly #iterator: AnyIterator
  #isOver = false
  #isWaiting = false

  /** @throws `request_invalid` if `recipients` is not iterable */
  constructor(recipients: unknown) {
    this.#iterator = toIterator(recipients)
  }

  /** Calls `next()`. Pass the result, awaited if it is a promise, to {@link take}. */
  ask(): unknown {
    const answer: unknown = this.#iterator.next()
    this.#isWaiting = isThenable(answer)
    return answer
  }

  /** Reads the result of {@link ask}. */
  take(answer: unknown): Step {
    this.#isWaiting = false
    if (typeof answer !== 'object' || answer === null) throw new TypeError('next() did not return an iterator result')
    const step = answer as Step
    if (step.done) this.#isOver = true
    return step
  }

  /** Notes that {@link ask} or {@link take} threw: an iterator that threw has ended, and must not be closed. */
  fail(): void {
    this.#isOver = true
  }

  /** Calls `return()` of the iterator, unless it has ended. Never rejects. */
  async close(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    // The run has its own reason for ending; an error while closing must not replace it.
    const closed = callReturn(this.#iterator).catch(() => {})
    // A generator that is awaiting something answers `return()` only after that, which may be never.
    if (!this.#isWaiting) await closed
  }
}

type AnyIterator = Iterator<unknown, unknown> | AsyncIterator<unknown, unknown>

function toIterator(recipients: unknown): AnyIterator {
  if (typeof recipients === 'object' && recipients !== null) {
    const list = recipients as Partial<AsyncIterable<unknown> & Iterable<unknown>>
    if (typeof list[Symbol.asyncIterator] === 'function') return list[Symbol.asyncIterator]?.() as AnyIterator
    if (typeof list[Symbol.iterator] === 'function') return list[Symbol.iterator]?.() as AnyIterator
  }
  throw new PpoppoError(
    'request_invalid',
    '"recipients" must be an array, a generator or another (async) iterable of { ppnum, vars }.',
  )
}

async function callReturn(iterator: AnyIterator): Promise<void> {
  await iterator.return?.()
}
