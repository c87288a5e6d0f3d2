import { notify } from '../../lib/notify.js'
import type { MessagingRuntime } from '../lib/runtime.js'
import type { StreamCallbacks } from '../types/events.js'

type Disconnection = Parameters<NonNullable<StreamCallbacks['onDisconnected']>>[0]

/** What {@link Link} is made of. */
export interface LinkParts {
  readonly callbacks: StreamCallbacks
  readonly staleAfterMs: number
  readonly runtime: MessagingRuntime
}

/** Whether a reader is connected, over all its streams; notifies the app when that changes. */
export class Link {
  readonly #parts: LinkParts
  #hasBeen = false
  #isUp = false
  #isStale = false
  #downSince: number
  #lastError: Error | undefined
  #cancelTimer: (() => void) | undefined

  constructor(parts: LinkParts) {
    this.#parts = parts
    this.#downSince = parts.runtime.monotonic()
  }

  /** The reader is waiting and there is no connection. One that is busy elsewhere misses none. */
  seek(): void {
    if (this.#isUp || this.#isStale || this.#cancelTimer) return
    this.#cancelTimer = this.#parts.runtime.after(this.#parts.staleAfterMs, () => {
      this.#cancelTimer = undefined
      this.#isStale = true
      const error = this.#lastError
      notify(this.#parts.callbacks.onStale, { downMs: this.#downMs(), ...(error ? { error } : {}) })
    })
  }

  /** A stream is connected. @param after the event it resumes behind */
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
    if (wasBefore) notify(this.#parts.callbacks.onResumed, { ...at, downMs })
    else notify(this.#parts.callbacks.onConnected, at)
  }

  /** A stream has ended; if it had never been connected, nothing changes. */
  down(disconnection: Disconnection): void {
    if (disconnection.error) this.#lastError = disconnection.error
    if (!this.#isUp) return
    this.#isUp = false
    this.#downSince = this.#parts.runtime.monotonic()
    notify(this.#parts.callbacks.onDisconnected, disconnection)
  }

  /** Why there is no connection, for {@link StreamCallbacks.onStale}. */
  noteError(error: Error): void {
    this.#lastError = error
  }

  /** Cancels its timer. */
  dispose(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #downMs(): number {
    return this.#parts.runtime.monotonic() - this.#downSince
  }
}
