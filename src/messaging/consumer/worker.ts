import { isPpoppoError } from '../../errors.js'
import type { ConsumerStore, QueueEntry } from '../../store/consumers.js'
import type { DeadLetter, FanOutOptions } from '../consumer-types.js'
import { tell } from '../events/tell.js'
import type { MessagingRuntime } from '../runtime.js'
import { attempt, type EventTenure } from './attempts.js'
import { toLetterText } from './event-text.js'
import { lettersFull } from './handling.js'
import { pause } from './pause.js'
import { parseEntryText } from './queue-entry.js'
import type { ConsumeSettings } from './settings.js'

const WAIT_MS = 500
const STORE_PAUSE_MS = 500
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
}

/**
 * Takes events from the queue and handles them, side by side, until `closing`. Resolves when what was at work is done.
 * What a worker leaves unfinished goes to another one after `claimAfterMs`.
 * @throws `dead_letters_full`
 */
export async function work(parts: WorkerParts): Promise<void> {
  const { settings, closing, runtime } = parts
  const atWork = new Set<Promise<void>>()
  let failure: unknown
  while (!closing.aborted && failure === undefined) {
    if (atWork.size >= settings.maxInFlight) {
      await Promise.race(atWork)
      continue
    }
    for (const entry of await take(parts, settings.maxInFlight - atWork.size)) {
      const done = finish(parts, entry).catch(async (error: unknown) => {
        // Not finished as far as the store knows: it is given out again.
        if (isPpoppoError(error, 'store_unavailable')) await pause(STORE_PAUSE_MS, closing, runtime)
        else failure = error
      })
      const tracked: Promise<void> = done.finally(() => atWork.delete(tracked))
      atWork.add(tracked)
    }
  }
  await Promise.all(atWork)
  if (failure !== undefined) throw failure
}

async function take(parts: WorkerParts, count: number): Promise<readonly QueueEntry[]> {
  const { store, settings, id, closing, runtime } = parts
  try {
    return await store.queue.take(settings.name, id, {
      count,
      claimAfterMs: settings.fanOut.claimAfterMs,
      waitMs: WAIT_MS,
    })
  } catch (error) {
    if (!isPpoppoError(error, 'store_unavailable')) throw error
    await pause(STORE_PAUSE_MS, closing, runtime)
    return []
  }
}

async function finish(parts: WorkerParts, entry: QueueEntry): Promise<void> {
  const { store, settings } = parts
  const item = parseEntryText(entry.text)
  const outcome = item === undefined ? 'handled' : await handle(parts, entry, item)
  if (outcome === 'abandoned') return
  const letter = outcome === 'handled' ? undefined : { id: outcome.event.eventId, text: toLetterText(outcome) }
  const result = await store.queue.finish(settings.name, entry.id, letter)
  if (result === 'full') throw lettersFull(settings.name)
}

type Item = NonNullable<ReturnType<typeof parseEntryText>>

async function handle(
  parts: WorkerParts,
  entry: QueueEntry,
  { event, fence }: Item,
): Promise<'handled' | 'abandoned' | DeadLetter> {
  const { settings, runtime, closing, over } = parts
  if (entry.deliveries > settings.maxAttempts + INNOCENT_DELIVERIES) {
    // Whoever had it died of it, or of something else each time: it must not end one worker after another.
    const error = `no worker that was given it finished it, in ${entry.deliveries - 1} deliveries`
    const letter = { event, error, attempts: entry.deliveries - 1, failedAt: new Date(runtime.now()) }
    tell(settings.onDeadLetter, letter)
    return letter
  }
  const lastBeginAt = performance.now() + settings.fanOut.claimAfterMs - settings.handlerTimeoutMs
  const tenure: EventTenure = {
    fence,
    closing,
    over,
    // Beyond that another one may have claimed it.
    mayBegin: () => !closing.aborted && performance.now() <= lastBeginAt,
  }
  return attempt(event, settings, tenure, runtime, entry.deliveries)
}
