import { PpoppoError } from '../../errors.js'
import { isThenable } from '../../lib/guards.js'

type Step = IteratorResult<unknown, unknown>

/**
 * Reads any iterable of recipients one by one. It behaves as `for await` does, without creating a promise for each of a
 * million recipients.
 */
export class RecipientSource {
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
