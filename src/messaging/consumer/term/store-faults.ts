import { notify } from '../../../lib/notify.js'
import { isRefusedByStore } from '../../../store/redis/faults.js'
import type { MessagingRuntime } from '../../lib/runtime.js'
import type { ConsumeOptions } from '../../types/consumer.js'

/** What a consumer asks of its store. */
export type StorePart = 'lease' | 'renewal' | 'commit' | 'letters' | 'queue' | 'finish'

/** What {@link StoreFaults} is made of. */
export interface StoreFaultsParts {
  /** The name of the consumer. */
  readonly name: string
  readonly runtime: Pick<MessagingRuntime, 'monotonic'>
  readonly onStoreFault?: ConsumeOptions['onStoreFault']
  /** How long the store may reject something before that counts as permanent. */
  readonly patienceMs: number
  /** Warns an operator. */
  readonly warn: (text: string) => void
}

/** What fails in the store. Notifies the app when that begins, once until everything works again. */
export class StoreFaults {
  readonly #parts: StoreFaultsParts
  /** Since when, by the monotonic clock. */
  readonly #failing = new Map<StorePart, number>()
  #hasWarned = false
  #lastError = new Error('the store failed')

  constructor(parts: StoreFaultsParts) {
    this.#parts = parts
  }

  /** The most recent failure. */
  get lastError(): Error {
    return this.#lastError
  }

  /** Whether the last attempt to save failed. */
  get isSavingFailing(): boolean {
    return this.#failing.has('commit') || this.#failing.has('letters')
  }

  /** Notes a failure. @returns `for_good` if the store rejects this, and has done so for longer than `patienceMs` */
  failed(part: StorePart, error: Error): 'for_now' | 'for_good' {
    const { name, runtime, onStoreFault, patienceMs, warn } = this.#parts
    this.#lastError = error
    if (this.#failing.size === 0) notify(onStoreFault, error)
    const now = runtime.monotonic()
    const since = this.#failing.get(part) ?? now
    this.#failing.set(part, since)
    if (!isRefusedByStore(error) || now - since < patienceMs) return 'for_now'
    if (!this.#hasWarned)
      warn(
        `The consumer ${name} cannot save anything, and continues automatically once this is fixed: ${error.message}`,
      )
    this.#hasWarned = true
    return 'for_good'
  }

  /** Notes a success. */
  worked(part: StorePart): void {
    this.#failing.delete(part)
    if (this.#failing.size === 0) this.#hasWarned = false
  }
}
