interface Shared {
  readonly listeners: Set<() => void>
  /** Takes the signal's own listener away. */
  readonly letGo: () => void
}

const sharedOf = new WeakMap<AbortSignal, Shared>()

/**
 * Calls `listener` when the signal is aborted, at once where it is already. All listeners of a signal share one of the
 * signal's own: an app may give one signal to hundreds of calls, and Node warns of a leak from the 11th on.
 * @returns what takes that back
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) {
    listener()
    return () => {}
  }
  const shared = sharedOf.get(signal) ?? share(signal)
  // An entry of its own: the same function may be given twice.
  const entry = (): void => listener()
  shared.listeners.add(entry)
  return () => {
    shared.listeners.delete(entry)
    if (shared.listeners.size > 0) return
    shared.letGo()
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
  const tellAll = (): void => {
    for (const listener of listeners) listener()
  }
  signal.addEventListener('abort', tellAll, { once: true })
  const shared = { listeners, letGo: () => signal.removeEventListener('abort', tellAll) }
  sharedOf.set(signal, shared)
  return shared
}
