import { isPpoppoError } from '../../../errors.js'
import type { CommitStep, ConsumerStore } from '../../../store/consumer-store.js'
import { pause } from '../../lib/pause.js'
import type { MessagingRuntime } from '../../lib/runtime.js'
import type { MessagingEvent } from '../../types/events.js'
import type { StoreFaults } from '../term/store-faults.js'
import type { Checkpoint } from '../term/stored-texts.js'
import type { Tenure } from '../term/tenure.js'

/** Where the active consumer puts what it reads: it handles it, or hands it to the workers. */
export interface Sink {
  /** Saves the place before anything is begun: for a start after which it is not known that it can be saved. */
  open(): Promise<void>
  /** @param isSkipped it counts as handled; only the place in the stream moves on */
  take(event: MessagingEvent, isSkipped: boolean): void
  /** There is no room for another event, until `onRoom` of the parts is called. */
  readonly isFull: boolean
  /** The oldest event that was taken and is not done. */
  readonly oldestOpen: MessagingEvent | undefined
  /**
   * Waits until all that was taken is done and saved, then saves that the stream is read again from there. Returns early,
   * with nothing saved, when the tenure ends.
   */
  restart(checkpoint: Checkpoint): Promise<void>
  /** Begins nothing new; waits for what is at work, and saves. @returns whether that was all done in the time */
  drain(ms: number): Promise<boolean>
}

/** What a sink tells. */
export interface SinkCalls {
  /** There may be room again. */
  onRoom(): void
  /** The lease is somebody else's. */
  onLost(): void
  /** The store answers, and takes nothing. */
  onRefused(): void
  /** The consumer cannot go on. */
  onFailure(error: Error): void
}

/** What every sink is made of. */
export interface SinkParts extends CommitParts, SinkCalls {
  /** Where it begins. */
  readonly checkpoint: Checkpoint
  /** The store has lost what was there, and the checkpoint is what to go on from. */
  readonly acceptsLoss?: true
  /** What was saved, for a store that loses it. */
  onSaved(checkpoint: Checkpoint): void
}

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000

/** What a commit needs beside its step. */
interface CommitParts {
  readonly store: ConsumerStore
  readonly name: string
  readonly tenure: Tenure
  readonly runtime: MessagingRuntime
  readonly faults: StoreFaults
}

/**
 * Commits a step, again while the store does not answer: the same step with the same sequence, so that it is done once.
 * @returns `lost` also when the tenure is over before it is known to be done; `refused` when the store has answered for
 *   as long as a lease lasts that it will not
 */
export async function commit(step: CommitStep, parts: CommitParts): Promise<'committed' | 'lost' | 'full' | 'refused'> {
  const { store, name, tenure, runtime, faults } = parts
  const part = step.letters?.length ? 'letters' : 'commit'
  for (let pauseMs = FIRST_PAUSE_MS; tenure.maySave(); pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
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
