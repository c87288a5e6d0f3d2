import { resolveMessagingConfig } from '../../../../src/config/messaging.js'
import type { MessagingOptions } from '../../../../src/config/messaging-options.js'
import { type Caller, createCaller } from '../../../../src/messaging/call/caller.js'
import { createEvents } from '../../../../src/messaging/events/feed.js'
import { type MessagingRuntime, systemMessagingRuntime } from '../../../../src/messaging/lib/runtime.js'
import type { EventsOptions, MessagingEvent } from '../../../../src/messaging/types/events.js'
import { CLIENT, type FakeTokenEndpoint, startTokenEndpoint } from '../../support/fake-token-endpoint.js'
import { type StreamPcs, startStreamPcs } from './stream-pcs.js'

/** A server of events, a token endpoint, and clients of both; `close` ends them all. */
export interface EventsWorld {
  readonly pcs: StreamPcs
  readonly pas: FakeTokenEndpoint
  connect(options?: MessagingOptions, runtime?: Partial<MessagingRuntime>): EventsClient
  close(): Promise<void>
}

/** The part of a client that events are made of. */
export interface EventsClient {
  readonly caller: Caller
  events(options?: EventsOptions): AsyncGenerator<MessagingEvent, undefined, undefined>
}

export async function startEventsWorld(options: Parameters<typeof startStreamPcs>[0] = {}): Promise<EventsWorld> {
  const [pcs, pas] = await Promise.all([startStreamPcs(options), startTokenEndpoint()])
  const callers: Caller[] = []
  return {
    pcs,
    pas,
    connect: (given = {}, runtime = {}) => {
      const config = resolveMessagingConfig({ apiUrl: pcs.url, tokenUrl: pas.url, ...CLIENT, ...given }, {})
      // Pauses are jittered down to nothing; what goes by time has a clock of its own.
      const caller = createCaller({ config, runtime: { ...systemMessagingRuntime, random: () => 0, ...runtime } })
      callers.push(caller)
      return { caller, events: createEvents(caller) }
    },
    close: async () => {
      for (const caller of callers) caller.close()
      pcs.close()
      await pas.close()
    },
  }
}

/** The ids of the next events. */
export async function take(events: AsyncIterator<MessagingEvent>, count: number): Promise<string[]> {
  const ids: string[] = []
  while (ids.length < count) {
    const { value, done } = await events.next()
    if (done) break
    ids.push(value.eventId)
  }
  return ids
}
