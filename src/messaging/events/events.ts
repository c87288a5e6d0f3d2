import type { Caller } from '../call/caller.js'
import type { EventsOptions, MessagingEvent, StreamOptions } from '../types/events.js'
import { refuseMore } from '../wire/validate.js'
import { Feed } from './feed.js'
import { parseEventsOptions } from './parse-options.js'
import { ServerClock } from './server-clock.js'

/** The events of an app for as long as one reads; see {@link Messaging.events}. */
export function createEvents(
  caller: Caller,
): (options?: EventsOptions) => AsyncGenerator<MessagingEvent, undefined, undefined> {
  return function events(options, ...more: readonly unknown[]) {
    caller.assertOpen()
    refuseMore(more, 'events')
    const { signal, ...asked } = parseEventsOptions(options)
    return openFeed(caller, asked, signal)
  }
}

/**
 * Events that go on over any number of streams; nothing is opened before the first `next()`. Ends by `return()`, by the
 * signal (its reason is thrown), by `close()` of the client, and by failures that reopening cannot fix.
 * @param options as `parseStreamOptions` checks them; not checked again, so `after` may be any id the server gave
 * @param operation who reads, for the messages of errors
 * @param clock is told the server's time
 */
export function openFeed(
  caller: Caller,
  options: StreamOptions,
  signal?: AbortSignal,
  operation: string = options.sendRequestId === undefined ? 'events' : `events of ${options.sendRequestId}`,
  clock: ServerClock = new ServerClock(caller.runtime.now),
): AsyncGenerator<MessagingEvent, undefined, undefined> {
  return new Feed(caller, options, signal, operation, clock)
}
