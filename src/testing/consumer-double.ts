import { within } from '../lib/wait.js'
import { createDeadLetters } from '../messaging/consumer/dead-letters.js'
import { explainFailure } from '../messaging/consumer/handling/attempts.js'
import { type ConsumeSettings, parseConsumeOptions } from '../messaging/consumer/term/settings.js'
import { toLetter } from '../messaging/consumer/term/stored-texts.js'
import type { ConsumeOptions, Consumer } from '../messaging/types/consumer.js'
import type { MessagingEvent } from '../messaging/types/events.js'
import type { Messaging } from '../messaging/types/methods.js'
import type { DeadLetterStore } from '../store/consumer-store.js'
import { createMemoryDeadLetters } from '../store/memory/dead-letters.js'
import type { EventLog } from './event-log.js'

/** `consume()` and `deadLetters()` of a double, in memory. A failed attempt is retried at once. */
export interface ConsumerDoubles {
  readonly consume: Messaging['consume']
  readonly deadLetters: Messaging['deadLetters']
  /** Resolves once every consumer has handled all events there are. */
  settled(): Promise<void>
  /** Forgets the dead letters. */
  clear(): void
  stopAll(): Promise<void>
}

const FENCE = 1

export function createConsumerDoubles(log: EventLog): ConsumerDoubles {
  const running = new Set<RunningDouble>()
  const letters = createMemoryDeadLetters(() => {})
  return {
    consume(options: ConsumeOptions) {
      const settings = parseConsumeOptions(options)
      const consumer = new RunningDouble({ settings, log, letters: letters.methods })
      running.add(consumer)
      void consumer.closed.then(() => running.delete(consumer))
      return consumer
    },
    deadLetters: (name) => createDeadLetters({ name, store: () => ({ letters: letters.methods }) }),
    async settled() {
      await Promise.all([...running].map((consumer) => consumer.settled()))
    },
    clear: letters.clear,
    async stopAll() {
      await Promise.all([...running].map((consumer) => consumer.stop()))
    },
  }
}

interface RunningDoubleParts {
  readonly settings: ConsumeSettings
  readonly log: EventLog
  readonly letters: DeadLetterStore
}

/** Handles each event of the log as it is emitted, one after the other. */
class RunningDouble implements Consumer {
  readonly name: string
  readonly storage = 'memory'
  readonly closed: Promise<void>
  lastEventAt: Date | undefined
  readonly #settings: ConsumeSettings
  readonly #letters: DeadLetterStore
  readonly #stopping = new AbortController()
  readonly #unsubscribe: () => void
  #handling: Promise<void> = Promise.resolve()
  #waitingSince: number[] = []
  #hasClosed = (): void => {}

  constructor({ settings, log, letters }: RunningDoubleParts) {
    this.name = settings.name
    this.#settings = settings
    this.#letters = letters
    this.closed = new Promise((resolve) => {
      this.#hasClosed = resolve
    })
    this.#unsubscribe = log.subscribe(
      { sendRequestId: settings.stream.sendRequestId, after: settings.after },
      (event) => this.#take(event),
    )
    settings.onActive?.({ fence: FENCE, ...(settings.after !== undefined && { after: settings.after }) })
  }

  get isActive(): boolean {
    return !this.#stopping.signal.aborted
  }

  get lag(): number {
    const [oldest] = this.#waitingSince
    return oldest === undefined ? 0 : performance.now() - oldest
  }

  settled(): Promise<void> {
    return this.#handling
  }

  async stop(): Promise<void> {
    this.#unsubscribe()
    this.#stopping.abort()
    await within(this.#handling, this.#settings.drainMs)
    this.#hasClosed()
  }

  #take(event: MessagingEvent): void {
    this.lastEventAt = new Date()
    this.#waitingSince.push(performance.now())
    this.#handling = this.#handling.then(async () => {
      if (this.isActive) await this.#handle(event)
      this.#waitingSince.shift()
    })
  }

  async #handle(event: MessagingEvent): Promise<void> {
    const { handler, maxAttempts, onHandlerError, onDeadLetter } = this.#settings
    let failure: unknown
    for (let attempt = 1; attempt <= maxAttempts && this.isActive; attempt += 1) {
      try {
        await handler(event, { signal: this.#stopping.signal, attempt, fence: FENCE })
        return
      } catch (error) {
        failure = error
      }
    }
    if (!this.isActive) return
    try {
      if (!onHandlerError) throw failure
      await onHandlerError(failure, event, { attempts: maxAttempts })
    } catch (error) {
      const letter = { event, error: explainFailure(error), attempts: maxAttempts, failedAt: new Date() }
      await this.#letters.add(this.name, toLetter(letter))
      try {
        onDeadLetter?.(letter)
      } catch {
        // As with the real one, what a callback throws is ignored.
      }
    }
  }
}
