import { notify } from '../../../lib/notify.js'
import { isRefusedByStore } from '../../../store/redis/faults.js'
import type { ConsumeOptions } from '../../types/consumer.js'

/** What a consumer asks of its store. */
type Part = 'lease' | 'renewal' | 'commit' | 'letters' | 'queue' | 'finish'

interface StoreFaultsParts {
  readonly name: string
  readonly onStoreFault?: ConsumeOptions['onStoreFault']
  /** So long a refusal may last before the consumer counts as standing still. */
  readonly patienceMs: number
  /** Tells an operator what must not be missed. */
  readonly warn: (text: string) => void
}

/** What of the store fails: tells the app when that begins, once until all of it works again. */
export class StoreFaults {
  readonly #parts: StoreFaultsParts
  /** Since when, by the monotonic clock. */
  readonly #failing = new Map<Part, number>()
  #hasWarned = false
  #lastError = new Error('the store failed')

  constructor(parts: StoreFaultsParts) {
    this.#parts = parts
  }

  get lastError(): Error {
    return this.#lastError
  }

  /** Whether what was done could not be saved the last time. */
  get isSavingFailing(): boolean {
    return this.#failing.has('commit') || this.#failing.has('letters')
  }

  /** @returns `for_good` when the store answers that it will not, and has failed at this for longer than one waits */
  failed(part: Part, error: Error): 'for_now' | 'for_good' {
    const { name, onStoreFault, patienceMs, warn } = this.#parts
    this.#lastError = error
    if (this.#failing.size === 0) notify(onStoreFault, error)
    const now = performance.now()
    const since = this.#failing.get(part) ?? now
    this.#failing.set(part, since)
    if (!isRefusedByStore(error) || now - since < patienceMs) return 'for_now'
    if (!this.#hasWarned)
      warn(`The consumer ${name} stands still, and goes on by itself once this is cured: ${error.message}`)
    this.#hasWarned = true
    return 'for_good'
  }

  worked(part: Part): void {
    this.#failing.delete(part)
    if (this.#failing.size === 0) this.#hasWarned = false
  }
}
