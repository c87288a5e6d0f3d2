import { randomUUID } from 'node:crypto'
import { RunningConsumer } from '../../../../src/messaging/consumer/running-consumer.js'
import { parseConsumeOptions } from '../../../../src/messaging/consumer/term/settings.js'
import { type MessagingRuntime, systemMessagingRuntime } from '../../../../src/messaging/lib/runtime.js'
import type { ConsumeOptions, Consumer } from '../../../../src/messaging/types/consumer.js'
import type { EventsOptions, MessagingEvent } from '../../../../src/messaging/types/events.js'
import type { ConsumerStore } from '../../../../src/store/consumer-store.js'
import { createMemoryConsumerStore } from '../../../../src/store/memory/consumer-store.js'

/** A stream that is written to, with readers that go on for ever from where they are told, as `events()` gives them. */
export class EventLog {
  readonly events: MessagingEvent[] = []
  /** What each reader asked to go on after. */
  readonly opened: (string | undefined)[] = []
  /** Handed out so far, of all readers. */
  read = 0
  /** Called before a reader begins; what it throws the reader throws. */
  onOpen: (after: string | undefined) => void = () => {}
  #wake = new Set<() => void>()

  append(...events: readonly MessagingEvent[]): void {
    this.events.push(...events)
    for (const wake of this.#wake) wake()
  }

  readonly stream = (options: EventsOptions): AsyncIterableIterator<MessagingEvent> => this.#read(options)

  async *#read({ after, signal }: EventsOptions): AsyncGenerator<MessagingEvent> {
    this.opened.push(after)
    this.onOpen(after)
    let place = after === undefined ? 0 : this.events.findIndex(({ eventId }) => eventId === after) + 1
    for (;;) {
      signal?.throwIfAborted()
      const event = this.events[place]
      if (event !== undefined) {
        place++
        this.read++
        yield event
      } else await this.#more(signal)
    }
  }

  #more(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#wake.delete(wake)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      this.#wake.add(wake)
      signal?.addEventListener('abort', wake)
    })
  }
}

/** Consumers of one log and one store, as several processes would run them. */
export function createConsumers(
  log: EventLog,
  store: ConsumerStore = createMemoryConsumerStore({ now: Date.now }),
  { name = `test-${randomUUID()}`, warn = () => {} }: { name?: string; warn?: (text: string) => void } = {},
): {
  readonly store: ConsumerStore
  /** They all have. */
  readonly name: string
  start(options: Omit<ConsumeOptions, 'name'>, runtime?: Partial<MessagingRuntime>): Consumer
  /** For `afterEach`. */
  stopAll(): Promise<void>
} {
  const started: Consumer[] = []
  return {
    store,
    name,
    start(options, runtime = {}) {
      const consumer = new RunningConsumer({
        settings: parseConsumeOptions({ name, drainMs: 100, ...options }),
        openStream: log.stream,
        store,
        warn,
        runtime: { ...systemMessagingRuntime, ...runtime },
      })
      consumer.closed.catch(() => {})
      started.push(consumer)
      return consumer
    },
    async stopAll() {
      await Promise.all(started.map((consumer) => consumer.stop()))
    },
  }
}

/** Retries follow at once. */
export const IMPATIENT: Partial<MessagingRuntime> = { random: () => 0 }
