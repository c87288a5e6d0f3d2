import type { RedisSource } from '../client.js'
import { createRedisClock, type RedisClock } from '../clock.js'
import { connectRedis, type RedisConnection } from '../connection.js'
import { keysOfConsumer, type RedisConsumerKeys } from './keys.js'
import { CONSUMER_SCRIPTS, type ConsumerScriptName } from './scripts.js'

/** What a consumer store in Redis is made of. */
export interface RedisConsumerStoreParts {
  /** A client or Cluster (duplicated, never closed), or a URL. */
  readonly redis: RedisSource
  /** What every key begins with; ends with a colon, has no braces. */
  readonly prefix: string
}

/** The connection of a consumer store, and what else its parts need. */
export interface RedisConsumerConnection
  extends Pick<RedisConnection<ConsumerScriptName>, 'run' | 'masters' | 'close'>,
    Pick<RedisClock<ConsumerScriptName>, 'runInTime'> {
  keysOf(name: string): RedisConsumerKeys
}

/** Connects at the first call. */
export function connectConsumers({ redis, prefix }: RedisConsumerStoreParts): RedisConsumerConnection {
  const connection = connectRedis({ redis, scripts: CONSUMER_SCRIPTS })
  const { runInTime } = createRedisClock<ConsumerScriptName>(connection)
  const { run, masters, close } = connection
  return { run, runInTime, masters, close, keysOf: (name) => keysOfConsumer(prefix, name) }
}
