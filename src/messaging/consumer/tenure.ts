import type { MessagingRuntime } from '../runtime.js'
import type { Lease } from './lease.js'
import { atMost } from './pause.js'

/** The time in which one consumer may act, and how that ends: first nothing new is begun, then everything is over. */
export class Tenure {
  readonly fence: number
  readonly #lease: Pick<Lease, 'isValid'>
  readonly #closing = new AbortController()
  readonly #over = new AbortController()
  #atWork = 0
  #onIdle = (): void => {}

  constructor(lease: Pick<Lease, 'fence' | 'isValid'>) {
    this.fence = lease.fence
    this.#lease = lease
  }

  /** Aborted when nothing new may be begun. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  /** Aborted when nothing may be done any more. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  /** Asked before anything is begun. */
  mayBegin(): boolean {
    return !this.#closing.signal.aborted && this.#lease.isValid()
  }

  /** Asked before anything is saved. */
  maySave(): boolean {
    return !this.#over.signal.aborted && this.#lease.isValid()
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

  end(reason: unknown): void {
    this.#closing.abort()
    this.#over.abort(reason)
  }

  #idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve
    })
  }
}
