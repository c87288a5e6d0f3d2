import { type ConsumeSettings, parseConsumeOptions, parseConsumerName } from '../messaging/consumer/term/settings.js'
import type { Messaging } from '../messaging/types/calls.js'
import type { ConsumeOptions, Consumer, DeadLetter, DeadLetters, EventHandler } from '../messaging/types/consumer.js'
import type { MessagingEvent } from '../messaging/types/events.js'
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
const MAX_ERROR_LENGTH = 500

export function createConsumerDoubles(log: EventLog): ConsumerDoubles {
  const running = new Set<RunningDouble>()
  const lettersByName = new Map<string, Map<string, DeadLetter>>()
  const lettersOf = (name: string): Map<string, DeadLetter> => {
    const letters = lettersByName.get(name) ?? new Map<string, DeadLetter>()
    lettersByName.set(name, letters)
    return letters
  }
  return {
    consume(options: ConsumeOptions) {
      const settings = parseConsumeOptions(options)
      const consumer = new RunningDouble({ settings, log, letters: lettersOf(settings.name) })
      running.add(consumer)
      void consumer.closed.then(() => running.delete(consumer))
      return consumer
    },
    deadLetters: (name) => createDeadLettersDouble(lettersOf(parseConsumerName(name))),
    async settled() {
      await Promise.all([...running].map((consumer) => consumer.settled()))
    },
    clear: () => {
      for (const letters of lettersByName.values()) letters.clear()
    },
    async stopAll() {
      await Promise.all([...running].map((consumer) => consumer.stop()))
    },
  }
}

interface RunningDoubleParts {
  readonly settings: ConsumeSettings
  readonly log: EventLog
  readonly letters: Map<string, DeadLetter>
}

/** Handles each event of the log as it is emitted, one after the other. */
class RunningDouble implements Consumer {
  readonly name: string
  readonly storage = 'memory'
  readonly closed: Promise<void>
  lastEventAt: Date | undefined
  readonly #settings: ConsumeSettings
  readonly #letters: Map<string, DeadLetter>
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
    let timer: NodeJS.Timeout | undefined
    const isLate = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#settings.drainMs)
    })
    await Promise.race([this.#handling, isLate])
    clearTimeout(timer)
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
      const letter = { event, error: toText(error), attempts: maxAttempts, failedAt: new Date() }
      this.#letters.set(event.eventId, letter)
      try {
        onDeadLetter?.(letter)
      } catch {
        // As with the real one, what a callback throws is ignored.
      }
    }
  }
}

function createDeadLettersDouble(letters: Map<string, DeadLetter>): DeadLetters {
  return {
    list: async ({ limit = 100 } = {}) => [...letters.values()].slice(0, limit),
    count: async () => letters.size,
    async replay(handler: EventHandler, { limit = letters.size, signal } = {}) {
      const context = { signal: signal ?? new AbortController().signal, fence: 0 }
      const counts = { replayed: 0, failed: 0 }
      for (const { event, attempts } of [...letters.values()].slice(0, limit)) {
        signal?.throwIfAborted()
        try {
          await handler(event, { ...context, attempt: attempts + 1 })
          letters.delete(event.eventId)
          counts.replayed += 1
        } catch {
          counts.failed += 1
        }
      }
      return counts
    },
    remove: async (eventId) => letters.delete(eventId),
  }
}

function toText(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return text.slice(0, MAX_ERROR_LENGTH)
}
