import { messagingKeyPrefixOf } from '../../config/key-prefix.js'
import type { MessagingConfig } from '../../config/messaging-options.js'
import type { ConsumerStore } from '../../store/consumer-store.js'
import { createMemoryConsumerStore } from '../../store/memory/consumer-store.js'
import { createRedisConsumerStore } from '../../store/redis/consumer/consumer-store.js'
import type { MessagingRuntime } from '../lib/runtime.js'

/** The store of a client's consumers, opened when the first one is used. */
export function createConsumerStores(
  config: MessagingConfig,
  { now }: MessagingRuntime,
): { open(): ConsumerStore; close(): Promise<void> } {
  let store: ConsumerStore | undefined
  const { redis } = config
  const prefix = messagingKeyPrefixOf(config)
  return {
    open: () => {
      store ??= redis === undefined ? createMemoryConsumerStore({ now }) : createRedisConsumerStore({ redis, prefix })
      return store
    },
    close: async () => store?.close(),
  }
}
