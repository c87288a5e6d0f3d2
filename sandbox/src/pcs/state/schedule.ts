/** Timers that end with their owner: after `close()` none fires, and none keeps the process alive. */
export class Schedule {
  readonly #timers = new Set<NodeJS.Timeout>()
  #isClosed = false

  later(delayMs: number, work: () => void): void {
    if (this.#isClosed) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      work()
    }, delayMs)
    this.#timers.add(timer)
  }

  close(): void {
    this.#isClosed = true
    this.clear()
  }

  /** Drops what is to come; new timers may follow. */
  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }
}
