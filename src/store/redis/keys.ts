import { tagOf } from '../store.js'

/**
 * Every key of the Redis store. The text in braces decides the Cluster slot: one user's keys share a slot, and so do an
 * attempt and its outcome.
 */
export interface RedisKeys {
  /** A login attempt. */
  attempt(key: string): string
  /** The outcome of a login attempt. */
  outcome(key: string): string
  /** The latest time at which an attempt began, and how much room attempts take, by when they expire. */
  readonly room: string
  signIn(id: string): string
  /** A record's name in its user's index: the id without its tag. */
  memberOf(id: string): string
  /** A user's index: a sorted set of members by expiry. */
  index(tag: string): string
  notBefore(tag: string): string
  /** The lease of a sign-in. */
  lease(id: string): string
  session(sid: string): string
  secret(name: string): string
  counter(limiter: string, key: string): string
  /** Matches the keys of all records, for SCAN. */
  readonly signInPattern: string
  /** The id of the record under a key that SCAN found; `undefined` for a key that somebody else made. */
  toSignInId(key: string): string | undefined
  /** The latest time that `now()` gave; on a Cluster the clock of this key's node counts. */
  readonly clock: string
}

/** @param prefix ends with a colon, has no braces */
export function createRedisKeys(prefix: string): RedisKeys {
  const signIns = `${prefix}signin:{`
  const memberOf = (id: string): string => id.slice(tagOf(id).length + 1)
  const signIn = (id: string): string => `${signIns}${tagOf(id)}}:${memberOf(id)}`
  return {
    attempt: (key) => `${prefix}tx:{${key}}`,
    outcome: (key) => `${prefix}tx:{${key}}:outcome`,
    room: `${prefix}room`,
    signIn,
    memberOf,
    index: (tag) => `${prefix}user:{${tag}}`,
    notBefore: (tag) => `${prefix}notbefore:{${tag}}`,
    lease: (id) => `${prefix}lock:{${tagOf(id)}}:${memberOf(id)}`,
    session: (sid) => `${prefix}sess:${sid}`,
    secret: (name) => `${prefix}secret:${name}`,
    counter: (limiter, key) => `${prefix}limit:${limiter}:${key}`,
    signInPattern: `${signIns.replace(/[\\*?[\]]/g, '\\$&')}*}:*`,
    toSignInId(key) {
      const id = key.slice(signIns.length).replace('}:', '.')
      return id.indexOf('.') > 0 && signIn(id) === key ? id : undefined
    },
    clock: `${prefix}now`,
  }
}
