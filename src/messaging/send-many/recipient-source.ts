import { PpoppoError } from '../../errors.js'

type Step = IteratorResult<unknown, unknown>

/**
 * A list of recipients that is read one by one, whatever kind it came as. It keeps to what `for await` does, without a
 * promise of its own for each of a million recipients.
 */
export class RecipientSource {
  readonly #iterator: AnyIterator
  #isOver = false
  #isWaiting = false

  /** @throws `request_invalid` for what is not a list of objects. */
  constructor(recipients: unknown) {
    this.#iterator = toIterator(recipients)
  }

  /** Asks for the next one: a promise of it, or at once where the list is at hand. What comes goes to {@link take}. */
  ask(): unknown {
    const answer: unknown = this.#iterator.next()
    this.#isWaiting = isPromise(answer)
    return answer
  }

  /** What came after {@link ask}. */
  take(answer: unknown): Step {
    this.#isWaiting = false
    if (typeof answer !== 'object' || answer === null) throw new TypeError('next() returned no iterator result')
    const step = answer as Step
    if (step.done) this.#isOver = true
    return step
  }

  /** Asking or taking threw: an iterator that threw has ended, and is not told to. */
  fail(): void {
    this.#isOver = true
  }

  /** Tells the list that no more is read: its `return()` is called, unless it has ended by itself. Never rejects. */
  async close(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    // The run has its own reason for ending; what the source says on being closed does not take its place.
    const closed = callReturn(this.#iterator).catch(() => {})
    // A generator that waits for something answers `return()` only when that has come, which may be never.
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
    '"recipients" must be a list, a generator or another (async) iterable of { ppnum, vars }.',
  )
}

async function callReturn(iterator: AnyIterator): Promise<void> {
  await iterator.return?.()
}

/** Whether it must be waited for. */
export function isPromise(answer: unknown): answer is Promise<unknown> {
  return (
    typeof answer === 'object' && answer !== null && typeof (answer as Partial<Promise<unknown>>).then === 'function'
  )
}
