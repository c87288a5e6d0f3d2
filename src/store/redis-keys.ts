import { tagOf } from './store.js'

/**
 * Every key of the Redis store. What is in braces decides the Cluster slot: one user's keys lie together, and so do an
 * attempt and its outcome.
 */
export interface RedisKeys {
  /** A login attempt. */
  attempt(key: string): string
  /** What became of it. */
  outcome(key: string): string
  signIn(id: string): string
  /** What all record keys of one user begin with; the member of the index follows. */
  signInsOf(tag: string): string
  /** What a record is called in its user's index: the id without its tag. */
  memberOf(id: string): string
  /** A user's index: a sorted set of members by expiry. */
  index(tag: string): string
  notBefore(tag: string): string
  lease(name: string): string
  session(sid: string): string
  secret(name: string): string
  counter(limiter: string, key: string): string
  /** Matches the keys of all records, for SCAN. */
  readonly signInPattern: string
  /** The id of the record under a key that SCAN found. */
  toSignInId(key: string): string
  /** The latest time that anybody was told; on a Cluster its node's clock is the one that counts. */
  readonly clock: string
}

/** @param prefix ends with a colon, has no braces */
export function createRedisKeys(prefix: string): RedisKeys {
  const signIns = `${prefix}signin:{`
  const memberOf = (id: string): string => id.slice(tagOf(id).length + 1)
  const signInsOf = (tag: string): string => `${signIns}${tag}}:`
  return {
    attempt: (key) => `${prefix}tx:{${key}}`,
    outcome: (key) => `${prefix}tx:{${key}}:outcome`,
    signIn: (id) => signInsOf(tagOf(id)) + memberOf(id),
    signInsOf,
    memberOf,
    index: (tag) => `${prefix}user:{${tag}}`,
    notBefore: (tag) => `${prefix}notbefore:{${tag}}`,
    lease: (name) =>
      name.includes('.') ? `${prefix}lock:{${tagOf(name)}}:${memberOf(name)}` : `${prefix}lock:${name}`,
    session: (sid) => `${prefix}sess:${sid}`,
    secret: (name) => `${prefix}secret:${name}`,
    counter: (limiter, key) => `${prefix}limit:${limiter}:${key}`,
    signInPattern: `${signIns.replace(/[\\*?[\]]/g, '\\$&')}*}:*`,
    toSignInId: (key) => key.slice(signIns.length).replace('}:', '.'),
    clock: `${prefix}now`,
  }
}
