import type { PpoppoError } from '../errors.js'

/**
 * What the rest of the library asks of a place to keep things. Two implementations, Redis and memory, pass the same
 * contract suite (`test/contract/store.ts`). Every method that changes something is atomic: either one command or one
 * script. A Redis command that timed out may still run later, so every change is conditional or harmless when repeated.
 *
 * Times are milliseconds since the epoch by the store's own clock (Redis TIME, so that all app instances agree).
 * Every method rejects with `PpoppoError` `store_unavailable` when the store does not answer in time.
 */
export interface Store {
  readonly kind: 'redis' | 'memory'

  /**
   * The store's clock, in milliseconds since the epoch. It never gives the same time twice, nor an earlier one: where
   * the clock is set back it stands until that has caught up. So it tells what began first.
   */
  now(): Promise<number>

  // One login attempt (one for each `state`).

  /**
   * Keeps a login attempt for `ttlMs`, or less under a flood: see {@link attemptTtl}.
   * @throws `store_full` when the store holds as many attempts as it may.
   */
  putTransaction(key: string, value: string, ttlMs: number): Promise<void>
  /**
   * Takes a login attempt, once: of any number of callers exactly one gets `{ value }`, and in the same step the
   * attempt is marked `PENDING_OUTCOME` for `outcomeTtlMs`. The others get `{ outcome }` (`PENDING_OUTCOME` or what
   * `setTransactionOutcome` left), or `undefined` where nothing is known under this key.
   */
  takeTransaction(key: string, outcomeTtlMs: number): Promise<TakenTransaction | undefined>
  /** Leaves what became of a taken attempt, for `ttlMs`. Does nothing when the mark of the taker is gone. */
  setTransactionOutcome(key: string, outcome: string, ttlMs: number): Promise<void>
  /** What became of a taken attempt; `undefined` when unknown. */
  readTransactionOutcome(key: string): Promise<string | undefined>

  // Sign-ins: the vault's records. A sign-in id is `<tag>.<random>`; one user's records share the tag.

  /**
   * Creates a record, version 1, and enters it in its user's index, unless the user signed out everywhere at or after
   * `attemptStartedAt`. Of more than `MAX_SIGN_INS_PER_USER` the older one that would expire
   * first goes.
   * @returns whether it was created.
   * @throws `store_full` (memory).
   */
  createSignIn(id: string, value: string, expiresAt: number, attemptStartedAt: number): Promise<boolean>
  readSignIn(id: string): Promise<VersionedRecord | undefined>
  /**
   * Writes a record over the one that was read: only while it exists and its version is `expectedVersion`. The version
   * goes up by one, the expiry becomes `expiresAt` (the record is deleted when that is past). So nothing brings a
   * deleted record back.
   */
  writeSignIn(id: string, expectedVersion: number, value: string, expiresAt: number): Promise<WriteResult>
  /**
   * Deletes a record and its index entry.
   * @param expectedVersion delete only while the version is this one.
   * @returns the record that was deleted, else `undefined`.
   */
  deleteSignIn(id: string, expectedVersion?: number): Promise<VersionedRecord | undefined>
  /** All live records of one user. Index entries whose record has expired are dropped on the way. */
  listSignIns(tag: string): Promise<readonly (VersionedRecord & { readonly id: string })[]>
  /**
   * Deletes all records of one user and, in the same step, sets the user's `notbefore` to `now()`: a sign-in whose attempt
   * began earlier cannot be created for the next `notBeforeTtlMs`.
   * @returns the deleted records.
   */
  deleteAllSignIns(tag: string, notBeforeTtlMs: number): Promise<readonly (VersionedRecord & { readonly id: string })[]>
  /** Ids of all sign-ins, in no order, some perhaps twice: for `rewrap`. Scans; never blocks the store. */
  scanSignIns(): AsyncIterable<string>

  // Leases: at most one holder at a time, as far as clocks allow.

  /** Takes the lease `name` (a sign-in id) for `ttlMs` if nobody has it. `holder` is a random word of the caller's. */
  acquireLease(name: string, holder: string, ttlMs: number): Promise<boolean>
  /** Gives the lease back if `holder` still has it. */
  releaseLease(name: string, holder: string): Promise<void>

  // Sessions: express-session's blobs, through connect-redis. Shaped as the three ioredis commands it calls.

  readonly sessions: SessionCommands

  /** Keeps `value` under `name` unless something is there; returns what is there. For secrets made in development. */
  shareSecret(name: string, value: string): Promise<string>

  /** A limiter for `pointsPerMinute` events per key and minute. */
  createLimiter(name: string, pointsPerMinute: number): Limiter

  /** Where there is more to wait for at start than the answers above: Redis has told how it keeps things. Never rejects. */
  ready?(): Promise<void>
  /** The fault of a store that said nothing for so long: why, as far as it is known. */
  silence?(waitedMs: number): PpoppoError

  /** Closes what this store opened; a client that was passed in stays open. Idempotent. */
  close(): Promise<void>
}

/** Value of an outcome while the taker of the attempt is still at work. */
export const PENDING_OUTCOME = 'pending'

/** Result of {@link Store.takeTransaction}. */
export type TakenTransaction =
  | { readonly value: string; readonly outcome?: undefined }
  | { readonly value?: undefined; readonly outcome: string }

/** A record with the version it was read at. */
export interface VersionedRecord {
  readonly version: number
  readonly value: string
}

/** `conflict`: somebody else wrote first. `gone`: there is no such record any more. */
export type WriteResult = 'written' | 'conflict' | 'gone'

/** What express-session's store needs. A destroyed session leaves a tombstone, under which nothing can be written. */
export interface SessionCommands {
  /** The blob, or `null` where there is none or only a tombstone. */
  get(sid: string): Promise<string | null>
  /** Writes the blob for `ttlSeconds`; `false` where a tombstone says that this session has ended. */
  set(sid: string, value: string, ttlSeconds: number): Promise<boolean>
  /** Ends the session: a tombstone for ten minutes takes the blob's place. */
  destroy(sid: string): Promise<void>
}

/** Counts events per key. */
export interface Limiter {
  /**
   * Counts one event.
   * @returns milliseconds to wait when the limit is passed, else 0.
   * @throws `store_unavailable`; the caller opens the limit then.
   */
  consume(key: string): Promise<number>
  /** Takes one event back, where its minute is not over. @throws `store_unavailable` */
  giveBack(key: string): Promise<void>
}

/** One person fills no store: more sign-ins at a time than anybody has browsers. */
export const MAX_SIGN_INS_PER_USER: number = 100

/** However many login attempts there are, each has this long, in milliseconds. */
export const MIN_ATTEMPT_TTL_MS: number = 2 * 60_000

/**
 * How long a new login attempt may live. Once half of the room is taken it is less and less: a flood fills the store later
 * or not at all, nobody's open attempt is pushed out, and a person can still sign in. Refusing new ones from the start would
 * let a few addresses shut everybody out; to let the oldest go would push out people who are typing their password.
 * `ppoppoRoom` does the same in Redis.
 * @param share of the room for attempts that is taken, from 0 to 1
 */
export function attemptTtl(ttlMs: number, share: number): number {
  return Math.min(ttlMs, Math.max(MIN_ATTEMPT_TTL_MS, Math.floor(ttlMs * 2 * (1 - share))))
}

/** How long a destroyed session's tombstone stays, in milliseconds. */
export const TOMBSTONE_TTL_MS: number = 10 * 60_000

/** The tag of a sign-in id `<tag>.<random>`: all that shares it shares a Cluster slot. */
export function tagOf(signInId: string): string {
  const dot = signInId.indexOf('.')
  if (dot <= 0) throw new TypeError('a sign-in id has the form <tag>.<random>')
  return signInId.slice(0, dot)
}
