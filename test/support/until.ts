/** A hang is found by this, and slowness is not: what may take only so long is measured, and compared, by the test. */
const LIMIT_MS = 90_000
const PAUSE_MS = 5

/**
 * Asks again until the answer is true, or is anything that counts as true. What it throws ends the wait.
 *
 * @param what it is to become so, for the error
 * @returns the answer
 */
export async function until<T>(
  ask: () => T | Promise<T>,
  what: string | (() => string) = String(ask),
  ms = LIMIT_MS,
): Promise<NonNullable<T>> {
  const endAt = performance.now() + ms
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    if (performance.now() > endAt) {
      throw new Error(`waited ${ms} ms in vain until ${typeof what === 'string' ? what : what()}`)
    }
    await elapse(PAUSE_MS)
  }
}

/** Like {@link until}, of what may fail for a while: that counts as "not yet", and is the cause of the error at the end. */
export async function untilWorks<T>(
  ask: () => Promise<T>,
  what: string = String(ask),
  ms = LIMIT_MS,
): Promise<NonNullable<T>> {
  let fault: unknown
  const asking = (): Promise<T | undefined> =>
    ask().catch((error: unknown) => {
      fault = error
      return undefined
    })
  return until(asking, what, ms).catch((error: Error) => {
    throw new Error(error.message, { cause: fault })
  }) as Promise<NonNullable<T>>
}

/**
 * Asks again and again for `ms`, and fails as soon as the answer is not true: for what must not happen. It proves only
 * that nothing happened meanwhile, so wait for a cause first (`until`) where there is one.
 */
export async function stays(
  ask: () => boolean | Promise<boolean>,
  what: string | (() => string),
  ms: number,
): Promise<void> {
  const endAt = performance.now() + ms
  do {
    if (!(await ask())) throw new Error(`it did not stay so that ${typeof what === 'string' ? what : what()}`)
    await elapse(PAUSE_MS)
  } while (performance.now() < endAt)
}

/**
 * Lets real time pass: how long an outage lasts, how long work takes, or a lifetime by a clock that no test can set (that
 * of Redis, of PAS, of another process). Not for something to have happened by then: that is what {@link until} is for.
 */
export function elapse(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
