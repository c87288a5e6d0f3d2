import { isPpoppoError } from '../../errors.js'
import { onAbort } from '../../lib/on-abort.js'
import type { QueueEntry } from '../../store/consumer-store.js'
import { pause } from '../lib/pause.js'
import { Signal } from '../lib/signal.js'
import { QueuedEvent, type QueuedEventParts } from './handling/queued-event.js'
import type { Lease } from './term/lease.js'

const WAIT_MS = 500
const STORE_PAUSE_MS = 500
/** How often the worker checks for entries that another one did not finish. */
const MAX_UNCHECKED_MS = 1_000
/** How long an entry that must be handled alone waits for those that this worker is handling. */
const MAX_CLEARING_MS = 5_000
/** How often {@link finishQueue} checks whether the queue is empty. */
const QUEUE_CHECK_MS = 1_000

/** What {@link runWorker} is made of. */
export interface WorkerParts extends QueuedEventParts {}

/**
 * Takes events from the queue and handles them concurrently, until `closing`. Resolves when all of them are done.
 * What a worker leaves unfinished goes to another one: at once if it gives it back, else after `claimAfterMs`. Then such
 * entries are handled one at a time with nothing beside them, because the first worker may have died of one.
 * @throws `dead_letters_full`
 */
export async function runWorker(parts: WorkerParts): Promise<void> {
  const { settings, closing, runtime } = parts
  const unfinished = createUnfinishedCheck(parts)
  const changed = new Signal()
  const unsubscribe = onAbort(closing, () => changed.notify())
  let [atWork, isAlone] = [0, false]
  let failure: { readonly reason: unknown } | undefined

  function begin(entry: QueueEntry, onSurvived: () => void = () => {}): void {
    atWork++
    new QueuedEvent(parts, entry)
      .handle(onSurvived)
      .catch((reason: unknown) => {
        failure ??= { reason }
      })
      .finally(() => {
        atWork--
        onSurvived()
        changed.notify()
      })
  }

  /** Nothing else begins until this process has survived it for a while. */
  function beginAlone(entry: QueueEntry): void {
    isAlone = true
    const endTurn = (): void => {
      cancel()
      isAlone = false
      changed.notify()
    }
    const cancel = runtime.after(settings.leaseMs, endTurn)
    begin(entry, endTurn)
  }

  try {
    while (!closing.aborted && failure === undefined) {
      if (isAlone || atWork >= settings.maxInFlight) await changed.next()
      else if (!(await unfinished.mayExist())) {
        for (const entry of await take(parts, settings.maxInFlight - atWork, 'none')) begin(entry)
      } else if (atWork > 0 && unfinished.waitMs > 0) {
        await Promise.race([changed.next(), pause(unfinished.waitMs, closing, runtime)])
      } else {
        const [entry] = await take(parts, 1, 'one')
        if (entry === undefined) unfinished.foundNone()
        else beginAlone(entry)
      }
    }
  } catch (reason) {
    failure ??= { reason }
  }
  while (atWork > 0) await changed.next()
  unsubscribe()
  if (failure !== undefined) throw failure.reason
}

interface UnfinishedCheck {
  /** Whether there may be entries that another worker did not finish in time. Asks the store now and then. */
  mayExist(): Promise<boolean>
  /** How long the first of them still waits for what this worker is handling. */
  readonly waitMs: number
  /** There was none to take. */
  foundNone(): void
}

function createUnfinishedCheck({ store, settings, runtime }: WorkerParts): UnfinishedCheck {
  const { claimAfterMs } = settings.fanOut
  let [nextCheckAt, claimBy, isFound] = [0, 0, false]
  return {
    async mayExist() {
      const now = runtime.monotonic()
      if (isFound || now < nextCheckAt) return isFound
      nextCheckAt = now + Math.min(claimAfterMs / 10, MAX_UNCHECKED_MS)
      // A failure here is followed by one of the next `take`, which reports it.
      isFound = await store.queue.hasUnfinished(settings.name, claimAfterMs).catch(() => false)
      claimBy = now + MAX_CLEARING_MS
      return isFound
    },
    get waitMs() {
      return claimBy - runtime.monotonic()
    },
    foundNone() {
      isFound = false
    },
  }
}

async function take(parts: WorkerParts, count: number, unfinished: 'one' | 'none'): Promise<readonly QueueEntry[]> {
  const { store, settings, id, closing, runtime, faults } = parts
  const { claimAfterMs } = settings.fanOut
  const waitMs = unfinished === 'one' ? 0 : WAIT_MS
  try {
    const taken = await store.queue.take(settings.name, id, { count, claimAfterMs, unfinished, waitMs })
    faults.worked('queue')
    return taken
  } catch (error) {
    if (!isPpoppoError(error, 'store_unavailable')) throw error
    faults.failed('queue', error)
    await pause(STORE_PAUSE_MS, closing, runtime)
    return []
  }
}

/**
 * Handles what is still in the queue from a time when this name had `fanOut`: nobody else would.
 * @param lease the work stops when it is lost
 */
export async function finishQueue(parts: WorkerParts, lease: Lease): Promise<void> {
  const { store, settings, runtime } = parts
  const isFilled = async (): Promise<boolean> => (await store.queue.length(settings.name)) > 0
  const closing = new AbortController()
  const unsubscribe = [parts.closing, lease.signal].map((signal) => onAbort(signal, () => closing.abort()))
  let working: Promise<void> | undefined
  try {
    while (!closing.signal.aborted && (await isFilled())) {
      working ??= runWorker({ ...parts, closing: closing.signal })
      await Promise.race([working, pause(QUEUE_CHECK_MS, closing.signal, runtime)])
    }
  } catch (error) {
    await lease.release()
    throw error
  } finally {
    closing.abort()
    await working
    for (const off of unsubscribe) off()
  }
}
