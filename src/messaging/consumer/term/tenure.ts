import { atMost } from '../../lib/pause.js'
import type { MessagingRuntime } from '../../lib/runtime.js'
import type { Lease } from './lease.js'

/**
 * The time in which one consumer may act, and how that ends: first nothing new is begun, then, where the lease ran out,
 * handlers are told to end and what they finish still counts, then everything is over.
 */
export class Tenure {
  readonly fence: number
  readonly #lease: Pick<Lease, 'isValid' | 'wasLate'>
  readonly #closing = new AbortController()
  readonly #recalled = new AbortController()
  readonly #over = new AbortController()
  #atWork = 0
  #onIdle = (): void => {}

  constructor(lease: Pick<Lease, 'fence' | 'isValid' | 'wasLate'>) {
    this.fence = lease.fence
    this.#lease = lease
  }

  /** Aborted when nothing new may be begun. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  /** Aborted when handlers at work must end. What they finish is saved if nobody has taken over: the fence decides. */
  get recalled(): AbortSignal {
    return this.#recalled.signal
  }

  /** Aborted when nothing may be done any more. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  /** Asked before anything is begun. */
  mayBegin(): boolean {
    return !this.#closing.signal.aborted && this.#lease.isValid()
  }

  /** Asked before anything is saved. The lease need not be valid: it is the store that knows whose it is. */
  maySave(): boolean {
    return !this.#over.signal.aborted
  }

  /** Whether this process was stopped, or busy, for longer than its lease. */
  get wasLate(): boolean {
    return this.#lease.wasLate
  }

  /** Code of the app has begun that takes time. */
  noteBegin(): void {
    this.#atWork++
  }

  /** It has ended: by itself, whether anybody waits for it or not. */
  noteEnd(): void {
    if (--this.#atWork === 0) this.#onIdle()
  }

  /** Waits for what is at work. @returns whether it has ended within `ms` */
  async untilIdle(ms: number, runtime: MessagingRuntime): Promise<boolean> {
    if (this.#atWork > 0) await atMost(ms, this.#idle(), runtime)
    return this.#atWork === 0
  }

  close(): void {
    this.#closing.abort()
  }

  /** The lease has run out by this process's clock. */
  recall(reason: unknown): void {
    this.#closing.abort()
    this.#recalled.abort(reason)
  }

  end(reason: unknown): void {
    this.#closing.abort()
    this.#recalled.abort(reason)
    this.#over.abort(reason)
  }

  #idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve
    })
  }
}
