import type { RaiseEvent } from '../audit-events.js'
import { onAbort } from '../lib/on-abort.js'
import type { Vault } from '../vault/vault.js'

/** Notices when sign-ins end, wherever that happens. */
export interface SignInWatch {
  /** Calls `onEnded` once, when this sign-in has ended. @returns a function that stops watching */
  add(signInId: string, onEnded: () => unknown): () => void
}

/** What the watch needs. */
export interface SignInWatchParts {
  readonly vault: Pick<Vault, 'endedOf'>
  readonly raise: RaiseEvent
  /** Aborted by `auth.close()`. */
  readonly closed: AbortSignal
}

/** A sign-out in another process is noticed within this time, plus what Redis takes. */
const CHECK_MS = 1_000
/** Few enough to be answered within the second that a call to Redis may take. */
const BATCH_SIZE = 500

/**
 * One check of all watched sign-ins per second, for all sockets of an instance. It asks the store instead of subscribing:
 * a subscription misses what happens while it reconnects, needs rights of its own, and knows nothing of expiry.
 */
export function createSignInWatch({ vault, raise, closed }: SignInWatchParts): SignInWatch {
  const watched = new Map<string, Set<() => unknown>>()
  let timer: NodeJS.Timeout | undefined
  let isChecking = false
  let isAway = false
  onAbort(closed, () => {
    watched.clear()
    clearTimeout(timer)
  })

  function schedule(): void {
    if (timer !== undefined || isChecking || watched.size === 0) return
    timer = setTimeout(() => void check(), CHECK_MS).unref()
  }

  async function check(): Promise<void> {
    timer = undefined
    isChecking = true
    try {
      for (const ids of batchesOf([...watched.keys()], BATCH_SIZE)) {
        for (const id of await vault.endedOf(ids)) end(id)
      }
      isAway = false
    } catch (error) {
      // An outage signs nobody out. It is reported once.
      if (!isAway && !closed.aborted) {
        raise({ type: 'store_unavailable', operation: 'socket check', detail: detailOf(error) })
      }
      isAway = true
    }
    isChecking = false
    schedule()
  }

  function end(id: string): void {
    const callbacks = watched.get(id) ?? []
    watched.delete(id)
    for (const callback of callbacks) void report(callback)
  }

  async function report(callback: () => unknown): Promise<void> {
    try {
      await callback()
    } catch (error) {
      raise({ type: 'warning', code: 'on_ended_failed', detail: `A callback of onEnded() threw: ${detailOf(error)}` })
    }
  }

  return {
    add(id, onEnded) {
      if (closed.aborted) return () => {}
      // A function of its own, since the same callback may be added twice.
      const callback = (): unknown => onEnded()
      const callbacks = watched.get(id) ?? new Set()
      watched.set(id, callbacks.add(callback))
      schedule()
      return () => {
        callbacks.delete(callback)
        if (callbacks.size === 0 && watched.get(id) === callbacks) watched.delete(id)
      }
    },
  }
}

function* batchesOf<T>(list: readonly T[], size: number): Iterable<readonly T[]> {
  for (let start = 0; start < list.length; start += size) yield list.slice(start, start + size)
}

function detailOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error'
}
