import type { Caller } from '../call/caller.js'
import type { EventsOptions, MessagingEvent } from '../types/events.js'
import { refuseMore } from '../wire/validate.js'
import { createFeed } from './feed.js'
import { parseEventsOptions } from './parse-options.js'

/** The events of an app for as long as they are read; see {@link Messaging.events}. */
export function createEvents(
  caller: Caller,
): (options?: EventsOptions) => AsyncGenerator<MessagingEvent, undefined, undefined> {
  return function events(given, ...more: readonly unknown[]) {
    caller.assertOpen()
    refuseMore(more, 'events')
    const { signal, ...options } = parseEventsOptions(given)
    const operation = options.sendRequestId === undefined ? 'events' : `events of ${options.sendRequestId}`
    return createFeed({ caller, options, operation, ...(signal && { signal }) })
  }
}
