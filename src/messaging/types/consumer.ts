/** The public types of the durable consumer: of all processes that share a Redis, one is active. */
import type { MessagingEvent, StreamOptions } from './events.js'

/** What a handler gets besides the event. */
export interface HandlerContext {
  /** Aborted when this consumer must not act any more: it lost its lease, it is stopping, or the handler timed out. */
  readonly signal: AbortSignal
  /** 1 for the first attempt. Attempts in processes that died count too. */
  readonly attempt: number
  /**
   * Fencing token: grows with each change of the active consumer, so a database can reject writes with a smaller one than
   * it has seen. With `fanOut` it is that of the consumer that read the event; with `replay()` it is 0.
   */
  readonly fence: number
}

/** Handles one event. It may get an event more than once (after a crash), so it must be idempotent. */
export type EventHandler = (event: MessagingEvent, context: HandlerContext) => unknown

/** An event for which every attempt failed. */
export interface DeadLetter {
  /** The event itself. */
  readonly event: MessagingEvent
  /** Name and message of the last error that the handler threw, cut to 500 characters. */
  readonly error: string
  /** How many attempts were made. */
  readonly attempts: number
  /** When the last attempt failed. */
  readonly failedAt: Date
}

/** Options of `consume()`. */
export interface ConsumeOptions extends StreamOptions {
  /**
   * Consumers with the same name share one position in the stream, so they must use the same `sendRequestId`. 1 to 100
   * characters of `A-Z a-z 0-9 _ . -`.
   */
  readonly name: string
  /** Called for each event. If it throws or rejects, the attempt has failed. */
  readonly handler: EventHandler
  /** Maximum number of unacknowledged events. After a crash, at most this many are redelivered. @default 64 */
  readonly maxInFlight?: number
  /** How long the others wait before they replace an active consumer that disappeared, in milliseconds. @default 15_000 */
  readonly leaseMs?: number
  /** How long `stop()` waits for running handlers, in milliseconds. @default 10_000 */
  readonly drainMs?: number
  /**
   * Attempts before an event is dead-lettered, including the first. An event that kills its process, or blocks it for
   * longer than the lease, is retried on its own, at least once. @default 5
   */
  readonly maxAttempts?: number
  /**
   * After this time an attempt counts as failed, in milliseconds. The handler should stop when the signal is aborted; if it
   * does not, it runs beside the next attempt. @default 60_000
   */
  readonly handlerTimeoutMs?: number
  /**
   * What to do when the server no longer knows the position in the stream, or Redis has lost it. `fail`: stop, and `closed`
   * rejects with `cursor_lost`. `earliest`: continue with the oldest event the server still has. `latest`: continue with
   * what happens from now on by the server's clock; if that is not known, from a minute ago by this machine's.
   * @default 'fail'
   */
  readonly onCursorLost?: 'fail' | 'latest' | 'earliest'
  /** Called instead of dead-lettering. If it resolves, the event is handled; if it throws, it becomes a dead letter. */
  readonly onHandlerError?: (
    error: unknown,
    event: MessagingEvent,
    context: {
      /** How many attempts were made. */
      readonly attempts: number
    },
  ) => unknown
  /** An event became a dead letter and has been stored. */
  readonly onDeadLetter?: (letter: DeadLetter) => void
  /** This process became the active one. `after`: the event it resumes behind. */
  readonly onActive?: (state: { readonly fence: number; readonly after?: string }) => void
  /** This process is no longer the active one. */
  readonly onStandby?: (state: { readonly reason: 'lease_lost' | 'store_unavailable'; readonly error?: Error }) => void
  /**
   * The store fails: Redis is full, rejects a command, or does not answer. Called once until everything works again; the
   * consumer recovers automatically. If Redis rejects its writes for `leaseMs`, another process gets a chance.
   */
  readonly onStoreFault?: (error: Error) => void
  /**
   * Distributes events to all processes through a Redis Stream instead of handling them in the active one: any number of
   * workers, without any order between them. @default false
   */
  readonly fanOut?: boolean | FanOutOptions
}

/** How events are distributed to several workers. */
export interface FanOutOptions {
  /** Maximum number of events waiting in Redis; at that point the stream from Ppoppo is paused. @default 10_000 */
  readonly maxLength?: number
  /** An event that its worker has not finished after this time is given to another one, in milliseconds. @default 90_000 */
  readonly claimAfterMs?: number
}

/** A running consumer. */
export interface Consumer {
  /** The `name` it was started with. */
  readonly name: string
  /** Whether this process is the one that reads the stream. */
  readonly isActive: boolean
  /** `memory`: there is no Redis, so a restart starts over, and other processes handle the same events. */
  readonly storage: 'redis' | 'memory'
  /**
   * Age of the oldest event that this process has received but not handled, in milliseconds; 0 if there is none, or on
   * standby. Events waiting for workers (`fanOut`) do not count.
   */
  readonly lag: number
  /** When the last event arrived; `undefined` before the first one. */
  readonly lastEventAt: Date | undefined
  /** Resolves after `stop()`; rejects if the consumer stops because of an error. */
  readonly closed: Promise<void>
  /**
   * Stops reading, waits for running handlers, and hands over to another process. Idempotent. A handler may call it but must
   * not await it: it would wait for itself until `drainMs` has passed.
   */
  stop(): Promise<void>
}

/** The dead letters of the consumers with one name. At most 10,000 are kept; then the consumer stops. */
export interface DeadLetters {
  /** Lists the oldest first. @param options.limit 1 to 10,000 @default 100 */
  list(options?: { readonly limit?: number }): Promise<readonly DeadLetter[]>
  /** How many there are. */
  count(): Promise<number>
  /**
   * Calls a handler for each, oldest first, and removes those it handles.
   * @param options.limit how many at most @default all that exist when it starts
   * @example await messaging.deadLetters('deliveries').replay((event) => save(event))
   */
  replay(
    handler: EventHandler,
    options?: { readonly limit?: number; readonly signal?: AbortSignal },
  ): Promise<{ readonly replayed: number; readonly failed: number }>
  /** Removes one. @returns whether it existed */
  remove(eventId: string): Promise<boolean>
}
