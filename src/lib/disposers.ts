/**
 * What has to be undone when a piece of work ends: timers, listeners, subscriptions. A callback may run before the call
 * that registers it has returned, so adding after {@link Disposers.dispose} undoes at once.
 *
 * @example
 * const disposers = new Disposers()
 * disposers.add(runtime.after(1_000, done))
 * disposers.add(onAbort(signal, done)) // calls `done` at once if the signal is already aborted
 */
export class Disposers {
  #releases: (() => void)[] | undefined = []

  /** Calls `release` once, on {@link Disposers.dispose}; at once if that has already been called. */
  add(release: () => void): void {
    if (this.#releases) this.#releases.push(release)
    else release()
  }

  /** Calls everything that was added, in the order it was added. A second call does nothing. */
  dispose(): void {
    const releases = this.#releases ?? []
    this.#releases = undefined
    for (const release of releases) release()
  }
}
