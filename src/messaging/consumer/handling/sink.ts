import { isPpoppoError } from '../../../errors.js'
import type { CommitStep, ConsumerStore } from '../../../store/consumer-store.js'
import { pause } from '../../lib/pause.js'
import type { MessagingRuntime } from '../../lib/runtime.js'
import type { MessagingEvent } from '../../types/events.js'
import type { StoreFaults } from '../term/store-faults.js'
import type { Checkpoint } from '../term/stored-texts.js'
import type { Tenure } from '../term/tenure.js'

/** Takes the events that the active consumer reads: handles them, or adds them to the queue of the workers. */
export interface Sink {
  /** Saves the checkpoint before any event is taken: for a start in which saving may fail. */
  open(): Promise<void>
  /** Takes the next event of the stream. @param isSkipped it counts as handled; only the position in the stream moves on */
  take(event: MessagingEvent, isSkipped: boolean): void
  /** There is no room for another event until `onRoom` is called. */
  readonly isFull: boolean
  /** The oldest event that was taken and is not handled. */
  readonly oldestOpen: MessagingEvent | undefined
  /**
   * Waits until everything it has taken is handled and saved, then saves the new checkpoint. Returns early, with nothing
   * saved, when the tenure ends.
   */
  restart(checkpoint: Checkpoint): Promise<void>
  /** Begins nothing new, waits up to `ms` for running handlers, and saves. @returns whether everything was done in time */
  drain(ms: number): Promise<boolean>
}

/** What a sink reports. */
export interface SinkCalls {
  /** There may be room again. */
  onRoom(): void
  /** Another process has the lease. */
  onLost(): void
  /** The store answers, and rejects every write. */
  onRefused(): void
  /** The consumer cannot go on. */
  onFailure(error: Error): void
}

/** What every sink is made of. */
export interface SinkParts extends CommitParts, SinkCalls {
  /** Where the stream begins. */
  readonly checkpoint: Checkpoint
  /** The store has lost its checkpoint, and this one replaces it. */
  readonly acceptsLoss?: true
  /** The store has saved the checkpoint. */
  onSaved(checkpoint: Checkpoint): void
}

const FIRST_PAUSE_MS = 50
const MAX_PAUSE_MS = 1_000

/** What {@link commit} needs besides the step. */
export interface CommitParts {
  readonly store: ConsumerStore
  readonly name: string
  readonly tenure: Tenure
  readonly runtime: MessagingRuntime
  readonly faults: StoreFaults
}

/**
 * Commits a step, and retries while the store does not answer: the step keeps its sequence number, so it is done once.
 * @returns `lost` also if the tenure is over before the outcome is known; `refused` if the store has rejected it for as
 *   long as a lease lasts
 */
export async function commit(step: CommitStep, parts: CommitParts): Promise<'committed' | 'lost' | 'full' | 'refused'> {
  const { store, name, tenure, runtime, faults } = parts
  const part = step.letters?.length ? 'letters' : 'commit'
  for (let pauseMs = FIRST_PAUSE_MS; tenure.maySave(); pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 2)) {
    try {
      const result = await store.commit(name, step)
      faults.worked(part)
      return result
    } catch (error) {
      if (!isPpoppoError(error, 'store_unavailable')) throw error
      if (faults.failed(part, error) === 'for_good') return 'refused'
      await pause(pauseMs, tenure.over, runtime)
    }
  }
  return 'lost'
}
