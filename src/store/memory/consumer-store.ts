import { PpoppoError } from '../../errors.js'
import type { Acquired, CommitStep, ConsumerStore } from '../consumer-store.js'
import { createMemoryDeadLetters } from './dead-letters.js'
import { createMemoryQueue } from './queue.js'

interface Place {
  lease?: { readonly holder: string; readonly expiresAt: number }
  readonly fence?: number
  readonly sequence: number
  readonly checkpoint?: string
}

/** What a consumer store in memory is made of. */
export interface MemoryConsumerStoreParts {
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/**
 * What durable consumers store, in this process's memory: for development and tests. Same contract as Redis, and
 * bounded; no method awaits between reading and writing, so each is one step.
 *
 * @example
 * const consumers = createMemoryConsumerStore({ now: Date.now })
 */
export function createMemoryConsumerStore({ now }: MemoryConsumerStoreParts): ConsumerStore {
  const places = new Map<string, Place>()
  const letters = createMemoryDeadLetters(assertOpen)
  const queue = createMemoryQueue({ now, assertOpen, addLetters: letters.addAll })
  let isClosed = false

  function assertOpen(): void {
    if (isClosed) throw new PpoppoError('closed', 'The store is closed: close() was called.')
  }

  function placeOf(name: string): Place {
    const place = places.get(name) ?? { sequence: 0 }
    if (place.lease !== undefined && place.lease.expiresAt <= now()) delete place.lease
    places.set(name, place)
    return place
  }

  function enter(name: string, { letters: added = [], queue: queued }: CommitStep): boolean {
    if (queued !== undefined && queue.length(name) + queued.entries.length > queued.maxLength) return false
    if (!letters.addAll(name, added)) return false
    queue.push(name, queued?.entries ?? [])
    return true
  }

  return {
    kind: 'memory',
    async acquire(name, holder, ttlMs): Promise<Acquired | { readonly heldForMs: number }> {
      assertOpen()
      const place = placeOf(name)
      if (place.lease !== undefined && place.lease.holder !== holder) {
        return { heldForMs: place.lease.expiresAt - now() }
      }
      const fence = Math.max((place.fence ?? 0) + 1, Math.floor(now()))
      places.set(name, { ...place, lease: { holder, expiresAt: now() + ttlMs }, fence, sequence: 0 })
      return {
        fence,
        ...(place.checkpoint === undefined ? {} : { checkpoint: place.checkpoint }),
        ...(place.fence === undefined ? {} : { lastFence: place.fence }),
      }
    },
    async renew(name, holder, ttlMs): Promise<boolean> {
      assertOpen()
      const place = placeOf(name)
      if (place.lease?.holder !== holder) return false
      place.lease = { holder, expiresAt: now() + ttlMs }
      return true
    },
    async release(name, holder): Promise<void> {
      assertOpen()
      const place = placeOf(name)
      if (place.lease?.holder === holder) delete place.lease
    },
    async commit(name, step): Promise<'committed' | 'lost' | 'full'> {
      assertOpen()
      const place = placeOf(name)
      if (place.fence !== step.fence) return 'lost'
      if (step.sequence <= place.sequence) return 'committed'
      if (!enter(name, step)) return 'full'
      places.set(name, { ...place, sequence: step.sequence, checkpoint: step.checkpoint })
      return 'committed'
    },
    letters: letters.methods,
    queue: queue.methods,
    readWarning: async () => undefined,
    async close(): Promise<void> {
      isClosed = true
      places.clear()
      letters.clear()
      queue.clear()
    },
  }
}
