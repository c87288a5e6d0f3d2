import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** What an idle machine takes to start Node. */
const USUAL_START_MS = 60
const STARTS = 3

/**
 * A bound of time for the machine as it is now: `ms` where it is idle, and as many times longer as a control takes that
 * is made at once, starting Node. For what may take only so long and hangs on other processes: browsers, Redis, workers.
 * What happens in this process alone goes by `timed` (`clock.ts`).
 */
export async function allowed(ms: number): Promise<number> {
  let longestMs = 0
  for (let start = 0; start < STARTS; start += 1) {
    const beganAt = performance.now()
    await promisify(execFile)(process.execPath, ['-e', ''], { env: { ...process.env, NODE_OPTIONS: '' } })
    longestMs = Math.max(longestMs, performance.now() - beganAt)
  }
  return ms * Math.max(1, longestMs / USUAL_START_MS)
}
