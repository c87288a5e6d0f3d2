/**
 * The public shapes of the Messaging API: plain objects, camelCase, dates as `Date`, ids as strings, enum values as
 * lower-case strings. Facts: Ppoppo's Messaging reference and the official crates; what the server may add later comes
 * through as `'unknown'`.
 */
import type { ConsumeOptions, Consumer, DeadLetters } from './consumer.js'
import type { EventsOptions, MessagingEvent } from './events.js'
import type { SendReceipt, SendRequest, SendStatusValue } from './send.js'
import type { SendManyReport, SendManyRequest } from './send-many.js'

export type * from './send.js'
export type * from './send-many.js'

/** Options of every call. */
export interface CallOptions {
  readonly signal?: AbortSignal
  /** For the call as a whole, repeats included, in milliseconds. @default 20,000 */
  readonly deadlineMs?: number
}

/** How a send stands. */
export interface SendStatus {
  readonly id: string
  readonly status: SendStatusValue
  readonly total: number
  readonly delivered: number
  /** Waiting for the person's consent to a first message; about 24 hours. */
  readonly pendingConsent: number
  readonly failed: number
}

export type TemplateComponentType = 'text' | 'divider' | 'button' | 'image' | 'poll'

/** A part of a template. Which members belong to which type: `text` content; `button` label, url; `image` url, alt; `poll` question, options. */
export interface TemplateComponent {
  readonly type: TemplateComponentType
  readonly content?: string
  readonly label?: string
  /** `https:` or `http:`; placeholders after the host only. */
  readonly url?: string
  readonly alt?: string
  readonly question?: string
  readonly options?: readonly string[]
}

/** A template to create. */
export interface TemplateRequest {
  readonly name: string
  readonly components: readonly TemplateComponent[]
}

/** A template as the server keeps it. */
export interface Template {
  readonly id: string
  readonly name: string
  readonly isActive: boolean
  readonly version: number
  /** Absent where the server's time cannot be read. */
  readonly createdAt?: Date
}

/** The answers to a poll, counted. */
export interface PollResults {
  readonly pollId: string
  readonly question: string
  readonly results: readonly { readonly optionText: string; readonly count: number; readonly percentage: number }[]
  readonly totalResponses: number
}

/** One answer to a poll. */
export interface PollResponse {
  readonly responderPpnum: string
  readonly selectedOption: string
  /** Absent where the server's time cannot be read. */
  readonly respondedAt?: Date
}

/** The app the credentials belong to. */
export interface AppStats {
  readonly id: string
  readonly name: string
  readonly tier: string
  readonly isActive: boolean
  readonly rateLimitPerMin: number
  readonly monthlyMessageLimit?: number
  readonly currentMonthUsage: number
  readonly allowedIps: readonly string[]
  /** Absent where it was never used, or the server's time cannot be read. */
  readonly lastUsedAt?: Date
  readonly systemPpnum: string
}

/** Whether messages can be sent now. */
export interface MessagingHealth {
  readonly ok: boolean
  /** gRPC connectivity: `ready`, `idle`, `connecting`, `transient_failure`, `shutdown`. */
  readonly channel: string
  /** Whether a token is at hand, or was fetched for this check. */
  readonly hasToken: boolean
  /** What is wrong, where something is: one line that names the fix. */
  readonly error?: Error
}

/** The Messaging API. One per process and endpoint; safe to share. */
export interface Messaging {
  send(request: SendRequest, options?: CallOptions): Promise<SendReceipt>
  sendMany(request: SendManyRequest, options?: Pick<CallOptions, 'signal' | 'deadlineMs'>): Promise<SendManyReport>
  status(id: string, options?: CallOptions): Promise<SendStatus>
  /** Asks until the send is `completed` or `failed`. @param options.deadlineMs for all of it. @default 10 minutes */
  waitFor(id: string, options?: CallOptions): Promise<SendStatus>
  readonly templates: { create(request: TemplateRequest, options?: CallOptions): Promise<Template> }
  readonly polls: {
    results(pollId: string, options?: CallOptions): Promise<PollResults>
    /** All answers, page by page as they are read. */
    responses(pollId: string, options?: CallOptions): AsyncIterable<PollResponse>
  }
  readonly app: { stats(options?: CallOptions): Promise<AppStats> }
  /**
   * What becomes of messages, as it happens, for as long as one reads: the stream is opened again after every end, from
   * the last event handed out. Ends with `break`, with the signal and with `close()`.
   * @throws while reading: `permission_denied`, `credentials_rejected`, `messaging_misconfigured`, `cursor_lost`, ...
   */
  events(options?: EventsOptions): AsyncIterableIterator<MessagingEvent>
  /**
   * Handles every event at least once, in one of all the processes that call this with one name and one Redis. What was
   * not handled when a process dies, another one handles.
   * @throws `request_invalid` for options it does not know
   */
  consume(options: ConsumeOptions): Consumer
  /** The events that consumers of a name could not handle. */
  deadLetters(name: string): DeadLetters
  health(options?: CallOptions): Promise<MessagingHealth>
  /** Stops consumers, ends calls and streams under way and closes the channel. Idempotent. */
  close(): Promise<void>
}
