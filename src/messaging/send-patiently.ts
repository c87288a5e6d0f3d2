import { setTimeout as sleep } from 'node:timers/promises'
import { waitOf } from './chunk-outcome.js'

/** So often a chunk is sent again because PCS asked to wait. */
const MOST_WAITS = 50

/**
 * Sends a chunk, again as long as PCS asks to wait with it longer than one send may.
 * @param ended ends a wait; what the send failed with is then its outcome
 */
export async function sendPatiently<T>(send: () => Promise<T>, ended: AbortSignal): Promise<T> {
  for (let waits = 0; ; waits += 1) {
    try {
      return await send()
    } catch (error) {
      const waitMs = waits < MOST_WAITS ? waitOf(error) : undefined
      if (waitMs === undefined || !(await pause(waitMs, ended))) throw error
    }
  }
}

/** @returns whether the time has passed; `false` as soon as the run ends. */
async function pause(ms: number, ended: AbortSignal): Promise<boolean> {
  try {
    return await sleep(ms, true, { signal: ended })
  } catch {
    return false
  }
}
