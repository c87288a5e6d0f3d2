/** How often it is looked at. A look that comes late shows that this process had to wait for its turn. */
const STEP_MS = 100
/** Waiting for a turn makes it at most so many times as long. */
const MOST_TIMES = 3

/**
 * The time of one call, which stands still while this process is blocked or has no processor: then nothing that Redis has
 * answered can be read, and a connection needs several turns of the event loop until it is there.
 */
export class Countdown {
  /** When the step under way began. */
  #leftThenMs: number
  #stepMs = 0
  #beganAtMs: number
  readonly #endAtMs: number
  readonly #onEnd: () => void
  #timer: NodeJS.Timeout | undefined

  /** @param beganAtMs now, by `performance.now()` */
  constructor(ms: number, onEnd: () => void, beganAtMs: number = performance.now()) {
    this.#leftThenMs = ms
    this.#onEnd = onEnd
    this.#beganAtMs = beganAtMs
    this.#endAtMs = beganAtMs + MOST_TIMES * ms
    this.#step()
  }

  /** Until it is over, if this process has its turn from now on. */
  get leftMs(): number {
    return this.#leftThenMs - Math.min(this.#stepMs, performance.now() - this.#beganAtMs)
  }

  /** When it is over, by `performance.now()`, if this process has its turn from now on. */
  get endsAtMs(): number {
    return performance.now() + this.leftMs
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #step(): void {
    this.#stepMs = Math.min(STEP_MS, this.#leftThenMs)
    this.#timer = setTimeout(() => this.#look(), this.#stepMs)
  }

  #look(): void {
    this.#leftThenMs = this.leftMs // a timer that is set after a block may run early
    this.#beganAtMs = performance.now()
    if (this.#leftThenMs >= 1 && this.#beganAtMs < this.#endAtMs) return this.#step()
    this.#stepMs = this.#leftThenMs = 0
    // A busy process runs its timers before it reads answers that have arrived, so give it one more turn of the loop.
    setImmediate(this.#onEnd)
  }
}
