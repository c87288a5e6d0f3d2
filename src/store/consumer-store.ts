/**
 * What durable consumers keep: who is active, how far they are, what could not be handled, and what waits for workers.
 * Texts are opaque here. Every call is bounded in time and rejects with `store_unavailable`; a call that failed may
 * have been carried out all the same, or be carried out later, and each is made so that this does no harm.
 */
export interface ConsumerStore {
  readonly kind: 'memory' | 'redis'
  /**
   * Takes the lease when it is free, or held by the same holder (an answer may have been lost).
   * @param holder unique to a run of a consumer
   * @returns the fencing number, larger than every one before, also after Redis lost its data; or how long the lease
   *   runs that another one holds
   */
  acquire(name: string, holder: string, ttlMs: number): Promise<Acquired | { readonly heldForMs: number }>
  /** Makes the lease last `ttlMs` from now. @returns false when it is no longer this one's */
  renew(name: string, holder: string, ttlMs: number): Promise<boolean>
  /** Gives the lease back, if it is this one's. */
  release(name: string, holder: string): Promise<void>
  /**
   * Remembers how far a consumer is, with what could not be handled and what goes to the workers: all or nothing.
   * Refused (`lost`) unless `fence` is the newest, and after a loss that nobody has accepted; of two with one fence, the smaller `sequence` is ignored, so that
   * one that was held up moves nothing back. `full`: a list is at its bound, and nothing was done.
   */
  commit(name: string, step: CommitStep): Promise<'committed' | 'lost' | 'full'>
  readonly letters: LetterStore
  readonly queue: QueueStore
  /** What an operator must know of how the store is set up, if anything. Never rejects. */
  readWarning(): Promise<string | undefined>
  close(): Promise<void>
}

export interface Acquired {
  readonly fence: number
  /** As it was last committed. */
  readonly checkpoint?: string
  /** The fencing number before this one; absent where nobody ever had the lease. */
  readonly lastFence?: number
  /** What this consumer had is gone, its place or what waited for workers: true until a commit with `acceptsLoss`. */
  readonly isLost?: true
}

export interface CommitStep {
  readonly fence: number
  /** Counts up from 1 for each fence. */
  readonly sequence: number
  readonly checkpoint: string
  /** The consumer knows of the loss that `acquire` reported, and goes on from this checkpoint. */
  readonly acceptsLoss?: true
  /** Dead letters to add. */
  readonly letters?: readonly Letter[]
  /** Entries to put into the queue, at most so many waiting with them. */
  readonly queue?: { readonly entries: readonly string[]; readonly maxLength: number }
}

/** A dead letter; `id` is the event's. */
export interface Letter {
  readonly id: string
  readonly text: string
}

/** Dead letters by consumer name, oldest first; at most {@link MAX_DEAD_LETTERS}. Of one event there is one: the first stays. */
export interface LetterStore {
  /** @param offset how many of the oldest to leave out. @default 0 */
  list(name: string, limit: number, offset?: number): Promise<readonly Letter[]>
  count(name: string): Promise<number>
  /** Adds one outside of a commit. */
  add(name: string, letter: Letter): Promise<'added' | 'full'>
  /** @returns whether it was there */
  remove(name: string, id: string): Promise<boolean>
}

export const MAX_DEAD_LETTERS = 10_000

/** What waits for the workers of a name: a Redis Stream with one consumer group. */
export interface QueueStore {
  /**
   * Entries nobody has had yet, and such that another worker has had for `claimAfterMs` without finishing them.
   * Waits up to `waitMs` when there are none, in Redis 400 ms at most.
   */
  take(name: string, worker: string, options: TakeOptions): Promise<readonly QueueEntry[]>
  /**
   * The entry is done with: removes it; with a letter when it could not be handled, all or nothing. For an entry that is
   * no longer there (somebody else has finished it) nothing is done, and no letter written.
   */
  finish(name: string, id: string, letter?: Letter): Promise<'finished' | 'full'>
  /** The entry was not dealt with after all: the next `take` may have it at once, and this delivery does not count. */
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
  /** Of entries that another worker had and did not finish: as many as asked, one and nothing with it, or none. @default 'any' */
  readonly unfinished?: 'any' | 'one' | 'none'
  readonly waitMs: number
}

export interface QueueEntry {
  /** The store's own. */
  readonly id: string
  readonly text: string
  /** How often it was given out, this time included. */
  readonly deliveries: number
}
