import { isPpoppoError } from '../../../errors.js'
import { notify } from '../../../lib/notify.js'
import type { ConsumerStore, QueueEntry } from '../../../store/consumer-store.js'
import { pause } from '../../lib/pause.js'
import type { MessagingRuntime } from '../../lib/runtime.js'
import type { FanOutOptions } from '../../types/consumer.js'
import type { MessagingEvent } from '../../types/events.js'
import type { ConsumeSettings } from '../term/settings.js'
import type { StoreFaults } from '../term/store-faults.js'
import { parseEntryText, toLetter, type WorkItem } from '../term/stored-texts.js'
import { attempt, type Outcome } from './attempts.js'
import { deadLettersFull } from './saving.js'

const STORE_PAUSE_MS = 500
/** Deliveries that may fail for reasons other than the event: a worker that stops, a lost answer. */
const INNOCENT_DELIVERIES = 5

/** What a worker shares with the events that it takes. */
export interface QueuedEventParts {
  readonly store: ConsumerStore
  readonly settings: ConsumeSettings & { readonly fanOut: Required<FanOutOptions> }
  readonly runtime: MessagingRuntime
  /** Identifies the worker. */
  readonly id: string
  /** Aborted when nothing more may be taken. */
  readonly closing: AbortSignal
  /** Aborted when running handlers must end. */
  readonly over: AbortSignal
  readonly faults: StoreFaults
  /** The events that this process is handling. */
  readonly atHand: Set<MessagingEvent>
}

/** An entry that a worker has taken: from the queue to the handler, and out of the queue. */
export class QueuedEvent {
  readonly #parts: QueuedEventParts
  readonly #entry: QueueEntry
  /** When this worker's claim ends and another worker may get the entry, by the monotonic clock. */
  readonly #claimEndsAt: number
  #handlersAtWork = 0

  constructor(parts: QueuedEventParts, entry: QueueEntry) {
    this.#parts = parts
    this.#entry = entry
    this.#claimEndsAt = parts.runtime.monotonic() + parts.settings.fanOut.claimAfterMs
  }

  /**
   * Handles it and removes it from the queue, as a dead letter if every attempt failed.
   * @param onFirstFailure the first attempt has failed, and the process has survived it
   * @throws `dead_letters_full`
   */
  async handle(onFirstFailure: () => void): Promise<void> {
    const { closing, atHand } = this.#parts
    const item = parseEntryText(this.#entry.text)
    if (item === undefined) return this.#finish('handled')
    atHand.add(item.event)
    try {
      const outcome = await this.#attempt(item, onFirstFailure)
      if (outcome !== 'abandoned') await this.#finish(outcome)
      // If its handler is still running, the entry stays claimed until another worker may have it.
      else if (closing.aborted && this.#handlersAtWork === 0) await this.#giveBack()
    } finally {
      atHand.delete(item.event)
    }
  }

  async #attempt({ event, fence }: WorkItem, onFirstFailure: () => void): Promise<Outcome> {
    const { settings, runtime, closing, over } = this.#parts
    const attempts = this.#entry.deliveries - 1
    if (attempts >= settings.maxAttempts + INNOCENT_DELIVERIES) {
      // Every worker died of it, or of something else: it must not kill one worker after another.
      const error = `no worker finished it in ${attempts} deliveries`
      return { event, error, attempts, failedAt: new Date(runtime.now()) }
    }
    const lastBeginAt = this.#claimEndsAt - settings.handlerTimeoutMs
    return attempt({
      event,
      settings,
      runtime,
      firstAttempt: this.#entry.deliveries,
      onFirstFailure,
      tenure: {
        fence,
        closing,
        recalled: over,
        over,
        mayBegin: () => !closing.aborted && runtime.monotonic() <= lastBeginAt,
        noteBegin: () => {
          this.#handlersAtWork++
        },
        noteEnd: () => {
          this.#handlersAtWork--
        },
      },
    })
  }

  /** Retries while the store does not answer: finishing twice has no effect. */
  async #finish(outcome: Exclude<Outcome, 'abandoned'>): Promise<void> {
    const { store, settings, runtime, over, faults } = this.#parts
    const letter = outcome === 'handled' ? undefined : toLetter(outcome)
    for (;;) {
      try {
        const result = await store.queue.finish(settings.name, this.#entry.id, letter)
        faults.worked('finish')
        if (result === 'full') throw deadLettersFull(settings.name)
        if (outcome !== 'handled') notify(settings.onDeadLetter, outcome)
        return
      } catch (error) {
        if (!isPpoppoError(error, 'store_unavailable')) throw error
        faults.failed('finish', error)
        // After the claim another worker may have it, and will finish it.
        if (over.aborted || runtime.monotonic() >= this.#claimEndsAt) return
        await pause(STORE_PAUSE_MS, over, runtime)
      }
    }
  }

  async #giveBack(): Promise<void> {
    const { store, settings, id } = this.#parts
    // If that fails, another worker may claim it later.
    await store.queue.giveBack(settings.name, id, this.#entry).catch(() => {})
  }
}
