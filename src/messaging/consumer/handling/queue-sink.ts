import type { CommitStep } from '../../../store/consumer-store.js'
import { atMost, pause } from '../../lib/pause.js'
import type { MessagingEvent } from '../../types/events.js'
import { type Checkpoint, toCheckpointText, toEntryText } from '../term/stored-texts.js'
import { commit, type Sink, type SinkParts } from './sink.js'

/** So many events go to the store in one step, and ten times as many wait for it at most. */
const BATCH = 100
const QUEUE_FULL_PAUSE_MS = 250

export interface PublishingParts extends SinkParts {
  readonly maxLength: number
}

/** An event that waits to be written; `text` is absent where only the place in the stream moves on. */
interface Waiting {
  readonly event: MessagingEvent
  readonly text?: string
}

/** Writes events to the queue of the workers, with the place in the stream in the same step: each once. */
export class Publishing implements Sink {
  readonly #parts: PublishingParts
  readonly #waiting: Waiting[] = []
  #checkpoint: Checkpoint
  #sequence = 0
  #isWriting = false
  #onIdle = (): void => {}

  constructor(parts: PublishingParts) {
    this.#parts = parts
    this.#checkpoint = withoutHandled(parts.checkpoint)
  }

  async open(): Promise<void> {
    this.#isWriting = true
    await this.#writeSurely([])
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
    while (this.#isWriting && tenure.mayBegin()) await this.#untilIdle()
    if (this.#waiting.length > 0 || !tenure.mayBegin()) return
    this.#checkpoint = withoutHandled(checkpoint)
    this.#isWriting = true
    await this.#writeSurely([])
  }

  async drain(ms: number): Promise<boolean> {
    const { tenure, runtime } = this.#parts
    tenure.close()
    if (this.#isWriting) await atMost(ms, this.#untilIdle(), runtime)
    // What still waits here was never anybody's: the next consumer reads it again.
    return !this.#isWriting
  }

  #untilIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve
    })
  }

  #proceed(): void {
    if (this.#isWriting || this.#waiting.length === 0 || !this.#parts.tenure.mayBegin()) return
    this.#isWriting = true
    void this.#writeSurely(this.#waiting.slice(0, Math.min(BATCH, this.#parts.maxLength)))
  }

  async #writeSurely(batch: readonly Waiting[]): Promise<void> {
    try {
      await this.#write(batch)
    } catch (error) {
      this.#parts.onFailure(error instanceof Error ? error : new Error('the store failed'))
      return // what failed so is not tried again
    } finally {
      this.#isWriting = false
      this.#onIdle()
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
      // The workers are behind: hold the stream back until they have made room.
      await pause(QUEUE_FULL_PAUSE_MS, tenure.closing, runtime)
      if (!tenure.mayBegin()) return
    }
    this.#waiting.splice(0, batch.length)
    this.#checkpoint = checkpoint
    onSaved(checkpoint)
    onRoom()
  }
}

/** What is handed out counts as handled here, in its order: nothing is ahead, and nothing may be at work. */
function withoutHandled({ cursor, skipsBefore }: Checkpoint): Checkpoint {
  return {
    ...(cursor === undefined ? {} : { cursor }),
    ahead: [],
    ...(skipsBefore === undefined ? {} : { skipsBefore }),
  }
}
