import { isPpoppoError } from '../../errors.js'
import { notify } from '../../lib/notify.js'
import { onAbort } from '../../lib/on-abort.js'
import type { ConsumerStore, QueueEntry } from '../../store/consumer-store.js'
import { pause } from '../lib/pause.js'
import type { MessagingRuntime } from '../lib/runtime.js'
import type { DeadLetter, FanOutOptions } from '../types/consumer.js'
import type { MessagingEvent } from '../types/events.js'
import { attempt, type EventTenure } from './handling/attempts.js'
import { lettersFull } from './handling/saving.js'
import type { ConsumeSettings } from './term/settings.js'
import type { StoreFaults } from './term/store-faults.js'
import { parseEntryText, toLetter, type WorkItem } from './term/stored-texts.js'

const WAIT_MS = 500
const STORE_PAUSE_MS = 500
const LONGEST_WITHOUT_LOOK_MS = 1_000
/** An event that is to be alone waits this long for the others at work here to end. */
const LONGEST_CLEARING_MS = 5_000
/** A delivery may come to nothing by nobody's fault: a worker that stops, an answer that is lost. */
const INNOCENT_DELIVERIES = 5

export interface WorkerParts {
  readonly store: ConsumerStore
  readonly settings: ConsumeSettings & { readonly fanOut: Required<FanOutOptions> }
  readonly runtime: MessagingRuntime
  /** Unique to this run. */
  readonly id: string
  /** Aborted when no more is to be taken. */
  readonly closing: AbortSignal
  /** Aborted when handlers at work must end. */
  readonly over: AbortSignal
  readonly faults: StoreFaults
  /** What is at work, for all to see. */
  readonly atHand: Set<MessagingEvent>
}

/**
 * Takes events from the queue and handles them, side by side, until `closing`. Resolves when what was at work is done.
 * What a worker leaves unfinished goes to another one: at once when it says so, else after `claimAfterMs`, and then one
 * by one and alone, since its worker may have died of it.
 * @throws `dead_letters_full`
 */
export async function work(parts: WorkerParts): Promise<void> {
  const { settings, closing, runtime } = parts
  const left = createLookForUnfinished(parts)
  let [atWork, isAlone] = [0, false]
  let failure: { readonly reason: unknown } | undefined
  let wake = (): void => {}
  const release = onAbort(closing, () => wake())
  const somethingEnds = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve
    })
  const begin = (entry: QueueEntry, pass: () => void = () => {}): void => {
    atWork++
    deal(parts, entry, pass)
      .catch((reason: unknown) => {
        failure ??= { reason }
      })
      .finally(() => {
        atWork--
        pass()
        wake()
      })
  }
  const beginAlone = (entry: QueueEntry): void => {
    isAlone = true
    const pass = (): void => {
      cancel()
      isAlone = false
      wake()
    }
    const cancel = runtime.after(settings.leaseMs, pass)
    begin(entry, pass)
  }
  try {
    while (!closing.aborted && failure === undefined) {
      if (isAlone || atWork >= settings.maxInFlight) await somethingEnds()
      else if (!(await left.mayBeThere())) {
        for (const entry of await take(parts, settings.maxInFlight - atWork, 'none')) begin(entry)
      } else if (atWork > 0 && left.waitsMs > 0) {
        await Promise.race([somethingEnds(), pause(left.waitsMs, closing, runtime)])
      } else {
        const [entry] = await take(parts, 1, 'one')
        if (entry === undefined) left.noneIsThere()
        else beginAlone(entry)
      }
    }
  } catch (reason) {
    failure ??= { reason }
  }
  while (atWork > 0) await somethingEnds()
  release()
  if (failure !== undefined) throw failure.reason
}

interface LookForUnfinished {
  /** Whether entries were seen that a worker did not finish in time. Asks now and then. */
  mayBeThere(): Promise<boolean>
  /** How long the first of them still waits for what is at work here to end. */
  readonly waitsMs: number
  noneIsThere(): void
}

function createLookForUnfinished({ store, settings }: WorkerParts): LookForUnfinished {
  const { claimAfterMs } = settings.fanOut
  let [nextLookAt, claimBy, isThere] = [0, 0, false]
  return {
    async mayBeThere() {
      const now = performance.now()
      if (isThere || now < nextLookAt) return isThere
      nextLookAt = now + Math.min(claimAfterMs / 10, LONGEST_WITHOUT_LOOK_MS)
      // What fails here fails at the next take, too, which tells.
      isThere = await store.queue.hasUnfinished(settings.name, claimAfterMs).catch(() => false)
      claimBy = now + LONGEST_CLEARING_MS
      return isThere
    },
    get waitsMs() {
      return claimBy - performance.now()
    },
    noneIsThere() {
      isThere = false
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

/** From the queue to the handler, and out of the queue. */
async function deal(parts: WorkerParts, entry: QueueEntry, onFirstFailure: () => void): Promise<void> {
  const { closing, atHand } = parts
  const takenAt = performance.now()
  const item = parseEntryText(entry.text)
  if (item === undefined) return finish(parts, entry, 'handled', takenAt)
  const handlers = { atWork: 0 }
  atHand.add(item.event)
  try {
    const outcome = await handle(parts, entry, item, takenAt, handlers, onFirstFailure)
    if (outcome !== 'abandoned') await finish(parts, entry, outcome, takenAt)
    // One whose handler is still at work stays until it may be claimed.
    else if (closing.aborted && handlers.atWork === 0) await giveBack(parts, entry)
  } finally {
    atHand.delete(item.event)
  }
}

async function handle(
  parts: WorkerParts,
  entry: QueueEntry,
  { event, fence }: WorkItem,
  takenAt: number,
  handlers: { atWork: number },
  onFirstFailure: () => void,
): Promise<'handled' | 'abandoned' | DeadLetter> {
  const { settings, runtime, closing, over } = parts
  const attempts = entry.deliveries - 1
  if (attempts >= settings.maxAttempts + INNOCENT_DELIVERIES) {
    // Whoever had it died of it, or of something else each time: it must not end one worker after another.
    const error = `no worker that was given it finished it, in ${attempts} deliveries`
    return { event, error, attempts, failedAt: new Date(runtime.now()) }
  }
  const lastBeginAt = takenAt + settings.fanOut.claimAfterMs - settings.handlerTimeoutMs
  const tenure: EventTenure = {
    fence,
    closing,
    recalled: over,
    over,
    // Beyond that another one may have claimed it.
    mayBegin: () => !closing.aborted && performance.now() <= lastBeginAt,
    noteBegin: () => {
      handlers.atWork++
    },
    noteEnd: () => {
      handlers.atWork--
    },
  }
  return attempt(event, settings, tenure, runtime, entry.deliveries, onFirstFailure)
}

/** Again and again while the store does not answer: finishing twice is finishing once. */
async function finish(
  parts: WorkerParts,
  entry: QueueEntry,
  outcome: 'handled' | DeadLetter,
  takenAt: number,
): Promise<void> {
  const { store, settings, runtime, over, faults } = parts
  const letter = outcome === 'handled' ? undefined : toLetter(outcome)
  // Then another one may have it, and finishes it.
  const isMine = (): boolean => !over.aborted && performance.now() < takenAt + settings.fanOut.claimAfterMs
  for (;;) {
    try {
      const result = await store.queue.finish(settings.name, entry.id, letter)
      faults.worked('finish')
      if (result === 'full') throw lettersFull(settings.name)
      if (outcome !== 'handled') notify(settings.onDeadLetter, outcome)
      return
    } catch (error) {
      if (!isPpoppoError(error, 'store_unavailable')) throw error
      faults.failed('finish', error)
      if (!isMine()) return
      await pause(STORE_PAUSE_MS, over, runtime)
    }
  }
}

async function giveBack({ store, settings, id }: WorkerParts, entry: QueueEntry): Promise<void> {
  // If that fails it may be claimed later.
  await store.queue.giveBack(settings.name, id, entry).catch(() => {})
}
