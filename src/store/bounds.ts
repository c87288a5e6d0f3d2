/** How much the stores hold: every bound of what is kept, for Redis and memory alike. */

/** Sign-ins of one person at a time: more than anybody has browsers, yet one person cannot fill a store. */
export const MAX_SIGN_INS_PER_USER: number = 100

/** Dead letters of one consumer. At this bound the consumer stops. */
export const MAX_DEAD_LETTERS: number = 10_000

/** Login attempts in Redis, all together: some 90,000 ordinary ones, or 15,000 with the longest `return_to`. */
export const MAX_ATTEMPT_BYTES: number = 64 * 1024 * 1024

/** Every login attempt lives at least this long, in milliseconds, however many there are. */
export const MIN_ATTEMPT_TTL_MS: number = 2 * 60_000

/** How much the memory store holds of each kind. Each kind has its own bound, so a flood of logins evicts no sign-in. */
export interface MemoryStoreCaps {
  /** Login attempts. When full, new attempts are refused. @default 10_000 */
  readonly attempts: number
  /** Sign-ins. When full, new sign-ins are refused. @default 100_000 */
  readonly signIns: number
  /** Session blobs. When full, the oldest one without a sign-in is evicted; if all have one, the oldest of them. @default 100_000 */
  readonly sessions: number
  /** Keys of all limiters together. When full, the oldest is evicted. @default 100_000 */
  readonly limiterKeys: number
}

export const MEMORY_CAPS: MemoryStoreCaps = {
  attempts: 10_000,
  signIns: 100_000,
  sessions: 100_000,
  limiterKeys: 100_000,
}

/**
 * How long a new login attempt may live. Once half of the room is taken, lifetimes get shorter and shorter, so that a
 * flood fills the store later or not at all, while open attempts stay and people can still sign in. Refusing new
 * attempts from the start would let a few addresses lock everybody out; evicting the oldest would hit people who are
 * typing their password. `ppoppoPut` computes the same in Redis.
 * @param share how much of the room for attempts is taken, from 0 to 1
 */
export function attemptTtl(ttlMs: number, share: number): number {
  return Math.min(ttlMs, Math.max(MIN_ATTEMPT_TTL_MS, Math.floor(ttlMs * 2 * (1 - share))))
}
