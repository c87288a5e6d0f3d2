import { untilAborted } from '../lib/on-abort.js'
import { parseEventsOptions } from '../messaging/events/parse-options.js'
import { Signal } from '../messaging/lib/signal.js'
import type { EventsOptions, MessagingEvent } from '../messaging/types/events.js'

const MAX_EVENTS = 10_000

/** Which events a reader wants. */
interface Wanted {
  readonly sendRequestId?: string | undefined
  /** Begin after this event; without it, or if it is unknown, with the next one that is emitted. */
  readonly after?: string | undefined
}

/** The events that were emitted, and who reads them. The oldest of more than 10,000 are dropped. */
export class EventLog {
  #events: MessagingEvent[] = []
  readonly #readers = new Set<(event: MessagingEvent) => void>()
  readonly #closing = new AbortController()

  all(): readonly MessagingEvent[] {
    return this.#events
  }

  add(event: MessagingEvent): void {
    this.#events.push(event)
    if (this.#events.length > MAX_EVENTS) this.#events.shift()
    for (const read of [...this.#readers]) read(event)
  }

  clear(): void {
    this.#events = []
  }

  close(): void {
    this.#closing.abort()
  }

  /** Calls `read` with every event that is wanted. @returns a function that stops it */
  subscribe({ sendRequestId, after }: Wanted, read: (event: MessagingEvent) => void): () => void {
    const isWanted = (event: MessagingEvent): boolean =>
      sendRequestId === undefined || event.sendRequestId === sendRequestId
    const reader = (event: MessagingEvent): void => {
      if (isWanted(event)) read(event)
    }
    const known = after === undefined ? -1 : this.#events.findIndex(({ eventId }) => eventId === after)
    if (known >= 0) this.#events.slice(known + 1).forEach(reader)
    this.#readers.add(reader)
    return () => this.#readers.delete(reader)
  }

  /** Reads as `messaging.events()` does, beginning with the events that are emitted after this call. */
  read(options?: EventsOptions): AsyncGenerator<MessagingEvent, undefined, undefined> {
    const checked = parseEventsOptions(options)
    const queue: MessagingEvent[] = []
    const arrived = new Signal()
    const unsubscribe = this.subscribe(checked, (event) => {
      queue.push(event)
      arrived.notify()
    })
    return this.#drain(queue, checked, { arrived, unsubscribe })
  }

  async *#drain(
    queue: MessagingEvent[],
    { signal, onConnected, after }: EventsOptions,
    source: { readonly arrived: Signal; unsubscribe(): void },
  ): AsyncGenerator<MessagingEvent, undefined, undefined> {
    const ended = signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal
    const hasEnded = untilAborted(ended)
    try {
      onConnected?.(after === undefined ? {} : { after })
      for (;;) {
        signal?.throwIfAborted()
        if (this.#closing.signal.aborted) return
        const event = queue.shift()
        if (event) yield event
        else await Promise.race([source.arrived.next(), hasEnded])
      }
    } finally {
      source.unsubscribe()
    }
  }
}
