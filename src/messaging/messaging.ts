import { createApp } from './app.js'
import { createCaller } from './client.js'
import { createHealth } from './health.js'
import { createKnownTemplates } from './placeholders.js'
import { createPolls } from './polls.js'
import { type MessagingRuntime, systemMessagingRuntime } from './runtime.js'
import { createSend } from './send.js'
import { createSendMany } from './send-many.js'
import { createStatus } from './status.js'
import { createTemplates } from './templates.js'
import type { Messaging, MessagingConfig } from './types.js'
import { createWaitFor } from './wait-for.js'

/**
 * The Messaging client of a configuration. Loads gRPC and connects with the first call.
 * @param runtime clock, fetch and random source. @default the real ones
 */
export function createMessagingClient(
  config: MessagingConfig,
  runtime: MessagingRuntime = systemMessagingRuntime,
): Messaging {
  const caller = createCaller(config, runtime)
  const known = createKnownTemplates()
  const send = createSend(caller, known)
  const status = createStatus(caller)
  const app = createApp(caller)
  return {
    send,
    sendMany: createSendMany({ send, assertOpen: caller.assertOpen }),
    status,
    waitFor: createWaitFor(caller, status),
    templates: createTemplates(caller, known),
    polls: createPolls(caller),
    app,
    health: createHealth(caller, app),
    async close() {
      caller.close()
    },
  }
}
