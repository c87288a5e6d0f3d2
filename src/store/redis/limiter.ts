import type { Limiter } from '../store.js'
import type { RedisConnection } from './connection.js'
import type { RedisKeys } from './keys.js'
import type { ScriptName } from './scripts.js'

/** What a limiter in Redis is made of. */
export interface RedisLimiterParts {
  readonly connection: RedisConnection<ScriptName>
  readonly keys: RedisKeys
  readonly name: string
  readonly pointsPerMinute: number
}

/** How long a counter lives, in milliseconds. */
export const WINDOW_MS = 60_000

/**
 * Counts events in Redis. Not rate-limiter-flexible: its memory limiter is unbounded and has its own clock, so both
 * limiters are ours; and its Redis limiter would bypass `run`, which bounds each call's time.
 */
export function createRedisLimiter({ connection, keys, name, pointsPerMinute }: RedisLimiterParts): Limiter {
  const { run } = connection
  return {
    name,
    pointsPerMinute,
    async consume(key): Promise<number> {
      const counter = keys.counter(name, key)
      return Number(await run('limiter.consume', (client) => client.ppoppoCount(counter, pointsPerMinute, WINDOW_MS)))
    },
    async giveBack(key): Promise<void> {
      await run('limiter.giveBack', (client) => client.ppoppoUncount(keys.counter(name, key)))
    },
  }
}
