import { onAbort } from '../../lib/on-abort.js'
import type { MessagingRuntime } from '../runtime.js'

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

/** A promise that resolves after `ms`, and what takes its timer back. */
export function after(ms: number, runtime: MessagingRuntime): { readonly promise: Promise<void>; cancel(): void } {
  let cancel = (): void => {}
  const promise = new Promise<void>((resolve) => {
    cancel = runtime.after(ms, resolve)
  })
  return { promise, cancel }
}
