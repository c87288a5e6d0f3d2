/** The public shapes of the durable consumer: one active among all processes that share a Redis. */
import type { MessagingEvent, StreamOptions } from './events.js'

/** What a handler is told beside the event. */
export interface HandlerContext {
  /** Aborted when this consumer may no longer act: its lease is lost, its time is up, or the handler's is. */
  readonly signal: AbortSignal
  /** 1 for the first one. Deliveries to processes that ended without a word count, too. */
  readonly attempt: number
  /**
   * Grows with each change of the active consumer: a database may refuse writes that carry a smaller one than it saw. Not
   * with `fanOut`, where an event keeps the one it was read under, nor with `replay()`, where it is 0.
   */
  readonly fence: number
}

/** Acts on one event. It may see an event more than once (after a crash), so let it do the same thing twice. */
export type EventHandler = (event: MessagingEvent, context: HandlerContext) => unknown

/** An event no attempt at which succeeded. */
export interface DeadLetter {
  readonly event: MessagingEvent
  /** What the handler threw at last: its name and message, cut at 500 characters. */
  readonly error: string
  readonly attempts: number
  readonly failedAt: Date
}

/** Options of `consume()`. */
export interface ConsumeOptions extends StreamOptions {
  /**
   * Consumers of one name share one place in the stream, so they ask for the same `sendRequestId`: 1 to 100 of
   * `A-Z a-z 0-9 _ . -`.
   */
  readonly name: string
  readonly handler: EventHandler
  /**
   * So many events may be begun and not yet known to Redis as handled; a process that is killed leaves at most these to
   * be handled again. @default 64
   */
  readonly maxInFlight?: number
  /** How long the others wait for an active consumer that is gone, in milliseconds. @default 15_000 */
  readonly leaseMs?: number
  /** How long `stop()` waits for handlers, in milliseconds. @default 10_000 */
  readonly drainMs?: number
  /**
   * Attempts at an event before it is a dead letter, the first included. One that its process does not survive, or that
   * blocks it for longer than the lease, is handled again alone, at least once. @default 5
   */
  readonly maxAttempts?: number
  /**
   * An attempt that takes longer has failed, in milliseconds. Its handler should end with the signal: one that does not
   * runs beside its next attempt. @default 60_000
   */
  readonly handlerTimeoutMs?: number
  /**
   * What to do when the server no longer knows the place in the stream, or Redis has lost it. `fail`: end, and `closed`
   * rejects with `cursor_lost`. `earliest`: go on with whatever the server still has. `latest`: go on with what happens
   * from now on, by the server's clock; where it does not tell the time, from a minute ago by this machine's.
   * @default 'fail'
   */
  readonly onCursorLost?: 'fail' | 'latest' | 'earliest'
  /** Called in place of writing a dead letter. The event counts as handled once this resolves; if it throws, it is one. */
  readonly onHandlerError?: (error: unknown, event: MessagingEvent, context: { readonly attempts: number }) => unknown
  /** An event became a dead letter, and is stored. */
  readonly onDeadLetter?: (letter: DeadLetter) => void
  /** This process is now the active one. */
  readonly onActive?: (state: { readonly fence: number; readonly after?: string }) => void
  /** This process no longer is. */
  readonly onStandby?: (state: { readonly reason: 'lease_lost' | 'store_unavailable'; readonly error?: Error }) => void
  /**
   * The store fails: Redis is full, forbids a command, or does not answer. Called once, until all of it works again; what
   * was told by then goes on by itself. A process whose work Redis refuses to save for `leaseMs` lets another one try.
   */
  readonly onStoreFault?: (error: Error) => void
  /**
   * Hands events to all processes by a Redis Stream in place of handling them in the active one: any number of workers,
   * and no order between them. @default false
   */
  readonly fanOut?: boolean | FanOutOptions
}

/** How events are handed to several workers. */
export interface FanOutOptions {
  /** Events that wait in Redis at most; at the bound the stream from Ppoppo is held back. @default 10_000 */
  readonly maxLength?: number
  /** An event whose worker has not finished it in this time goes to another, in milliseconds. @default 90_000 */
  readonly claimAfterMs?: number
}

/** A consumer at work. */
export interface Consumer {
  readonly name: string
  /** Whether this process is the one that reads. */
  readonly isActive: boolean
  /** `memory`: there is no Redis, so a restart begins anew, and other processes handle the same events. */
  readonly storage: 'redis' | 'memory'
  /**
   * Age of the oldest event that has come to this process and is not handled, in milliseconds; 0 when there is none, or on
   * standby. What waits for workers (`fanOut`) does not count.
   */
  readonly lag: number
  /** When the last event came. */
  readonly lastEventAt: Date | undefined
  /** Resolves after `stop()`; rejects when the consumer ends by itself. */
  readonly closed: Promise<void>
  /**
   * Reads no more, waits for the handlers at work, and hands over. Idempotent. A handler may call it, and must not await
   * it: it would wait for itself, until `drainMs` is over.
   */
  stop(): Promise<void>
}

/** The events that could not be handled, of consumers of one name. */
export interface DeadLetters {
  /** Oldest first. @param options.limit @default 100 */
  list(options?: { readonly limit?: number }): Promise<readonly DeadLetter[]>
  count(): Promise<number>
  /**
   * Gives each to a handler, oldest first, and removes those it takes.
   * @param options.limit at most so many @default all that are there at the beginning
   */
  replay(
    handler: EventHandler,
    options?: { readonly limit?: number; readonly signal?: AbortSignal },
  ): Promise<{ readonly replayed: number; readonly failed: number }>
  /** @returns whether it was there */
  remove(eventId: string): Promise<boolean>
}
