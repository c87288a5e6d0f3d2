/**
 * The public types of delivery events (Ppoppo's Messaging reference; event names as in the official crates). Retention,
 * heartbeats and duplicates of the stream are not published, so nothing here depends on them.
 */

/** What happened. Types that the server may add later arrive as `'unknown'`. */
export type MessagingEventType =
  | 'recipient_delivered'
  | 'recipient_failed'
  /** The person has never had a message from this app and is asked first; the answer takes up to about 24 hours. */
  | 'recipient_pending_consent'
  | 'consent_granted'
  | 'consent_denied'
  | 'request_completed'
  | 'poll_response_received'
  | 'unknown'

/** One event of the app's stream. */
export interface MessagingEvent {
  /** Identifies the event; pass it as `after` to resume the stream behind it. */
  readonly eventId: string
  /** Id of the send it belongs to. */
  readonly sendRequestId: string
  /** What happened. */
  readonly type: MessagingEventType
  /** The recipient, if the event is about a single one. */
  readonly recipient?: {
    /** 11 digits or more. */
    readonly ppnum: string
    /** Id of the message, if there is one. */
    readonly messageId?: string
    /** Why the delivery failed, in the server's own words. */
    readonly errorCode?: string
  }
  /** Only with `request_completed`. */
  readonly summary?: {
    /** Number of recipients that got the message. */
    readonly delivered: number
    /** Number of recipients that did not. */
    readonly failed: number
  }
  /**
   * When it happened, by the server's clock. If that cannot be read, the time in `eventId` (a ULID); failing that, when the
   * event arrived. Always a valid date.
   */
  readonly occurredAt: Date
}

/** Callbacks about the connection of a stream, for logs and metrics. What they throw is ignored. */
export interface StreamCallbacks {
  /** The first connection is open. `after`: the event it resumes behind. */
  readonly onConnected?: (state: { readonly after?: string }) => void
  /** The connection ended, as connections do; a new one is opened. `recycled`: the library closed it on purpose. */
  readonly onDisconnected?: (state: {
    /** Who ended it: the server, a failure, or the library. */
    readonly reason: 'ended' | 'failed' | 'recycled'
    /** The last event handed out. */
    readonly after?: string
    /** What failed. */
    readonly error?: Error
  }) => void
  /** A later connection is open. `downMs`: how long there was none. */
  readonly onResumed?: (state: { readonly after?: string; readonly downMs: number }) => void
  /** There has been no connection for `staleAfterMs`, so what is displayed may be outdated. Called once, until `onResumed`. */
  readonly onStale?: (state: { readonly downMs: number; readonly error?: Error }) => void
}

/** Options of a stream. */
export interface StreamOptions extends StreamCallbacks {
  /** Only events of this send. @default events of all sends of the app */
  readonly sendRequestId?: string
  /** Start behind this event. @default what the server sends to a new reader, which is not published */
  readonly after?: string
  /** How long a connection is used before it is replaced, in milliseconds, plus or minus 20 %. @default 600_000 */
  readonly recycleMs?: number
  /** How long there may be no connection before `onStale` is called, in milliseconds. @default 30_000 */
  readonly staleAfterMs?: number
}

/** Options of `events()`. */
export interface EventsOptions extends StreamOptions {
  /** Ends the stream. */
  readonly signal?: AbortSignal
}
