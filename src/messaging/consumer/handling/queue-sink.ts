import type { CommitStep } from '../../../store/consumer-store.js'
import { atMost, pause } from '../../lib/pause.js'
import { Signal } from '../../lib/signal.js'
import type { MessagingEvent } from '../../types/events.js'
import { type Checkpoint, toCheckpointText, toEntryText } from '../term/stored-texts.js'
import { commit, type Sink, type SinkParts } from './sink.js'

/** Events in one commit; at most ten times as many wait for it. */
const BATCH = 100
const QUEUE_FULL_PAUSE_MS = 250

/** What {@link QueueSink} is made of. */
export interface QueueSinkParts extends SinkParts {
  /** Maximum number of events in the queue. */
  readonly maxLength: number
}

/** An event that is waiting to be written. Without `text` only the position in the stream moves on. */
interface Waiting {
  readonly event: MessagingEvent
  readonly text?: string
}

/** Adds events to the queue of the workers and saves the position in the stream in the same commit, so each is added once. */
export class QueueSink implements Sink {
  readonly #parts: QueueSinkParts
  readonly #waiting: Waiting[] = []
  #checkpoint: Checkpoint
  #sequence = 0
  #isWriting = false
  /** A write has ended. */
  readonly #idle = new Signal()

  constructor(parts: QueueSinkParts) {
    this.#parts = parts
    this.#checkpoint = withoutHandled(parts.checkpoint)
  }

  async open(): Promise<void> {
    this.#isWriting = true
    await this.#writeOrFail([])
  }

  get isFull(): boolean {
    return this.#waiting.length >= 10 * BATCH
  }

  get oldestOpen(): MessagingEvent | undefined {
    return this.#waiting[0]?.event
  }

  take(event: MessagingEvent, isSkipped: boolean): void {
    this.#waiting.push(isSkipped ? { event } : { event, text: toEntryText(event, this.#parts.tenure.fence) })
    this.#proceed()
  }

  async restart(checkpoint: Checkpoint): Promise<void> {
    const { tenure } = this.#parts
    while (this.#isWriting && tenure.mayBegin()) await this.#idle.next()
    if (this.#waiting.length > 0 || !tenure.mayBegin()) return
    this.#checkpoint = withoutHandled(checkpoint)
    this.#isWriting = true
    await this.#writeOrFail([])
  }

  async drain(ms: number): Promise<boolean> {
    const { tenure, runtime } = this.#parts
    tenure.close()
    if (this.#isWriting) await atMost(ms, this.#idle.next(), runtime)
    // What is still waiting was never added: the next active consumer reads it again.
    return !this.#isWriting
  }

  #proceed(): void {
    if (this.#isWriting || this.#waiting.length === 0 || !this.#parts.tenure.mayBegin()) return
    this.#isWriting = true
    void this.#writeOrFail(this.#waiting.slice(0, Math.min(BATCH, this.#parts.maxLength)))
  }

  async #writeOrFail(batch: readonly Waiting[]): Promise<void> {
    try {
      await this.#write(batch)
    } catch (error) {
      this.#parts.onFailure(error instanceof Error ? error : new Error('the store failed'))
      return // a retry would fail too
    } finally {
      this.#isWriting = false
      this.#idle.notify()
    }
    this.#proceed()
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const { tenure, maxLength, runtime, acceptsLoss, onLost, onRefused, onRoom, onSaved } = this.#parts
    const cursor = batch.findLast(({ event }) => event.eventId !== '')?.event.eventId
    const checkpoint = { ...this.#checkpoint, ...(cursor === undefined ? {} : { cursor }), term: tenure.fence }
    const entries = batch.flatMap(({ text }) => (text === undefined ? [] : [text]))
    const sequence = ++this.#sequence
    const step: CommitStep = {
      fence: tenure.fence,
      sequence,
      checkpoint: toCheckpointText(checkpoint),
      queue: { entries, maxLength },
      ...(acceptsLoss && sequence === 1 ? { acceptsLoss } : {}),
    }
    for (;;) {
      const result = await commit(step, this.#parts)
      if (result === 'committed') break
      if (result === 'lost') return onLost()
      if (result === 'refused') return onRefused()
      // The workers are behind: the stream waits until they have made room.
      await pause(QUEUE_FULL_PAUSE_MS, tenure.closing, runtime)
      if (!tenure.mayBegin()) return
    }
    this.#waiting.splice(0, batch.length)
    this.#checkpoint = checkpoint
    onSaved(checkpoint)
    onRoom()
  }
}

/** An event counts as handled once it is in the queue, in order: none is ahead of the cursor, and none is being handled. */
function withoutHandled({ cursor, skipsBefore }: Checkpoint): Checkpoint {
  return {
    ...(cursor === undefined ? {} : { cursor }),
    ahead: [],
    ...(skipsBefore === undefined ? {} : { skipsBefore }),
  }
}
