import { PpoppoError } from '../../errors.js'

interface Entry<T> {
  readonly value: T
  readonly expiresAt: number
}

/** Options of {@link ExpiringMap}. */
export interface ExpiringMapOptions {
  /** What it holds, for the error message: `'login attempts'`. */
  readonly holds: string
  /** Maximum number of entries. */
  readonly cap: number
  /** At the cap, after expired entries are dropped: refuse the new one, or evict the oldest. */
  readonly whenFull: 'refuse' | 'evict-oldest'
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Called for each entry that expired, was evicted, or was deleted. */
  readonly onDrop?: (key: string) => void
}

/** A full map is swept for expired entries no more often than this, so that a flood does not cost a sweep per entry. */
const WALK_PAUSE_MS = 1_000

/**
 * A bounded map whose entries expire. Nothing is ever read past its expiry, even between two sweeps.
 *
 * @example
 * const attempts = new ExpiringMap<string>({ holds: 'login attempts', cap: 10_000, whenFull: 'refuse', now: Date.now })
 * attempts.set('a', 'value', Date.now() + 600_000)
 */
export class ExpiringMap<T> {
  readonly #entries = new Map<string, Entry<T>>()
  readonly #options: ExpiringMapOptions
  /** No entry expires before this, so a full map under a flood is not swept again and again in vain. */
  #earliestExpiry = Number.POSITIVE_INFINITY
  #walkedAt = Number.NEGATIVE_INFINITY
  /**
   * Kept from one eviction to the next: a new iterator would have to step over everything deleted before it. Dropped at
   * the next sweep, since it keeps in memory every table that the map has outgrown.
   */
  #oldest: Iterator<string> | undefined

  constructor(options: ExpiringMapOptions) {
    this.#options = options
  }

  /** The live value. */
  get(key: string): T | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (entry.expiresAt > this.#options.now()) return entry.value
    this.delete(key)
    return undefined
  }

  /** When the live entry expires, in milliseconds since the epoch. */
  expiryOf(key: string): number | undefined {
    return this.get(key) === undefined ? undefined : this.#entries.get(key)?.expiresAt
  }

  /**
   * Keeps `value` until `expiresAt` (milliseconds since the epoch). An existing entry keeps its age.
   * @throws `store_full` if the map is at its cap and may not evict.
   */
  set(key: string, value: T, expiresAt: number): void {
    if (!this.#entries.has(key) && this.#entries.size >= this.#options.cap) this.#makeRoom()
    this.#entries.set(key, { value, expiresAt })
    this.#earliestExpiry = Math.min(this.#earliestExpiry, expiresAt)
  }

  delete(key: string): void {
    if (this.#entries.delete(key)) this.#options.onDrop?.(key)
  }

  /** Keys of all live entries. */
  *keys(): IterableIterator<string> {
    for (const key of this.#entries.keys()) if (this.get(key) !== undefined) yield key
  }

  /** Drops what has expired. */
  sweep(): void {
    this.#oldest = undefined
    const now = this.#options.now()
    if (now < this.#earliestExpiry) return
    this.#walkedAt = now
    let earliest = Number.POSITIVE_INFINITY
    for (const [key, entry] of this.#entries) {
      if (entry.expiresAt <= now) this.delete(key)
      else earliest = Math.min(earliest, entry.expiresAt)
    }
    this.#earliestExpiry = earliest
  }

  /** Like {@link sweep}, but at most once a second: for callers that need room. */
  sweepIfDue(): void {
    const now = this.#options.now()
    if (now < this.#earliestExpiry) return
    const sinceWalkMs = now - this.#walkedAt
    if (sinceWalkMs < 0 || sinceWalkMs >= WALK_PAUSE_MS) this.sweep()
  }

  /** Drops the oldest entry. @returns whether there was one */
  dropOldest(): boolean {
    let next = this.#oldest?.next()
    if (next === undefined || next.done) {
      this.#oldest = this.#entries.keys()
      next = this.#oldest.next()
    }
    if (next.done) return false
    this.delete(next.value)
    return true
  }

  clear(): void {
    this.#entries.clear()
    this.#oldest = undefined
    this.#earliestExpiry = Number.POSITIVE_INFINITY
  }

  /** How many entries are held, including expired ones that have not been swept yet. */
  get size(): number {
    return this.#entries.size
  }

  #makeRoom(): void {
    this.sweepIfDue()
    const { cap, holds, whenFull } = this.#options
    if (this.#entries.size < cap) return
    if (whenFull === 'refuse' || !this.dropOldest()) {
      throw new PpoppoError('store_full', `The memory store holds ${cap} ${holds}, and may hold no more. Use Redis.`)
    }
  }
}
