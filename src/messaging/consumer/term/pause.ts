import { onAbort } from '../../../lib/on-abort.js'
import type { MessagingRuntime } from '../../lib/runtime.js'

/** Resolves after `ms`, or when `signal` is aborted. */
export function pause(ms: number, signal: AbortSignal, runtime: MessagingRuntime): Promise<void> {
  return new Promise((resolve) => {
    let letGo = (): void => {}
    const done = (): void => {
      cancel()
      letGo()
      resolve()
    }
    const cancel = runtime.after(ms, done)
    letGo = onAbort(signal, done)
  })
}

/** Resolves with `work`, or after `ms`. */
export async function atMost(ms: number, work: Promise<void>, runtime: MessagingRuntime): Promise<void> {
  let cancel = (): void => {}
  const timeIsUp = new Promise<void>((resolve) => {
    cancel = runtime.after(ms, resolve)
  })
  try {
    await Promise.race([work, timeIsUp])
  } finally {
    cancel()
  }
}
