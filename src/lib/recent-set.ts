/**
 * Remembers keys for `ttlMs`, at most `capacity` of them; the oldest is dropped first. `now` must be a monotonic clock, in
 * milliseconds.
 */
export class RecentSet {
  readonly #until = new Map<string, number>()
  readonly #ttlMs: number
  readonly #capacity: number
  readonly #now: () => number

  constructor(options: { readonly ttlMs: number; readonly capacity: number; readonly now: () => number }) {
    this.#ttlMs = options.ttlMs
    this.#capacity = options.capacity
    this.#now = options.now
  }

  add(key: string): void {
    this.#until.delete(key)
    for (const [oldest, until] of this.#until) {
      if (this.#until.size < this.#capacity && until > this.#now()) break
      this.#until.delete(oldest)
    }
    this.#until.set(key, this.#now() + this.#ttlMs)
  }

  has(key: string): boolean {
    return (this.#until.get(key) ?? 0) > this.#now()
  }
}
