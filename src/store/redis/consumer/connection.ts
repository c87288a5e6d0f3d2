import type { RedisSource } from '../client.js'
import { createRedisClock, type RedisClock } from '../clock.js'
import { connectRedis, type RedisConnection } from '../connection.js'
import { keysOfConsumer, type RedisConsumerKeys } from './keys.js'
import { CONSUMER_SCRIPTS, type ConsumerScriptName } from './scripts.js'

/** The connection of a consumer store, with what its parts need beside it. */
export interface RedisConsumerConnection
  extends Pick<RedisConnection<ConsumerScriptName>, 'run' | 'masters' | 'close'>,
    Pick<RedisClock<ConsumerScriptName>, 'runInTime'> {
  keysOf(name: string): RedisConsumerKeys
}

/** Connects at the first call. @param options.prefix ends with a colon, has no braces */
export function connectConsumers({
  redis,
  prefix,
}: {
  readonly redis: RedisSource
  readonly prefix: string
}): RedisConsumerConnection {
  const connection = connectRedis(redis, CONSUMER_SCRIPTS)
  const { runInTime } = createRedisClock<ConsumerScriptName>(connection)
  const { run, masters, close } = connection
  return { run, runInTime, masters, close, keysOf: (name) => keysOfConsumer(prefix, name) }
}
