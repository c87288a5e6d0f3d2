import type { PpoppoError } from '../errors.js'

/**
 * What the rest of the library needs from a store. Two implementations, Redis and memory, pass the same
 * contract suite (`test/contract/store.ts`). Every method that changes something is atomic: either one command or one
 * script. A Redis command that timed out may still run later, so every change is conditional, or harmless if it runs twice.
 *
 * Times are milliseconds since the epoch by the store's own clock (Redis TIME, so that all app instances agree).
 * Every method rejects with `PpoppoError` `store_unavailable` when the store does not answer in time.
 */
export interface Store {
  readonly kind: 'redis' | 'memory'

  /**
   * The store's clock, in milliseconds since the epoch. It never gives the same time twice, nor an earlier one: if the
   * clock is set back, it hardly advances until the clock has caught up. So it shows what began first.
   */
  now(): Promise<number>

  // One login attempt (one for each `state`).

  /**
   * Keeps a login attempt for `ttlMs`, or less under a flood: see `attemptTtl`.
   * @param make makes the attempt that begins at this time: later than every time that `now()` gave before the attempt is
   * kept, and earlier than every time that it gives after. It may be called a few times; the last one is kept
   * @param limit counts the attempt, once; above the limit none is kept
   * @throws `store_full` when the store holds as many attempts as it may.
   */
  putTransaction<A extends Attempt>(
    make: (begunAt: number) => A,
    ttlMs: number,
    limit?: Count,
  ): Promise<PutTransaction<A>>
  /**
   * Takes a login attempt, once: of any number of callers exactly one gets `{ value }`, and in the same step the
   * attempt is marked `PENDING_OUTCOME` for `outcomeTtlMs`. The others get `{ outcome }` (`PENDING_OUTCOME` or what
   * `setTransactionOutcome` left), or `undefined` if the key is unknown.
   * @param limit counts the attempt that is taken; if the limit cannot be counted, the attempt passes
   */
  takeTransaction(key: string, outcomeTtlMs: number, limit?: Count): Promise<TakenTransaction | undefined>
  /** Stores the outcome of a taken attempt, for `ttlMs`. Does nothing if the taker's mark is gone. */
  setTransactionOutcome(key: string, outcome: string, ttlMs: number): Promise<void>
  /** The outcome of a taken attempt; `undefined` if unknown. */
  readTransactionOutcome(key: string): Promise<string | undefined>

  // Sign-ins: the vault's records. A sign-in id is `<tag>.<random>`; one user's records share the tag.

  /**
   * Creates a record, version 1, and enters it in its user's index, unless the user signed out everywhere at or after
   * `attemptStartedAt`. Above `MAX_SIGN_INS_PER_USER`, the older record that expires first is deleted.
   * @returns whether it was created.
   * @throws `store_full` (memory).
   */
  createSignIn(id: string, value: string, expiresAt: number, attemptStartedAt: number): Promise<boolean>
  readSignIn(id: string): Promise<VersionedRecord | undefined>
  /** Which of these sign-ins have no record. For a few hundred at a time. */
  missingSignIns(ids: readonly string[]): Promise<readonly string[]>
  /**
   * Replaces the record only if it exists and its version is `expectedVersion`, so that nothing brings a deleted record
   * back. The version goes up by one, and the expiry becomes `expiresAt` (if that is past, the record is deleted).
   */
  writeSignIn(id: string, expectedVersion: number, value: string, expiresAt: number): Promise<WriteResult>
  /**
   * Deletes a record and its index entry.
   * @param expectedVersion delete only if the record has this version.
   * @returns the deleted record, or `undefined`.
   */
  deleteSignIn(id: string, expectedVersion?: number): Promise<VersionedRecord | undefined>
  /** All live records of one user. Index entries whose record has expired are removed in passing. */
  listSignIns(tag: string): Promise<readonly (VersionedRecord & { readonly id: string })[]>
  /**
   * Deletes all records of one user and, in the same step, sets the user's `notbefore` to `now()`: a sign-in whose attempt
   * began earlier cannot be created for the next `notBeforeTtlMs`.
   * @returns the deleted records.
   */
  deleteAllSignIns(tag: string, notBeforeTtlMs: number): Promise<readonly (VersionedRecord & { readonly id: string })[]>
  /** Ids of all sign-ins, in no order, possibly with duplicates: for `rewrap`. Scans, and never blocks the store. */
  scanSignIns(): AsyncIterable<string>

  // Leases: one holder at a time, as far as clocks allow.

  /**
   * Takes the lease of the sign-in `id` for `ttlMs` if it is free, and then reads the sign-in, in one step: a holder sees
   * all that earlier ones wrote. `holder` is a random string of the caller.
   */
  acquireLease(id: string, holder: string, ttlMs: number): Promise<Lease>
  /** Releases the lease of the sign-in `id` if `holder` still has it. */
  releaseLease(id: string, holder: string): Promise<void>

  // Sessions: express-session's blobs.

  readonly sessions: SessionCommands

  /** Keeps `value` under `name` if there is none yet; returns the stored one. For secrets generated in development. */
  shareSecret(name: string, value: string): Promise<string>

  /** A limiter for `pointsPerMinute` events per key and minute. */
  createLimiter(name: string, pointsPerMinute: number): Limiter

  /** Resolves once Redis has reported how it keeps its data, if it is being asked. Never rejects. */
  ready?(): Promise<void>
  /** The error for a store that has not answered for `waitedMs`, with the cause as far as known. */
  silence?(waitedMs: number): PpoppoError

  /** Closes what this store opened; a client that was passed in stays open. Idempotent. */
  close(): Promise<void>
}

/** The outcome while the taker of the attempt is still working on it. */
export const PENDING_OUTCOME = 'pending'

/** A login attempt as the store keeps it. */
export interface Attempt {
  readonly key: string
  readonly value: string
}

/** Result of {@link Store.putTransaction}: the attempt that was kept, or how long to wait, in milliseconds. */
export type PutTransaction<A extends Attempt> =
  | { readonly attempt: A; readonly waitMs: 0 }
  | { readonly attempt?: undefined; readonly waitMs: number }

/** Result of {@link Store.takeTransaction}. */
export type TakenTransaction =
  | {
      readonly value: string
      /** By the store's clock, milliseconds; on a Cluster the clock of the node that has the attempt. */
      readonly takenAt: number
      /** Milliseconds to wait if the limit is exceeded, else 0. */
      readonly waitMs: number
      readonly outcome?: undefined
    }
  | { readonly value?: undefined; readonly takenAt?: undefined; readonly waitMs?: undefined; readonly outcome: string }

/** Result of {@link Store.acquireLease}. */
export interface Lease {
  /** Whether the caller has it now. */
  readonly isHolder: boolean
  /** The sign-in; `undefined` if there is none. */
  readonly record: VersionedRecord | undefined
}

/** A record with the version it was read at. */
export interface VersionedRecord {
  readonly version: number
  readonly value: string
}

/** `conflict`: another writer was first. `gone`: the record no longer exists. */
export type WriteResult = 'written' | 'conflict' | 'gone'

/** What express-session's store needs. A destroyed session leaves a tombstone, under which nothing can be written. */
export interface SessionCommands {
  /** The blob; `null` if there is none, or only a tombstone. */
  get(sid: string): Promise<string | null>
  /** Writes the blob for `ttlSeconds`; `false` if a tombstone says that this session has ended. */
  set(sid: string, value: string, ttlSeconds: number): Promise<boolean>
  /** Ends the session: a tombstone replaces the blob for ten minutes. */
  destroy(sid: string): Promise<void>
}

/** One event to count: by which limiter, and for whom. */
export interface Count {
  readonly limiter: Limiter
  readonly key: string
}

/** Counts events per key. */
export interface Limiter {
  readonly name: string
  readonly pointsPerMinute: number
  /**
   * Counts one event.
   * @returns milliseconds to wait if the limit is exceeded, else 0.
   * @throws `store_unavailable`; the caller then applies no limit.
   */
  consume(key: string): Promise<number>
  /** Takes one event back if its minute is not over. @throws `store_unavailable` */
  giveBack(key: string): Promise<void>
}

/** How long a destroyed session's tombstone stays, in milliseconds. */
export const TOMBSTONE_TTL_MS: number = 10 * 60_000

/** The part of a store that keeps sign-ins. */
export type SignInMethods = Pick<
  Store,
  | 'createSignIn'
  | 'readSignIn'
  | 'missingSignIns'
  | 'writeSignIn'
  | 'deleteSignIn'
  | 'listSignIns'
  | 'deleteAllSignIns'
  | 'scanSignIns'
>

/** The tag of a sign-in id `<tag>.<random>`: ids with the same tag share a Cluster slot. */
export function tagOf(signInId: string): string {
  const dot = signInId.indexOf('.')
  if (dot <= 0) throw new TypeError('a sign-in id has the form <tag>.<random>')
  return signInId.slice(0, dot)
}
