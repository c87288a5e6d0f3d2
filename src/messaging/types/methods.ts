/**
 * The public types of the Messaging API: plain objects, camelCase, dates as `Date`, ids as strings, enum values as
 * lower-case strings. Source: Ppoppo's Messaging reference and the official crates. Enum values that the server may add
 * later arrive as `'unknown'`.
 */
import type { ConsumeOptions, Consumer, DeadLetters } from './consumer.js'
import type { EventsOptions, MessagingEvent } from './events.js'
import type { SendReceipt, SendRequest, SendStatusValue } from './send.js'
import type { SendManyReport, SendManyRequest } from './send-many.js'
import type { TemplateSendManyRequest, TemplateSendRequest } from './template.js'

export type * from './send.js'
export type * from './send-many.js'
export type * from './template.js'

/** Options of every call. */
export interface CallOptions {
  /** Aborts the call. A send that was already under way may still be accepted. */
  readonly signal?: AbortSignal
  /** For the whole call including retries, in milliseconds. @default 20,000 */
  readonly deadlineMs?: number
  /**
   * If PCS asks to wait: `wait` retries after that time, within the deadline; `fail` rejects at once with `rate_limited` and
   * `retryAfterMs`, for a queue that plans its own retries. @default 'wait'
   */
  readonly rateLimit?: 'wait' | 'fail'
}

/** State of a send. */
export interface SendStatus {
  /** Id of the send. */
  readonly id: string
  /** State of the send as a whole. */
  readonly status: SendStatusValue
  /** Number of recipients. */
  readonly total: number
  /** Number of recipients that got the message. */
  readonly delivered: number
  /** Number of recipients who have not yet consented to a first message; they have about 24 hours. */
  readonly pendingConsent: number
  /** Number of recipients that did not get the message. */
  readonly failed: number
}

/** Kind of a {@link TemplateComponent}. */
export type TemplateComponentType = 'text' | 'divider' | 'button' | 'image' | 'poll'

/** A part of a template. `type` decides which members it has. */
export interface TemplateComponent {
  /** Kind of the component. */
  readonly type: TemplateComponentType
  /** `text`: the text, with placeholders such as `{{name}}`. */
  readonly content?: string
  /** `button`: its caption. */
  readonly label?: string
  /** `button`, `image`: an `https:` or `http:` URL; placeholders only after the host. */
  readonly url?: string
  /** `image`: its alternative text. */
  readonly alt?: string
  /** `poll`: the question. */
  readonly question?: string
  /** `poll`: the answers to choose from. */
  readonly options?: readonly string[]
}

/** A template to create. */
export interface TemplateRequest {
  /** Unique within the app. */
  readonly name: string
  /** Its parts, top to bottom. */
  readonly components: readonly TemplateComponent[]
}

/** A template on the server. */
export interface Template {
  /** Pass it to `send()` as `templateId`. */
  readonly id: string
  /** Its name. */
  readonly name: string
  /** Whether it can be sent. */
  readonly isActive: boolean
  /** Version, as counted by the server. */
  readonly version: number
  /** When it was created; absent if the server's timestamp cannot be read. */
  readonly createdAt?: Date
}

/** The counted answers to a poll. */
export interface PollResults {
  /** Id of the poll. */
  readonly pollId: string
  /** The question. */
  readonly question: string
  /** One entry for each option. */
  readonly results: readonly {
    /** The option as it is displayed. */
    readonly optionText: string
    /** How often it was chosen. */
    readonly count: number
    /** Its share as the server computes it, 0 to 100. */
    readonly percentage: number
  }[]
  /** Number of answers. */
  readonly totalResponses: number
}

/** One answer to a poll. */
export interface PollResponse {
  /** Who answered. */
  readonly responderPpnum: string
  /** The option they chose. */
  readonly selectedOption: string
  /** When they answered; absent if the server's timestamp cannot be read. */
  readonly respondedAt?: Date
}

/** The app that the credentials belong to. */
export interface AppStats {
  /** Id of the app. */
  readonly id: string
  /** Name of the app. */
  readonly name: string
  /** Its plan, in the server's own words. */
  readonly tier: string
  /** Whether it may send. */
  readonly isActive: boolean
  /** Number of calls allowed per minute. */
  readonly rateLimitPerMin: number
  /** Number of messages allowed per month; absent if the server reports none. */
  readonly monthlyMessageLimit?: number
  /** Number of messages sent this month. */
  readonly currentMonthUsage: number
  /** Addresses that calls may come from, as the server lists them. */
  readonly allowedIps: readonly string[]
  /** When it was last used; absent if never, or if the server's timestamp cannot be read. */
  readonly lastUsedAt?: Date
  /** The app's own ppnum, as the server reports it. */
  readonly systemPpnum: string
}

/** Whether messages can be sent at the moment. */
export interface MessagingHealth {
  /** Whether there is a connection and a token. */
  readonly ok: boolean
  /** gRPC connectivity: `ready`, `idle`, `connecting`, `transient_failure`, `shutdown`. */
  readonly channel: string
  /** Whether there is a token, fetched for this check if necessary. */
  readonly hasToken: boolean
  /** What is wrong, if anything: one line that names the fix. */
  readonly error?: Error
}

/** The Messaging API. Safe to share; create one per process and endpoint. */
export interface Messaging {
  /**
   * Sends a template to up to 1,000 recipients. PCS has no idempotency key, so a send is retried only if it provably never
   * reached the server; otherwise it fails with `send_outcome_unknown`. With `template` of `defineTemplate()` instead of
   * `templateId`, the schema checks the vars of each recipient first.
   * @throws `request_invalid`, `not_found`, `rate_limited`, `send_outcome_unknown`, `deadline_exceeded`, ...
   * @example await messaging.send({ templateId, recipients: [{ ppnum: '12312345678', vars: { name: 'Alex' } }] })
   */
  send<Vars>(request: SendRequest | TemplateSendRequest<Vars>, options?: CallOptions): Promise<SendReceipt>
  /**
   * Sends a template to any number of recipients in chunks, and reports the outcome of each. If the source throws or the run
   * is aborted, it rejects and `error.report` holds the partial result. To resume, pass the same list with the report's
   * `resumeFrom`, `skipChunks` and `resumeParts`.
   * @throws `SendManyError`, `SendManyAbortError`, `request_invalid`
   * @example const report = await messaging.sendMany({ templateId, recipients: readRecipients('list.csv') })
   */
  sendMany<Vars>(
    request: SendManyRequest | TemplateSendManyRequest<Vars>,
    options?: Pick<CallOptions, 'signal' | 'deadlineMs'>,
  ): Promise<SendManyReport>
  /**
   * State of a send.
   * @throws `not_found`, `messaging_unavailable`, ...
   * @example const { delivered, failed } = await messaging.status(receipt.id)
   */
  status(id: string, options?: CallOptions): Promise<SendStatus>
  /**
   * Polls until the send is `completed` or `failed`.
   * @param options.deadlineMs for the whole wait @default 10 minutes
   * @throws `deadline_exceeded`, and what `status` throws
   * @example const final = await messaging.waitFor(receipt.id, { deadlineMs: 60_000 })
   */
  waitFor(id: string, options?: Pick<CallOptions, 'signal' | 'deadlineMs'>): Promise<SendStatus>
  /** Message templates. */
  readonly templates: {
    /**
     * Creates a template.
     * @throws `template_name_taken`, `request_invalid`, ...
     * @example await messaging.templates.create({ name: 'hello', components: [{ type: 'text', content: 'Hi {{name}}' }] })
     */
    create(request: TemplateRequest, options?: CallOptions): Promise<Template>
  }
  /** Answers to polls. */
  readonly polls: {
    /** The counted answers. @throws `not_found` @example const { totalResponses } = await messaging.polls.results(pollId) */
    results(pollId: string, options?: CallOptions): Promise<PollResults>
    /**
     * All answers; pages are fetched as they are read.
     * @example for await (const { selectedOption } of messaging.polls.responses(pollId)) count(selectedOption)
     */
    responses(pollId: string, options?: CallOptions): AsyncIterable<PollResponse>
  }
  /** The app that the credentials belong to. */
  readonly app: {
    /** Limits and usage. @example const { currentMonthUsage } = await messaging.app.stats() */
    stats(options?: CallOptions): Promise<AppStats>
  }
  /**
   * Streams delivery events as they happen. The stream is reopened after every disconnect, behind the last event handed
   * out. Ends with `break`, with the signal, and with `close()`.
   * @throws while iterating: `permission_denied`, `credentials_rejected`, `messaging_misconfigured`, `cursor_lost`, ...
   * @example for await (const event of messaging.events({ sendRequestId: receipt.id })) console.log(event.type)
   */
  events(options?: EventsOptions): AsyncIterableIterator<MessagingEvent>
  /**
   * Handles every event at least once, in one of all the processes that call this with the same name and Redis. Events that
   * a process had not finished when it died are handled by another one.
   * @throws `request_invalid` for invalid options
   * @example const consumer = messaging.consume({ name: 'deliveries', handler: (event) => save(event) })
   */
  consume(options: ConsumeOptions): Consumer
  /** The events that consumers of a name could not handle. @example await messaging.deadLetters('deliveries').list() */
  deadLetters(name: string): DeadLetters
  /** Whether messages can be sent at the moment; never rejects because they cannot. */
  health(options?: CallOptions): Promise<MessagingHealth>
  /** Stops consumers, aborts calls and streams, and closes the channel. Idempotent. */
  close(): Promise<void>
}
