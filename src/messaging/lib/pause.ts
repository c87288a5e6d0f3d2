import { Disposers } from '../../lib/disposers.js'
import { onAbort } from '../../lib/on-abort.js'
import type { MessagingRuntime } from './runtime.js'

/** Resolves after `ms`, or as soon as `signal` is aborted. */
export function pause(ms: number, signal: AbortSignal, runtime: MessagingRuntime): Promise<void> {
  const disposers = new Disposers()
  return new Promise<void>((resolve) => {
    disposers.add(runtime.after(ms, resolve))
    disposers.add(onAbort(signal, resolve))
  }).finally(() => disposers.dispose())
}

/** Resolves with `work`, or after `ms`, whichever is first. `work` is not stopped. */
export async function atMost(ms: number, work: Promise<void>, runtime: MessagingRuntime): Promise<void> {
  const disposers = new Disposers()
  const timeIsUp = new Promise<void>((resolve) => disposers.add(runtime.after(ms, resolve)))
  try {
    await Promise.race([work, timeIsUp])
  } finally {
    disposers.dispose()
  }
}
