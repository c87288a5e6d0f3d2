/** A timer of this many milliseconds shows how long this process had to wait for its turn. */
const TICK_MS = 10
/** An idle machine is late by this much, too. */
const USUAL_DELAY_MS = 2

/**
 * A clock that stands still while this process waits for a processor: on a busy machine that is most of what a short
 * deadline is missed by. What bounds a wait in a test goes by this one.
 */
export interface OwnTime {
  /** Milliseconds since it was started, less those this process had to wait for its turn. */
  passedMs(): number
  stop(): void
}

export function startOwnTime(): OwnTime {
  const beganAt = performance.now()
  let [lastAt, lostMs] = [beganAt, 0]
  const tick = (): void => {
    const now = performance.now()
    const lateMs = now - lastAt - TICK_MS
    if (lateMs > USUAL_DELAY_MS) lostMs += lateMs
    lastAt = now
  }
  const timer = setInterval(tick, TICK_MS)
  return {
    passedMs() {
      const now = performance.now()
      return now - beganAt - lostMs - Math.max(0, now - lastAt - TICK_MS)
    },
    stop: () => clearInterval(timer),
  }
}

/** How long `work` took, in {@link OwnTime}. */
export async function ownTimeOf(work: () => Promise<unknown>): Promise<number> {
  const time = startOwnTime()
  try {
    await work()
    return time.passedMs()
  } finally {
    time.stop()
  }
}
