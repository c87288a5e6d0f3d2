import type { MessagingRuntime } from '../lib/runtime.js'

/** The clock of a server's front end may be a little ahead of the one that dates events. */
const MARGIN_MS = 2_000
/** How far this machine's clock may be ahead if the server does not send the time. */
const BLIND_MARGIN_MS = 60_000

/** The clocks that {@link ServerClock} needs. */
export type Clocks = Pick<MessagingRuntime, 'now' | 'monotonic'>

/**
 * The server's time, from the `date` header of its answers (RFC 9110 6.6.1, whole seconds). Never ahead of it, so what
 * happened before {@link ServerClock.now} really did. If no answer had the header: this machine's time, less a minute.
 */
export class ServerClock {
  readonly #clocks: Clocks
  /** The server's time minus the monotonic clock. */
  #offsetMs: number | undefined

  constructor(clocks: Clocks) {
    this.#clocks = clocks
  }

  /** @param date the header of an answer that has just arrived */
  note(date: string | undefined): void {
    const time = Date.parse(date ?? '')
    if (!Number.isNaN(time)) this.#offsetMs = time - this.#clocks.monotonic()
  }

  /** Milliseconds since the epoch. */
  now(): number {
    if (this.#offsetMs === undefined) return this.#clocks.now() - BLIND_MARGIN_MS
    return this.#clocks.monotonic() + this.#offsetMs - MARGIN_MS
  }
}
