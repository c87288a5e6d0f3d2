import { isPpoppoError } from '../../../errors.js'
import type { CommitStep, ConsumerStore } from '../../../store/consumer-store.js'
import type { MessagingRuntime } from '../../lib/runtime.js'
import { pause } from '../term/pause.js'
import type { StoreFaults } from '../term/store-faults.js'
import type { Tenure } from '../term/tenure.js'

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000

/** What a commit needs beside its step. */
export interface CommitParts {
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
