import { atMost } from '../../lib/pause.js'
import type { MessagingRuntime } from '../../lib/runtime.js'
import { Signal } from '../../lib/signal.js'
import type { Lease } from './lease.js'

/**
 * The time in which a consumer may act. It ends in steps: first nothing new is begun (`closing`); if the lease has
 * expired, handlers are aborted, and what they finish still counts (`recalled`); then everything is over (`over`).
 */
export class Tenure {
  readonly fence: number
  readonly #lease: Pick<Lease, 'isValid' | 'wasLate'>
  readonly #closing = new AbortController()
  readonly #recalled = new AbortController()
  readonly #over = new AbortController()
  #atWork = 0
  /** The last handler has ended. */
  readonly #idle = new Signal()

  constructor(lease: Pick<Lease, 'fence' | 'isValid' | 'wasLate'>) {
    this.fence = lease.fence
    this.#lease = lease
  }

  /** Aborted when nothing new may be begun. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  /** Aborted when handlers must end. What they finish is saved if nobody has taken over: the fence decides. */
  get recalled(): AbortSignal {
    return this.#recalled.signal
  }

  /** Aborted when nothing may be saved any more. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  /** Checked before anything is begun. */
  mayBegin(): boolean {
    return !this.#closing.signal.aborted && this.#lease.isValid()
  }

  /** Checked before anything is saved. The lease need not be valid: the store knows who has it. */
  maySave(): boolean {
    return !this.#over.signal.aborted
  }

  /** Whether this process was suspended or busy for longer than its lease. */
  get wasLate(): boolean {
    return this.#lease.wasLate
  }

  /** An asynchronous handler has begun. */
  noteBegin(): void {
    this.#atWork++
  }

  /** It has ended, whether its outcome still matters or not. */
  noteEnd(): void {
    if (--this.#atWork === 0) this.#idle.notify()
  }

  /** Waits up to `ms` for running handlers. @returns whether all have ended */
  async untilIdle(ms: number, runtime: MessagingRuntime): Promise<boolean> {
    if (this.#atWork > 0) await atMost(ms, this.#idle.next(), runtime)
    return this.#atWork === 0
  }

  /** Nothing new may be begun. */
  close(): void {
    this.#closing.abort()
  }

  /** The lease has expired by the clock of this process. */
  recall(reason: unknown): void {
    this.#closing.abort()
    this.#recalled.abort(reason)
  }

  /** Nothing may be done any more. */
  end(reason: unknown): void {
    this.#closing.abort()
    this.#recalled.abort(reason)
    this.#over.abort(reason)
  }
}
