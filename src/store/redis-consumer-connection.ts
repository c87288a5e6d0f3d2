import type { RedisSource, ScriptedClient } from './redis-client.js'
import { createRedisClock } from './redis-clock.js'
import { connectRedis, type RedisConnection } from './redis-connection.js'
import { keysOfConsumer, type RedisConsumerKeys } from './redis-consumer-keys.js'
import { CONSUMER_SCRIPTS, type ConsumerScriptName } from './redis-consumer-scripts.js'

/** The connection of a consumer store, with what its parts need beside it. */
export interface RedisConsumerConnection extends Pick<RedisConnection<ConsumerScriptName>, 'run' | 'close'> {
  keysOf(name: string): RedisConsumerKeys
  /**
   * Runs a script that does harm when it begins after its caller gave up; it answers LATE then.
   * @param key decides which node's clock counts
   */
  runInTime<T>(
    operation: string,
    key: string,
    script: (client: ScriptedClient<ConsumerScriptName>, notAfter: number) => Promise<T>,
  ): Promise<T>
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
  const clock = createRedisClock(connection, `${prefix}clock`)
  const { run, close } = connection
  return {
    run,
    close,
    keysOf: (name) => keysOfConsumer(prefix, name),
    async runInTime(operation, key, script) {
      const notAfter = await clock.notAfter(key)
      return run(operation, (client) => script(client, notAfter)).catch(clock.forgetIfLate)
    },
  }
}
