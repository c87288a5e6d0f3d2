/** The longest delay of a Node timer, in milliseconds: 24.8 days. */
export const LONGEST_TIMER_MS = 2_147_483_647

/** Resolves after `ms`. The timer does not keep the process alive. */
export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}

/** What {@link within} resolves to on timeout. */
export const TIMED_OUT: unique symbol = Symbol('timed out')

/** Resolves like `work`, or to `TIMED_OUT` after `ms`. The timer is cleared either way; `work` is not stopped. */
export async function within<T>(work: Promise<T>, ms: number): Promise<T | typeof TIMED_OUT> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<typeof TIMED_OUT>((resolve) => {
    timer = setTimeout(() => resolve(TIMED_OUT), ms)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
    // After a timeout nobody awaits `work`: its failure must not be an unhandled rejection.
    work.catch(() => {})
  }
}
