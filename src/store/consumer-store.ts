/**
 * What durable consumers store: who is active, their position, what could not be handled, and what waits for workers.
 * Texts are opaque here. Every call is bounded in time and rejects with `store_unavailable`. A failed call may have run
 * anyway, or may run later; each is built so that this does no harm.
 */
export interface ConsumerStore {
  readonly kind: 'memory' | 'redis'
  /**
   * Takes the lease if it is free, or held by the same holder (whose answer may have been lost).
   * @param holder unique to a run of a consumer
   * @returns the fencing number, larger than every one before, even after Redis lost its data; or how long another
   *   holder's lease still runs
   */
  acquire(name: string, holder: string, ttlMs: number): Promise<Acquired | { readonly heldForMs: number }>
  /** Makes the lease last `ttlMs` from now. @returns false if `holder` no longer has it */
  renew(name: string, holder: string, ttlMs: number): Promise<boolean>
  /** Releases the lease if `holder` still has it. */
  release(name: string, holder: string): Promise<void>
  /**
   * Saves a consumer's position, its new dead letters and the entries for its workers: all or nothing.
   * Refused (`lost`) unless `fence` is the newest, and after a loss that was not accepted. Of two steps with one fence, the
   * one with the smaller `sequence` is ignored, so a delayed one cannot move the position back. `full`: a list is at
   * its bound, and nothing was done.
   */
  commit(name: string, step: CommitStep): Promise<'committed' | 'lost' | 'full'>
  readonly letters: DeadLetterStore
  readonly queue: QueueStore
  /** Anything an operator must know about the store's setup. Never rejects. */
  readWarning(): Promise<string | undefined>
  close(): Promise<void>
}

export interface Acquired {
  readonly fence: number
  /** As last committed. */
  readonly checkpoint?: string
  /** The previous fencing number; absent if nobody ever had the lease. */
  readonly lastFence?: number
  /** The consumer's position, or what waited for its workers, is gone: true until a commit with `acceptsLoss`. */
  readonly isLost?: true
}

export interface CommitStep {
  readonly fence: number
  /** Counts up from 1 for each fence. */
  readonly sequence: number
  readonly checkpoint: string
  /** The consumer knows about the loss that `acquire` reported, and continues from this checkpoint. */
  readonly acceptsLoss?: true
  /** Dead letters to add. */
  readonly letters?: readonly StoredDeadLetter[]
  /** Entries to put into the queue, if no more than `maxLength` wait then. */
  readonly queue?: { readonly entries: readonly string[]; readonly maxLength: number }
}

/** A dead letter; `id` is the event's. */
export interface StoredDeadLetter {
  readonly id: string
  readonly text: string
}

/** Dead letters by consumer name, oldest first, at most `MAX_DEAD_LETTERS`. Each event has at most one: the first. */
export interface DeadLetterStore {
  /** @param offset how many of the oldest to skip. @default 0 */
  list(name: string, limit: number, offset?: number): Promise<readonly StoredDeadLetter[]>
  count(name: string): Promise<number>
  /** Adds a dead letter outside of a commit. */
  add(name: string, letter: StoredDeadLetter): Promise<'added' | 'full'>
  /** @returns whether it was there */
  remove(name: string, id: string): Promise<boolean>
}

/** What waits for the workers of a name: a Redis Stream with one consumer group. */
export interface QueueStore {
  /**
   * New entries, and those that another worker has had for `claimAfterMs` without finishing them. If there are none, waits
   * for up to `waitMs` (in Redis 400 ms at most).
   */
  take(name: string, worker: string, options: TakeOptions): Promise<readonly QueueEntry[]>
  /**
   * Removes an entry, together with adding its dead letter if it could not be handled: all or nothing. If another worker
   * has finished the entry, nothing is done and no dead letter is written.
   */
  finish(name: string, id: string, letter?: StoredDeadLetter): Promise<'finished' | 'full'>
  /** The entry was not handled: the next `take` may return it at once, and this delivery does not count. */
  giveBack(name: string, worker: string, entry: QueueEntry): Promise<void>
  /** Whether there are entries that a worker has had for `claimAfterMs` without finishing them. */
  hasUnfinished(name: string, claimAfterMs: number): Promise<boolean>
  /** Entries that are not finished. */
  length(name: string): Promise<number>
}

export interface TakeOptions {
  /** At least 1. */
  readonly count: number
  readonly claimAfterMs: number
  /** Entries that another worker did not finish: as many as asked for, one and nothing else, or none. @default 'any' */
  readonly unfinished?: 'any' | 'one' | 'none'
  readonly waitMs: number
}

export interface QueueEntry {
  /** The store's own. */
  readonly id: string
  readonly text: string
  /** How often it was delivered, this time included. */
  readonly deliveries: number
}
