import { doubled, spread } from '../lib/backoff.js'
import type { Streak, Wait } from './judge-end.js'

const FIRST_MS = 200
const FIRST_DOUBT_MS = 1_000
const LONGEST_MS = 10_000
const FIRST_LONG_MS = 10_000
const LONGEST_LONG_MS = 60_000

/**
 * How long to wait before a stream is opened again, in milliseconds. Full jitter, so that many clients of a server that
 * went away do not come back at once; what the server asks for is never undercut.
 * @param hintMs what the server asks to wait
 */
export function pauseMs(wait: Wait, streak: Streak, hintMs: number | undefined, random: () => number): number {
  switch (wait) {
    case 'none':
      return 0
    case 'short':
      return random() * FIRST_MS
    case 'backoff':
      return Math.max(spread(hintMs ?? 0, random), random() * doubled(FIRST_MS, streak.failures - 1, LONGEST_MS))
    case 'doubt':
      return random() * doubled(FIRST_DOUBT_MS, streak.doubts - 1, LONGEST_MS)
    case 'long':
      return spread(doubled(FIRST_LONG_MS, streak.exhaustions - 1, LONGEST_LONG_MS), random)
    case 'hint':
      return spread(hintMs ?? 0, random)
  }
}
