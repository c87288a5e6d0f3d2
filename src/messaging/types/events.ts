/**
 * The public shapes of delivery events (Ppoppo's Messaging reference; event names as the official crates show them).
 * Retention, heartbeat and duplicates of the stream are not published, so nothing here depends on them.
 */

/** What happened. What the server may add later comes through as `'unknown'`. */
export type MessagingEventType =
  | 'recipient_delivered'
  | 'recipient_failed'
  /** The person has never had a message of this app, and is asked first; the answer comes within about 24 hours. */
  | 'recipient_pending_consent'
  | 'consent_granted'
  | 'consent_denied'
  | 'request_completed'
  | 'poll_response_received'
  | 'unknown'

/** One event of the app's stream. */
export interface MessagingEvent {
  /** Where the stream can be taken up again. */
  readonly eventId: string
  readonly sendRequestId: string
  readonly type: MessagingEventType
  /** Whom it is about, where it is about one. */
  readonly recipient?: { readonly ppnum: string; readonly messageId?: string; readonly errorCode?: string }
  /** Only with `request_completed`. */
  readonly summary?: { readonly delivered: number; readonly failed: number }
  /**
   * When it happened, by the server's clock. Where what the server says cannot be read, the time in `eventId` (a ULID);
   * where that is none either, when the event came here. Always a valid date.
   */
  readonly occurredAt: Date
}

/** How the connection of a stream fares, for logs and metrics. What these throw is ignored. */
export interface StreamCallbacks {
  /** The first connection. */
  readonly onConnected?: (state: { readonly after?: string }) => void
  /** The stream ended, which is normal life: it is opened again. `recycled`: ended by us, on purpose. */
  readonly onDisconnected?: (state: {
    readonly reason: 'ended' | 'failed' | 'recycled'
    readonly after?: string
    readonly error?: Error
  }) => void
  /** A later connection. `downMs`: how long there was none. */
  readonly onResumed?: (state: { readonly after?: string; readonly downMs: number }) => void
  /** There has been no connection for `staleAfterMs`; what was shown may be old. Once, until `onResumed`. */
  readonly onStale?: (state: { readonly downMs: number; readonly error?: Error }) => void
}

/** What one may ask of a stream. */
export interface StreamOptions extends StreamCallbacks {
  /** Only events of this send. @default those of the whole app */
  readonly sendRequestId?: string
  /** The event to go on after. @default what the server gives to a new reader: not published */
  readonly after?: string
  /** How long a stream lives before it is opened anew, in milliseconds, plus or minus a fifth. @default 600_000 */
  readonly recycleMs?: number
  /** Without a connection for so long `onStale` is called, in milliseconds. @default 30_000 */
  readonly staleAfterMs?: number
}

/** Options of `events()`. */
export interface EventsOptions extends StreamOptions {
  readonly signal?: AbortSignal
}
