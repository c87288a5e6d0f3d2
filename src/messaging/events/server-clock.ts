/** A frontend's clock may be a little ahead of the clock that dates events. */
const MARGIN_MS = 2_000
/** How far this machine's clock may be ahead where the server does not tell the time. */
const BLIND_MARGIN_MS = 60_000

/**
 * The server's time, as its answers tell it in `date` (RFC 9110 6.6.1, whole seconds): never ahead of it. So what is
 * passed over as having happened before now has.
 *
 * @param now this machine's, in milliseconds since the epoch: what is left where no answer has told the time
 */
export class ServerClock {
  readonly #now: () => number
  /** The server's time less the monotonic clock. */
  #offsetMs: number | undefined

  constructor(now: () => number) {
    this.#now = now
  }

  /** @param date as an answer that has just come has it */
  note(date: string | undefined): void {
    const time = Date.parse(date ?? '')
    if (!Number.isNaN(time)) this.#offsetMs = time - performance.now()
  }

  /** Milliseconds since the epoch. */
  now(): number {
    if (this.#offsetMs === undefined) return this.#now() - BLIND_MARGIN_MS
    return performance.now() + this.#offsetMs - MARGIN_MS
  }
}
