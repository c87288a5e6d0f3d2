/**
 * Runs `work` at most once per key at a time: callers that arrive while it runs share its promise. Nothing is kept
 * afterwards, so a failure is not cached.
 */
export class SingleFlight<T> {
  readonly #inFlight = new Map<string, Promise<T>>()

  run(key: string, work: () => Promise<T>): Promise<T> {
    const running = this.#inFlight.get(key)
    if (running) return running
    const started = work().finally(() => {
      if (this.#inFlight.get(key) === started) this.#inFlight.delete(key)
    })
    this.#inFlight.set(key, started)
    return started
  }
}
