import { isPpoppoError } from '../../errors.js'
import { onAbort, untilAborted } from '../../lib/on-abort.js'
import type { ConsumerStore } from '../../store/consumer-store.js'
import type { MessagingRuntime } from '../lib/runtime.js'
import { Signal } from '../lib/signal.js'
import type { EventsOptions, MessagingEvent } from '../types/events.js'
import { InProcessSink } from './handling/in-process-sink.js'
import { QueueSink } from './handling/queue-sink.js'
import type { Sink, SinkCalls } from './handling/sink.js'
import { toPlaceAfterLoss } from './resume.js'
import type { Lease } from './term/lease.js'
import type { ConsumeSettings } from './term/settings.js'
import type { StoreFaults } from './term/store-faults.js'
import type { Checkpoint } from './term/stored-texts.js'
import { Tenure } from './term/tenure.js'

/** A server that loses every cursor must not keep us in a loop. */
const MAX_LOSSES = 3
const LOSSES_WITHIN_MS = 600_000

/** Opens the stream of events. */
export type OpenStream = (options: EventsOptions) => AsyncIterableIterator<MessagingEvent>

/** What {@link runActiveTerm} is made of. */
export interface ActiveTermParts {
  readonly settings: ConsumeSettings
  readonly openStream: OpenStream
  readonly store: ConsumerStore
  readonly runtime: MessagingRuntime
  readonly lease: Lease
  readonly faults: StoreFaults
  /** Where the term begins. */
  readonly checkpoint: Checkpoint
  /** The store has lost its checkpoint, and this one replaces it. */
  readonly acceptsLoss?: true
  /** Save the checkpoint before any handler is called. */
  readonly savesFirst: boolean
  /** The server's time in milliseconds since the epoch, or a little before it. */
  readonly serverNow: () => number
  /** Aborted when the consumer is stopped. */
  readonly stopping: AbortSignal
  /** The sink of this term; `undefined` when the term is over. */
  onSink(sink: Sink | undefined): void
  /** An event has arrived. */
  onEvent(): void
  /** The store has saved the checkpoint. */
  onSaved(checkpoint: Checkpoint): void
}

/** Ends a wait; nobody ever sees it as an error. */
const STOPPED = new Error('stopped')

/**
 * One term as the active consumer, until the consumer is stopped or loses its lease.
 * @throws what ends the consumer for good
 */
export async function runActiveTerm(parts: ActiveTermParts): Promise<void> {
  const { lease, faults, stopping, settings, runtime } = parts
  const reading = new AbortController()
  const tenure = new Tenure(lease)
  const room = new Signal()
  const unsubscribe = [
    onAbort(stopping, () => reading.abort(STOPPED)),
    onAbort(lease.signal, () => {
      if (lease.isTaken) tenure.end(lease.signal.reason)
      else tenure.recall(lease.signal.reason)
      reading.abort(STOPPED)
    }),
    onAbort(reading.signal, () => room.notify()),
  ]
  const sink = createSink({
    ...parts,
    tenure,
    calls: {
      onRoom: () => room.notify(),
      onLost: () => {
        lease.lose()
        tenure.end(lease.signal.reason)
      },
      onRefused: () => lease.giveUp(faults.lastError),
      onFailure: (error) => reading.abort(error),
    },
  })
  parts.onSink(sink)
  try {
    if (parts.savesFirst) await Promise.race([sink.open(), untilAborted(reading.signal)])
    await readStream({ ...parts, sink, room, signal: reading.signal })
  } catch (error) {
    if (error !== STOPPED) throw error
  } finally {
    const endsAt = runtime.monotonic() + settings.drainMs
    const isSettled = await sink.drain(settings.drainMs)
    tenure.end(STOPPED)
    // Waits for abandoned handlers too: no other process may start one beside a handler that is still running.
    const isIdle = await tenure.untilIdle(Math.max(0, endsAt - runtime.monotonic()), runtime)
    for (const off of unsubscribe) off()
    parts.onSink(undefined)
    // If a handler is still running, its signal is aborted, and the lease is left to expire.
    if (isSettled && isIdle) await lease.release()
    else lease.abandon()
  }
}

interface TermSinkParts extends ActiveTermParts {
  readonly tenure: Tenure
  readonly calls: SinkCalls
}

function createSink(parts: TermSinkParts): Sink {
  const { settings, store, runtime, faults, checkpoint, acceptsLoss, onSaved, tenure, calls } = parts
  const loss = acceptsLoss === undefined ? {} : { acceptsLoss }
  const shared = { store, name: settings.name, tenure, runtime, faults, checkpoint, ...loss, onSaved, ...calls }
  return settings.fanOut === undefined
    ? new InProcessSink({ ...shared, settings })
    : new QueueSink({ ...shared, maxLength: settings.fanOut.maxLength })
}

interface ReadingParts extends ActiveTermParts {
  readonly sink: Sink
  /** The sink may have room, or the reading ends. */
  readonly room: Signal
  /** Ends the reading. */
  readonly signal: AbortSignal
}

/**
 * Reads the stream into the sink, no faster than the sink has room. If the server does not know the cursor, continues as
 * `onCursorLost` says.
 * @throws what ends a stream for good; the signal's reason
 */
async function readStream(parts: ReadingParts): Promise<never> {
  const { settings, serverNow, sink, signal, runtime } = parts
  const losses: number[] = []
  let { checkpoint } = parts
  for (;;) {
    try {
      return await readOnce(parts, checkpoint)
    } catch (error) {
      if (!isPpoppoError(error, 'cursor_lost') || settings.onCursorLost === 'fail') throw error
      const now = runtime.monotonic()
      losses.push(now)
      if (losses.filter((at) => at > now - LOSSES_WITHIN_MS).length > MAX_LOSSES) throw error
      checkpoint = toPlaceAfterLoss(settings.onCursorLost, serverNow())
      // Saved before anything is read: after a crash, `latest` must not mean a later moment.
      await Promise.race([sink.restart(checkpoint), untilAborted(signal)])
      signal.throwIfAborted()
    }
  }
}

async function readOnce(parts: ReadingParts, { cursor, skipsBefore }: Checkpoint): Promise<never> {
  const { settings, openStream, sink, signal, room, onEvent } = parts
  const after = cursor === undefined ? {} : { after: cursor }
  for await (const event of openStream({ ...settings.stream, ...after, signal })) {
    onEvent()
    sink.take(event, skipsBefore !== undefined && event.occurredAt.getTime() < skipsBefore)
    while (sink.isFull && !signal.aborted) await room.next()
    signal.throwIfAborted()
  }
  throw signal.reason ?? new Error('the stream of events ended by itself')
}
