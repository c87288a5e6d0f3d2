import type { MessagingConfig } from './messaging-options.js'
import type { Config } from './options.js'

/** What every Redis key of sign-ins and sessions begins with. Apps with different clients can share a Redis. */
export function keyPrefixOf({ keyPrefix, clientId }: Pick<Config, 'keyPrefix' | 'clientId'>): string {
  return `${keyPrefix}${encodeURIComponent(clientId)}:`
}

/**
 * What every Redis key of consumers begins with. It has the Messaging client's id, so that a worker with
 * `createMessaging()` and a server with `ppoppo()` share consumers, and two apps on one Redis do not.
 */
export function messagingKeyPrefixOf({
  keyPrefix,
  credentials,
}: Pick<MessagingConfig, 'keyPrefix' | 'credentials'>): string {
  return `${keyPrefix}pcs:${encodeURIComponent(credentials?.clientId ?? '')}:`
}
