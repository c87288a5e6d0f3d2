import type { MessagingConfig } from './messaging-options.js'
import type { Config } from './options.js'

/** Prefix of the Redis keys of sign-ins and sessions. Apps with different clients can share a Redis. */
export function keyPrefixOf({ keyPrefix, clientId }: Pick<Config, 'keyPrefix' | 'clientId'>): string {
  return `${keyPrefix}${encodeURIComponent(clientId)}:`
}

/**
 * Prefix of the Redis keys of consumers. It contains the id of the Messaging API client: a worker with `createMessaging()`
 * and a server with `ppoppo()` share consumers, two apps on one Redis do not.
 */
export function messagingKeyPrefixOf({
  keyPrefix,
  credentials,
}: Pick<MessagingConfig, 'keyPrefix' | 'credentials'>): string {
  return `${keyPrefix}pcs:${encodeURIComponent(credentials?.clientId ?? '')}:`
}
