import type { MessagingConfig } from '../config/messaging-options.js'
import { closed, createCaller, type EndedCall } from './call/caller.js'
import { createConsume, createLazyConsumerStore } from './consumer/consume.js'
import { createDeadLetters } from './consumer/dead-letters.js'
import { createEvents } from './events/feed.js'
import { type MessagingRuntime, systemMessagingRuntime } from './lib/runtime.js'
import { askStats, createApp, createHealth } from './methods/app.js'
import { createPolls } from './methods/polls.js'
import { createSend } from './methods/send.js'
import { createStatus, createWaitFor } from './methods/status.js'
import { createTemplates } from './methods/templates.js'
import { createSendMany, OpenRuns } from './send-many/send-many.js'
import type { Messaging } from './types/methods.js'
import { createKnownTemplates } from './wire/placeholders.js'

/** What {@link createMessagingClient} is made of. */
export interface MessagingClientParts {
  readonly config: MessagingConfig
  /** Clocks, timers, fetch and random source. @default the real ones */
  readonly runtime?: MessagingRuntime
  /** Warns an operator. @default `process.emitWarning` */
  readonly warn?: (text: string) => void
  /** Hears of every call that has ended. */
  readonly onCall?: (call: EndedCall) => void
}

/** The Messaging client for a configuration. Loads gRPC and connects with the first call. */
export function createMessagingClient({
  config,
  runtime = systemMessagingRuntime,
  warn = (text) => process.emitWarning(text, 'PpoppoWarning'),
  onCall,
}: MessagingClientParts): Messaging {
  const caller = createCaller({ config, runtime, onCall })
  const consumerStore = createLazyConsumerStore({ config, runtime })
  const { consume, stopAll } = createConsume({ caller, store: consumerStore.open, warn })
  const known = createKnownTemplates()
  const send = createSend({ caller, templates: known })
  const status = createStatus(caller)
  const runs = new OpenRuns()
  return {
    send: (request, options) => send(request, options),
    sendMany: createSendMany({
      send,
      assertOpen: caller.assertOpen,
      probe: (signal) => askStats(caller, { signal }, true),
      checkRecipient: (templateId, recipient) => void known.check(templateId, [recipient]),
      runs,
      runtime,
    }),
    status,
    waitFor: createWaitFor({ caller, status }),
    templates: createTemplates({ caller, known }),
    polls: createPolls(caller),
    app: createApp(caller),
    events: createEvents(caller),
    consume,
    deadLetters: (name) =>
      createDeadLetters({
        name,
        store: () => {
          caller.assertUsable()
          return consumerStore.open()
        },
      }),
    health: createHealth(caller),
    async close() {
      await Promise.all([stopAll(), runs.end(closed())])
      caller.close()
      await consumerStore.close()
    },
  }
}
