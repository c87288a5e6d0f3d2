interface Shared {
  readonly listeners: Set<() => void>
  /** Removes the one listener on the signal. */
  readonly unsubscribe: () => void
}

const sharedOf = new WeakMap<AbortSignal, Shared>()

/**
 * Calls `listener` when the signal is aborted; immediately if it already is. All listeners share a single one on the
 * signal: an app may pass one signal to hundreds of calls, and Node warns of a leak from the 11th listener on.
 * @returns a function that unsubscribes
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) {
    listener()
    return () => {}
  }
  const shared = sharedOf.get(signal) ?? share(signal)
  // A new function per call: the same listener may be passed twice.
  const entry = (): void => listener()
  shared.listeners.add(entry)
  return () => {
    shared.listeners.delete(entry)
    if (shared.listeners.size > 0) return
    shared.unsubscribe()
    if (sharedOf.get(signal) === shared) sharedOf.delete(signal)
  }
}

/** Resolves when the signal is aborted. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    onAbort(signal, resolve)
  })
}

function share(signal: AbortSignal): Shared {
  const listeners = new Set<() => void>()
  const notifyAll = (): void => {
    for (const listener of listeners) listener()
  }
  signal.addEventListener('abort', notifyAll, { once: true })
  const shared = { listeners, unsubscribe: () => signal.removeEventListener('abort', notifyAll) }
  sharedOf.set(signal, shared)
  return shared
}
