import { onAbort } from '../../lib/on-abort.js'
import { pause } from '../lib/pause.js'
import type { Lease } from './term/lease.js'
import { type WorkerParts, work } from './worker.js'

const LONGEST_LOOK_MS = 1_000

/**
 * What waits for workers since a time when this name had `fanOut` is handled first: nobody else would.
 * @param parts `closing`: aborted when the consumer is stopped
 */
export async function finishQueue(parts: WorkerParts, lease: Lease): Promise<void> {
  const { store, settings, runtime } = parts
  const isLeft = async (): Promise<boolean> => (await store.queue.length(settings.name)) > 0
  const closing = new AbortController()
  const unsubscribe = [parts.closing, lease.signal].map((signal) => onAbort(signal, () => closing.abort()))
  let working: Promise<void> | undefined
  try {
    while (!closing.signal.aborted && (await isLeft())) {
      working ??= work({ ...parts, closing: closing.signal })
      await Promise.race([working, pause(LONGEST_LOOK_MS, closing.signal, runtime)])
    }
  } catch (error) {
    await lease.release()
    throw error
  } finally {
    closing.abort()
    await working
    for (const off of unsubscribe) off()
  }
}
