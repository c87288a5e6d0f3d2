import { isPpoppoError } from '../../errors.js'
import type { CommitStep, ConsumerStore } from '../../store/consumers.js'
import type { MessagingRuntime } from '../runtime.js'
import { pause } from './pause.js'
import type { Tenure } from './tenure.js'

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000

/** What a commit needs beside its step. */
export interface CommitParts {
  readonly store: ConsumerStore
  readonly name: string
  readonly tenure: Tenure
  readonly runtime: MessagingRuntime
}

/**
 * Commits a step, again while the store does not answer: the same step with the same sequence, so that it is done once.
 * @returns `lost` also when the tenure is over before it is known to be done
 */
export async function commit(step: CommitStep, parts: CommitParts): Promise<'committed' | 'lost' | 'full'> {
  const { store, name, tenure, runtime } = parts
  for (let pauseMs = FIRST_PAUSE_MS; tenure.maySave(); pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    try {
      return await store.commit(name, step)
    } catch (error) {
      if (!isPpoppoError(error, 'store_unavailable')) throw error
      await pause(pauseMs, tenure.over, runtime)
    }
  }
  return 'lost'
}
