import { isPpoppoError } from '../../errors.js'
import { onAbort, untilAborted } from '../../lib/on-abort.js'
import type { EventsOptions, MessagingEvent } from '../types/events.js'
import type { Sink } from './handling/sink.js'
import { toPlaceAfterLoss } from './resume.js'
import type { ConsumeSettings } from './term/settings.js'
import type { Checkpoint } from './term/stored-texts.js'

/** A server that loses each cursor at once would have us go round for ever. */
const MAX_LOSSES = 3
const LOSSES_WITHIN_MS = 600_000

/** Opens the stream of events. */
export type OpenStream = (options: EventsOptions) => AsyncIterableIterator<MessagingEvent>

export interface ReadingParts {
  readonly settings: Pick<ConsumeSettings, 'stream' | 'onCursorLost'>
  readonly events: OpenStream
  /** The server's time in milliseconds since the epoch, or a little before it. */
  readonly serverNow: () => number
  readonly sink: Sink
  /** Where to begin. */
  readonly checkpoint: Checkpoint
  /** Ends the reading. */
  readonly signal: AbortSignal
  /** Resolves when the sink may have room, at the latest with the signal. */
  readonly room: () => Promise<void>
  onEvent(): void
}

/**
 * Reads the stream into the sink, and no further than the sink has room. Where the server does not know the cursor, goes
 * on as `onCursorLost` says.
 * @throws what ends a stream for good; the signal's reason
 */
export async function readStream(parts: ReadingParts): Promise<never> {
  const { settings, serverNow, sink, signal } = parts
  const losses: number[] = []
  let { checkpoint } = parts
  for (;;) {
    try {
      return await readOnce(parts, checkpoint)
    } catch (error) {
      if (!isPpoppoError(error, 'cursor_lost') || settings.onCursorLost === 'fail') throw error
      const now = performance.now()
      losses.push(now)
      if (losses.filter((at) => at > now - LOSSES_WITHIN_MS).length > MAX_LOSSES) throw error
      checkpoint = toPlaceAfterLoss(settings.onCursorLost, serverNow())
      // Saved before anything is read: after a crash the same loss must not be dealt with again, from a later now.
      await Promise.race([sink.restart(checkpoint), untilAborted(signal)])
      signal.throwIfAborted()
    }
  }
}

async function readOnce(parts: ReadingParts, { cursor, skipsBefore }: Checkpoint): Promise<never> {
  const { settings, events, sink, signal, room, onEvent } = parts
  for await (const event of events({
    ...settings.stream,
    ...(cursor === undefined ? {} : { after: cursor }),
    signal,
  })) {
    onEvent()
    sink.take(event, skipsBefore !== undefined && event.occurredAt.getTime() < skipsBefore)
    while (sink.isFull) {
      await room()
      signal.throwIfAborted()
    }
  }
  throw signal.reason ?? new Error('the stream of events ended by itself')
}

/** A door that opens by `open()`, and for good with the signal. */
export function createDoor(signal: AbortSignal): { readonly room: () => Promise<void>; readonly open: () => void } {
  let wake = (): void => {}
  onAbort(signal, () => wake())
  return {
    room: () =>
      new Promise((resolve) => {
        wake = resolve
        if (signal.aborted) resolve()
      }),
    open: () => wake(),
  }
}
