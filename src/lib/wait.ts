/** The longest time a timer of Node takes, in milliseconds: 24.8 days. */
export const LONGEST_TIMER_MS = 2_147_483_647

/** Resolves after `ms`. Its timer keeps no process alive. */
export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}

/** Value of {@link within} when the time was up first. */
export const TIMED_OUT: unique symbol = Symbol('timed out')

/** What `work` resolves to, or `TIMED_OUT` after `ms`. The timer is cleared either way; `work` goes on. */
export async function within<T>(work: Promise<T>, ms: number): Promise<T | typeof TIMED_OUT> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<typeof TIMED_OUT>((resolve) => {
    timer = setTimeout(() => resolve(TIMED_OUT), ms)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
    // When the time was up first nobody looks at `work` any more; its failure must not go unhandled.
    work.catch(() => {})
  }
}
