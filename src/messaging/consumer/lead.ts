import { onAbort, untilAborted } from '../../lib/on-abort.js'
import type { ConsumerStore } from '../../store/consumer-store.js'
import type { MessagingRuntime } from '../lib/runtime.js'
import { Handling } from './handling/in-process-sink.js'
import { Publishing } from './handling/queue-sink.js'
import type { Sink, SinkCalls } from './handling/sink.js'
import { createDoor, type OpenStream, readStream } from './read-stream.js'
import type { Lease } from './term/lease.js'
import type { ConsumeSettings } from './term/settings.js'
import type { StoreFaults } from './term/store-faults.js'
import type { Checkpoint } from './term/stored-texts.js'
import { Tenure } from './term/tenure.js'

export interface LeadParts {
  readonly settings: ConsumeSettings
  readonly events: OpenStream
  readonly store: ConsumerStore
  readonly runtime: MessagingRuntime
  readonly lease: Lease
  readonly faults: StoreFaults
  readonly checkpoint: Checkpoint
  readonly acceptsLoss?: true
  /** Whether the place is to be saved before anything is begun. */
  readonly opens: boolean
  readonly serverNow: () => number
  /** Aborted when the consumer is stopped. */
  readonly stopping: AbortSignal
  onSink(sink: Sink | undefined): void
  onEvent(): void
  onSaved(checkpoint: Checkpoint): void
}

/** Why a wait was ended: not an error anybody sees. */
const STOPPED = new Error('stopped')

/**
 * One term as the active consumer, until it is stopped or its lease is lost.
 * @throws what ends the consumer for good
 */
export async function lead(parts: LeadParts): Promise<void> {
  const { lease, faults, stopping, settings } = parts
  const reading = new AbortController()
  const tenure = new Tenure(lease)
  const door = createDoor(reading.signal)
  const unsubscribe = [
    onAbort(stopping, () => reading.abort(STOPPED)),
    onAbort(lease.signal, () => {
      if (lease.isTaken) tenure.end(lease.signal.reason)
      else tenure.recall(lease.signal.reason)
      reading.abort(STOPPED)
    }),
  ]
  const sink = createSink(parts, tenure, {
    onRoom: door.open,
    onLost: () => {
      lease.lose()
      tenure.end(lease.signal.reason)
    },
    onRefused: () => lease.giveUp(faults.lastError),
    onFailure: (error) => reading.abort(error),
  })
  parts.onSink(sink)
  try {
    if (parts.opens) await Promise.race([sink.open(), untilAborted(reading.signal)])
    await readStream({ ...parts, sink, signal: reading.signal, room: door.room })
  } catch (error) {
    if (error !== STOPPED) throw error
  } finally {
    const endsAt = performance.now() + settings.drainMs
    const isSettled = await sink.drain(settings.drainMs)
    tenure.end(STOPPED)
    // Also those nobody waits for any more: beside a handler that is still at work no other may begin.
    const isIdle = await tenure.untilIdle(Math.max(0, endsAt - performance.now()), parts.runtime)
    for (const off of unsubscribe) off()
    parts.onSink(undefined)
    // Else the lease runs out, and the handlers have been told to end.
    if (isSettled && isIdle) await lease.release()
    else lease.abandon()
  }
}

function createSink(parts: LeadParts, tenure: Tenure, calls: SinkCalls): Sink {
  const { settings, store, runtime, faults, checkpoint, acceptsLoss, onSaved } = parts
  const loss = acceptsLoss === undefined ? {} : { acceptsLoss }
  const shared = { store, name: settings.name, tenure, runtime, faults, checkpoint, ...loss, onSaved, ...calls }
  return settings.fanOut === undefined
    ? new Handling({ ...shared, settings })
    : new Publishing({ ...shared, maxLength: settings.fanOut.maxLength })
}
