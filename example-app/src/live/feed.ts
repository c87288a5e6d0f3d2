/*
 * Notifies the open streams of this instance when the feed has grown, whichever instance wrote to it.
 *
 * Events are stored by one instance (the consumer that is active; see follow-deliveries.ts), and pages are open at all of
 * them. What they share is the table, so each instance looks at its end four times a second, for as long as somebody is
 * connected: one read, however many streams there are. The instance that stores an event itself need not wait for that.
 * With a database server this could be LISTEN/NOTIFY; polling would stay, since a notification can be lost.
 */
import type { DeliveryEvents } from '../messages/delivery-events.js'

export interface FeedReader {
  /** There is more to read. */
  pump(): void
  /** Once in a while: proves that the connection lives. */
  beat(): void
  end(): void
}

export interface Feed {
  /** How many read it here. */
  readonly size: number
  /** @returns how to leave; `undefined` where the feed is closed */
  join(reader: FeedReader): (() => void) | undefined
  /** This instance has stored something. */
  nudge(): void
  /** Ends all streams; browsers come back to another instance. */
  close(): void
}

export interface FeedParts {
  readonly events: Pick<DeliveryEvents, 'place'>
  /** @default 250 */
  readonly pollMs?: number
  /** @default 15_000 */
  readonly heartbeatMs?: number
  readonly log?: (error: unknown) => void
}

/** Too short for anybody to notice. */
const NUDGE_MS = 50

export function createFeed({ events, pollMs = 250, heartbeatMs = 15_000, log = console.error }: FeedParts): Feed {
  const readers = new Set<FeedReader>()
  let timers: readonly NodeJS.Timeout[] = []
  let seen = 0
  let nudged: NodeJS.Timeout | undefined
  let isClosed = false

  /** A stream that fails must not affect the others. Its browser reconnects, and resumes where it was. */
  const toAll = (work: (reader: FeedReader) => void): void => {
    for (const reader of [...readers]) {
      try {
        work(reader)
      } catch (error) {
        log(error)
        reader.end()
      }
    }
  }
  const look = (): void => {
    try {
      const place = events.place()
      if (place === seen) return
      seen = place
    } catch (error) {
      return log(error) // the database is locked, or gone: the next look is soon
    }
    toAll((reader) => reader.pump())
  }
  const begin = (): void => {
    timers = [setInterval(look, pollMs), setInterval(() => toAll((reader) => reader.beat()), heartbeatMs)]
  }
  const rest = (): void => {
    clearTimeout(nudged)
    nudged = undefined
    for (const timer of timers) clearInterval(timer)
    timers = []
  }

  return {
    get size() {
      return readers.size
    },
    join(reader) {
      if (isClosed) return undefined
      readers.add(reader)
      if (readers.size === 1) begin()
      return () => {
        if (readers.delete(reader) && readers.size === 0) rest()
      }
    },
    nudge() {
      if (nudged !== undefined || readers.size === 0) return
      // Events arrive in bursts: one read for all of them is enough.
      nudged = setTimeout(() => {
        nudged = undefined
        look()
      }, NUDGE_MS)
    },
    close() {
      isClosed = true
      for (const reader of [...readers]) reader.end()
      rest()
    },
  }
}
