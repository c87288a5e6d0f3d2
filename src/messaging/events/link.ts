import { notify } from '../../lib/notify.js'
import type { MessagingRuntime } from '../lib/runtime.js'
import type { StreamCallbacks } from '../types/events.js'

type Disconnection = Parameters<NonNullable<StreamCallbacks['onDisconnected']>>[0]

/** Whether there is a connection, over all streams of one reader; tells the app when that changes. */
export class Link {
  readonly #callbacks: StreamCallbacks
  readonly #staleAfterMs: number
  readonly #runtime: MessagingRuntime
  #hasBeen = false
  #isUp = false
  #isStale = false
  #downSince: number
  #lastError: Error | undefined
  #cancelTimer: (() => void) | undefined

  constructor(callbacks: StreamCallbacks, staleAfterMs: number, runtime: MessagingRuntime) {
    this.#callbacks = callbacks
    this.#staleAfterMs = staleAfterMs
    this.#runtime = runtime
    this.#downSince = runtime.monotonic()
  }

  /** Somebody waits for events, and there is no connection. A reader that is busy elsewhere misses none. */
  seek(): void {
    if (this.#isUp || this.#isStale || this.#cancelTimer) return
    this.#cancelTimer = this.#runtime.after(this.#staleAfterMs, () => {
      this.#cancelTimer = undefined
      this.#isStale = true
      const error = this.#lastError
      notify(this.#callbacks.onStale, { downMs: this.#downMs(), ...(error ? { error } : {}) })
    })
  }

  up(after: string | undefined): void {
    if (this.#isUp) return
    const downMs = this.#downMs()
    const wasBefore = this.#hasBeen
    this.dispose()
    this.#isUp = true
    this.#hasBeen = true
    this.#isStale = false
    this.#lastError = undefined
    const at = after === undefined ? {} : { after }
    if (wasBefore) notify(this.#callbacks.onResumed, { ...at, downMs })
    else notify(this.#callbacks.onConnected, at)
  }

  /** A stream ended; one that had never been connected changes nothing. */
  down(disconnection: Disconnection): void {
    if (disconnection.error) this.#lastError = disconnection.error
    if (!this.#isUp) return
    this.#isUp = false
    this.#downSince = this.#runtime.monotonic()
    notify(this.#callbacks.onDisconnected, disconnection)
  }

  /** Why there is no connection, for {@link StreamCallbacks.onStale}. */
  noteError(error: Error): void {
    this.#lastError = error
  }

  /** Takes its timer back. */
  dispose(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #downMs(): number {
    return this.#runtime.monotonic() - this.#downSince
  }
}
