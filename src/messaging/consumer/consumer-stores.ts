import type { MessagingConfig } from '../../config/messaging-options.js'
import type { ConsumerStore } from '../../store/consumer-store.js'
import { createMemoryConsumerStore } from '../../store/memory/consumer-store.js'
import { createRedisConsumerStore } from '../../store/redis/consumer/consumer-store.js'
import type { MessagingRuntime } from '../lib/runtime.js'

/**
 * The store of a client's consumers, opened when one is first used. Its keys begin with the Messaging client's id, so that
 * a worker with `createMessaging()` and a server with `ppoppo()` share consumers, and two apps on one Redis do not.
 */
export function createConsumerStores(
  { redis, keyPrefix, credentials }: MessagingConfig,
  { now }: MessagingRuntime,
): { open(): ConsumerStore; close(): Promise<void> } {
  let store: ConsumerStore | undefined
  const prefix = `${keyPrefix}pcs:${encodeURIComponent(credentials?.clientId ?? '')}:`
  return {
    open: () => {
      store ??= redis === undefined ? createMemoryConsumerStore({ now }) : createRedisConsumerStore({ redis, prefix })
      return store
    },
    close: async () => store?.close(),
  }
}
