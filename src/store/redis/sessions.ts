import { type SessionCommands, TOMBSTONE_TTL_MS } from '../store.js'
import type { RedisConnection } from './connection.js'
import type { RedisKeys } from './keys.js'
import type { ScriptName } from './scripts.js'

/** The tombstone that replaces an ended session's blob. No blob looks like it, since blobs are JSON objects. */
const TOMBSTONE = 'ended'

/** What the sessions in Redis are made of. */
export interface RedisSessionsParts {
  readonly connection: RedisConnection<ScriptName>
  readonly keys: RedisKeys
}

/** express-session's blobs in Redis. */
export function createRedisSessions({ connection, keys }: RedisSessionsParts): SessionCommands {
  const { run } = connection
  return {
    async get(sid): Promise<string | null> {
      const blob = await run('sessions.get', (client) => client.get(keys.session(sid)))
      return blob === TOMBSTONE ? null : blob
    },
    async set(sid, value, ttlSeconds): Promise<boolean> {
      const reply = await run('sessions.set', (client) =>
        client.ppoppoSetSession(keys.session(sid), value, ttlSeconds, TOMBSTONE, TOMBSTONE_TTL_MS),
      )
      return reply === 1
    },
    async destroy(sid): Promise<void> {
      await run('sessions.destroy', (client) => client.set(keys.session(sid), TOMBSTONE, 'PX', TOMBSTONE_TTL_MS))
    },
  }
}
