/*
 * The Messaging API, for apps with Express and without. Owns: the client, its token, its channel, its retries. Never
 * does: know of people who are signed in, of sessions or of Express; load gRPC before the first call.
 */
import { resolveMessagingConfig } from '../config/messaging.js'
import type { MessagingOptions } from '../config/messaging-options.js'
import { createMessagingClient } from './messaging.js'
import type { Messaging } from './types/methods.js'

export type { MessagingOptions } from '../config/messaging-options.js'
export { isPpoppoError, PpoppoError, type PpoppoErrorCode } from '../errors.js'
export type { FetchAnswer, FetchRequest, PpoppoFetch } from '../lib/http.js'
export { formatPpnum, parsePpnum } from '../ppnum.js'
export { SendManyAbortError, SendManyError } from './send-many/error.js'
export type * from './types/consumer.js'
export type * from './types/events.js'
export type * from './types/methods.js'
export { defineTemplate } from './wire/defined-template.js'

/**
 * Makes a client of Ppoppo's Messaging API. One per process is enough; it is safe to share.
 *
 * Without an id or a secret it is made all the same, and every call rejects with `messaging_not_configured`.
 *
 * @param options each may come from the environment instead
 * @throws `config_invalid` with all faults at once
 *
 * @example
 * const messaging = createMessaging()
 * const receipt = await messaging.send({ templateId, recipients: [{ ppnum: '12312345678', vars: { name: 'Alex' } }] })
 */
export function createMessaging(options: MessagingOptions = {}): Messaging {
  return createMessagingClient({ config: resolveMessagingConfig(options, process.env) })
}
