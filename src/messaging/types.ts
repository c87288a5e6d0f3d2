/**
 * The public shapes of the Messaging API: plain objects, camelCase, dates as `Date`, ids as strings, enum values as
 * lower-case strings. Facts: Ppoppo's Messaging reference and the official crates; what the server may add later comes
 * through as `'unknown'`.
 */
import type { PpoppoErrorCode } from '../errors.js'
import type { ConsumeOptions, Consumer, DeadLetters } from './consumer-types.js'
import type { EventsOptions, MessagingEvent } from './event-types.js'

/** Plain data for the placeholders of a template: what a protobuf `Struct` can hold. */
export type TemplateVars = { readonly [name: string]: TemplateValue }
/** `Date`, functions, `undefined`, `NaN` and cycles are refused with the path of the value. */
export type TemplateValue = string | number | boolean | null | readonly TemplateValue[] | TemplateVars

/** Someone to send to. */
export interface Recipient {
  /** 11 digits or more, as on the wire. */
  readonly ppnum: string
  readonly vars?: TemplateVars
}

/** For templates with a poll. */
export interface PollConfig {
  /** @default what the template says */
  readonly expiresInHours?: number
  /** @default false */
  readonly allowMultiple?: boolean
}

/** One send: 1 to 1,000 recipients after duplicates (by ppnum, the first wins) are dropped. */
export interface SendRequest {
  readonly templateId: string
  readonly recipients: readonly Recipient[]
  readonly poll?: PollConfig
}

/** Options of every call. */
export interface CallOptions {
  readonly signal?: AbortSignal
  /** For the call as a whole, repeats included, in milliseconds. @default 20,000 */
  readonly deadlineMs?: number
}

export type SendStatusValue = 'queued' | 'processing' | 'completed' | 'failed' | 'unknown'

/** The server has accepted the send; what becomes of it for each recipient is told by status and events. */
export interface SendReceipt {
  readonly id: string
  readonly status: SendStatusValue
  readonly totalRecipients: number
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

/** A send of any size. */
export interface SendManyRequest extends Omit<SendRequest, 'recipients'> {
  /** Read only as far as needed. */
  readonly recipients: Iterable<Recipient> | AsyncIterable<Recipient>
  /** Sends under way at a time. @default 4 */
  readonly concurrency?: number
  /**
   * Recipients per send, 1 to 1,000. A run that is resumed must use the same. Where a chunk is too large in bytes for PCS
   * or a gateway, it is sent in parts. @default 1000
   */
  readonly chunkSize?: number
  /** Index of the first chunk to send: chunks before it are read, counted as duplicates' witnesses, and not sent. */
  readonly resumeFrom?: number
  /** Indexes of chunks after `resumeFrom` that are not sent either: the earlier report's `skipChunks`. */
  readonly skipChunks?: readonly number[]
  /** Parts of such chunks that are sent all the same: the earlier report's `resumeParts`. */
  readonly resumeParts?: readonly ResumePart[]
  /**
   * What a recipient that is wrong in itself does (a malformed ppnum, vars that cannot be sent). `fail`: the run ends with
   * `request_invalid`. `skip`: it is left out and reported in `invalidRecipients`. One that PCS refuses is found and
   * reported either way. @default 'fail'
   */
  readonly onInvalidRecipient?: 'fail' | 'skip'
  /**
   * How long PCS may be away before the run ends, in milliseconds. Meanwhile the run is paused, and what surely was not
   * sent is retried. 0: it ends at the first failure of this kind. @default 300_000
   */
  readonly patienceMs?: number
  /**
   * Called after each chunk, one call at a time; a promise is waited for before another chunk takes this one's place,
   * so it may write down where to go on. What it throws ends the run as an abort does. Also called when PCS does not
   * answer and the run is paused: then `paused` says why, and `chunk` is one that is retried.
   */
  readonly onProgress?: (progress: SendManyProgress) => void | Promise<void>
}

/** Recipients of a chunk, by their place in it: from `from` up to, not including, `to`. */
export interface ResumePart {
  /** Index of the chunk. */
  readonly chunk: number
  readonly from: number
  readonly to: number
}

/** One chunk of a {@link SendManyReport}. */
export interface ChunkReport {
  /** Counts from 0 in the order of reading, also in a run that was resumed. */
  readonly index: number
  /** Recipients of this chunk that this run was to send to. */
  readonly recipients: number
  /** Accepted. Of a chunk in parts: of the first one that was accepted. */
  readonly receipt?: SendReceipt
  /** Not accepted, or (`send_outcome_unknown`) perhaps accepted. Of a chunk in parts: of the first one that was not. */
  readonly error?: Error
  /** Where it was sent in more than one call: it was too large, or PCS refused one of its recipients. */
  readonly parts?: readonly ChunkPart[]
}

/** What became of a part of a chunk. */
export interface ChunkPart {
  /** Place of its first recipient in the chunk. */
  readonly from: number
  readonly recipients: number
  readonly receipt?: SendReceipt
  readonly error?: Error
}

/** A recipient that cannot be sent to. */
export interface InvalidRecipient {
  /** Its index in the whole list. */
  readonly index: number
  /** Absent where that is what is wrong with it. */
  readonly ppnum?: string
  /** `request_invalid`, or `not_found`: PCS does not know it. */
  readonly code: PpoppoErrorCode
}

/** What became of a send of any size. */
export interface SendManyReport {
  /** In order of `index`. */
  readonly chunks: readonly ChunkReport[]
  /** Recipients that were accepted. */
  readonly accepted: number
  /** Recipients that surely were not accepted, `invalid` ones included. */
  readonly rejected: number
  /** Recipients of whom nobody knows (`send_outcome_unknown`). */
  readonly unknown: number
  /** Recipients left out because their ppnum had been seen. */
  readonly duplicates: number
  /** Recipients left out on purpose: by `resumeFrom` and `skipChunks`. */
  readonly skipped: number
  /** Recipients that were read and are left over, since the run ended early. */
  readonly notSent: number
  /** How many of the `rejected` are wrong in themselves, so that sending to them again is pointless; absent: none. */
  readonly invalid?: number
  /** Which these are: the first 1,000, in the order in which they were found. */
  readonly invalidRecipients?: readonly InvalidRecipient[]
  /** Where to go on: the first index that surely was not accepted, else one past the last. */
  readonly resumeFrom: number
  /** Indexes after `resumeFrom` that must not be sent again, being accepted or perhaps accepted. In ascending order. */
  readonly skipChunks: readonly number[]
  /** Parts of chunks that `resumeFrom` and `skipChunks` leave out, which surely were not accepted; absent: none. */
  readonly resumeParts?: readonly ResumePart[]
  /** The failure that every further chunk would have met too, and for which reading stopped; absent: all was read. */
  readonly stoppedBy?: Error
}

/** Progress of a send of any size: the report so far, without its chunks. */
export type SendManyProgress = Omit<SendManyReport, 'chunks' | 'invalidRecipients'> & {
  readonly chunk: ChunkReport
  /** There while PCS does not answer and the run waits for it; `error` says what it met. */
  readonly paused?: { readonly error: Error; readonly since: Date }
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
