/** The public types of campaigns. */
import type { Queue } from 'bullmq'
import type { PpoppoErrorCode } from '../errors.js'
import type { MessagingEvent } from '../messaging/types/events.js'
import type { Messaging, PollConfig, Recipient, TemplateSendManyRequest } from '../messaging/types/methods.js'
import type { RedisSource } from '../store/redis/client.js'

/** Options of {@link createCampaigns}. */
export interface CampaignsOptions {
  /** The client that sends: `createMessaging()`, or `auth.messaging`. It is not closed. */
  readonly messaging: Pick<Messaging, 'send' | 'status' | 'health'>
  /** An ioredis client or Cluster (duplicated, never closed), or a URL. @default `REDIS_URL` */
  readonly redis?: RedisSource
  /**
   * Encrypts recipients in Redis; the same keys as for sign-ins. The first seals, all open. With `NODE_ENV=production` they are
   * required; else one is made and kept in Redis, for development only. @default `PPOPPO_VAULT_KEYS`
   */
  readonly vaultKeys?: string | readonly string[]
  /** Calls per minute that your app may make, over all processes: `app.stats()` has it as `rateLimitPerMin`. */
  readonly perMinute: number
  /** The part of `perMinute` that campaigns may use, above 0 and at most 1; the rest is left to other sends. @default 1 */
  readonly share?: number
  /** What every Redis key begins with, in braces. @default 'ppoppo:' */
  readonly keyPrefix?: string
  /** Called with warnings for an operator, such as that Redis evicts keys. @default `process.emitWarning` */
  readonly onWarning?: (text: string) => void
}

/** Hours of the day in which messages may be sent. */
export interface CampaignWindow {
  /** Local time, `HH:MM`, e.g. `'09:00'`. */
  readonly from: string
  /** Local time, `HH:MM`; before `from` it is a time on the next day. `'24:00'` is midnight. */
  readonly to: string
  /** IANA name, e.g. `'Asia/Seoul'`: for recipients for which `timeZoneOf` gives none. */
  readonly timeZone: string
}

/** A campaign to create. */
export interface CampaignRequest {
  /** Yours: 1 to 100 characters of `A-Z a-z 0-9 _ . -`. */
  readonly id: string
  /** Id of a template of this app. */
  readonly templateId: string
  /** Read once, to the end. Each ppnum is kept once; the first one wins. */
  readonly recipients: Iterable<Recipient> | AsyncIterable<Recipient>
  /** Only for a template that contains a poll. */
  readonly poll?: PollConfig
  /** Nothing is sent before. @default at once */
  readonly startAt?: Date
  /** Nothing is sent outside of these hours. @default any time */
  readonly window?: CampaignWindow
  /** Time zone (IANA name) of a recipient, for `window`. @default `window.timeZone` */
  readonly timeZoneOf?: (recipient: Recipient) => string | undefined
}

/** A {@link CampaignRequest} whose vars are checked by the schema of `defineTemplate()` when it is created. */
export interface TemplateCampaignRequest<Vars = unknown>
  extends Omit<CampaignRequest, 'templateId' | 'recipients'>,
    Pick<TemplateSendManyRequest<Vars>, 'template' | 'templateId' | 'recipients'> {}

/**
 * - `preparing`: `create()` is reading the recipients
 * - `scheduled`: `startAt` is still to come
 * - `running`
 * - `resting`: Ppoppo asked to wait, or does not answer, or it is outside of the window everywhere; continues automatically
 * - `paused`: by `pause()`
 * - `cancelling`: by `cancel()`; waits for sends in flight
 * - `cancelled`: nothing more will be sent
 * - `finished`: every chunk has an outcome
 * - `stopped`: by a failure that every further send would meet; `reason` says which. `resume()` goes on.
 */
export type CampaignState =
  | 'preparing'
  | 'scheduled'
  | 'running'
  | 'resting'
  | 'paused'
  | 'cancelling'
  | 'cancelled'
  | 'finished'
  | 'stopped'

/** Why a campaign rests or has stopped. */
export interface CampaignReason {
  /** Code of the error; `window`: it is outside of the hours; `filter_failed`: a filter threw, or took too long. */
  readonly code: PpoppoErrorCode | 'window' | 'filter_failed'
  /** One line. */
  readonly message: string
  /** When it continues automatically, if that is known. */
  readonly until?: Date
}

/** How far a campaign is. All counts are recipients. */
export interface CampaignProgress {
  /** The campaign's id. */
  readonly id: string
  readonly state: CampaignState
  /** With `resting` and `stopped`. */
  readonly reason?: CampaignReason
  /** Recipients, each ppnum once. While `preparing`: how many have been read. */
  readonly total: number
  /** Ppoppo accepted the send. */
  readonly accepted: number
  /** Ppoppo refused the send. */
  readonly rejected: number
  /** Left out by `filters`. */
  readonly filtered: number
  /** The outcome of the send is unknown; see {@link Campaign.unknown}. */
  readonly unknown: number
  /** Recipients without an outcome yet. */
  readonly left: number
  /** Recipients settled per minute recently. */
  readonly perMinute: number
  /** When it will be done at this rate. Absent unless it is running. */
  readonly doneAt?: Date
}

/** A chunk with an unknown outcome: its worker died, or PCS did not answer. It is never sent again automatically. */
export interface UnknownChunk {
  /** Pass it to {@link Campaign.settle}. */
  readonly index: number
  /** Its recipients, as they were sent. */
  readonly recipients: readonly Recipient[]
  /** When it was marked as unknown. */
  readonly since: Date
}

/** A handle on one campaign. It holds no connection, so create as many as you like. */
export interface Campaign {
  /** The campaign's id. */
  readonly id: string
  /** Starts no further send until `resume()`. No effect on a campaign that has ended. @throws `not_found` */
  pause(): Promise<void>
  /** Continues after `pause()`, or after a failure stopped it. @throws `not_found` */
  resume(): Promise<void>
  /** Ends it: no call begins more than a second later, and the recipients that are left are deleted. @throws `not_found` */
  cancel(): Promise<void>
  /** How far it is now. @throws `not_found` */
  show(): Promise<CampaignProgress>
  /**
   * How far it is, whenever that has changed, looked up every `everyMs`. Ends after the last state (`finished`, `cancelled`).
   * @param options.everyMs @default 1_000
   * @throws `not_found`; `store_unavailable` counts only after a minute
   */
  progress(options?: {
    readonly signal?: AbortSignal
    readonly everyMs?: number
  }): AsyncIterableIterator<CampaignProgress>
  /** The chunks with an unknown outcome, oldest first. @throws `not_found`; `config_invalid` without the vault key */
  unknown(): AsyncIterableIterator<UnknownChunk>
  /**
   * Decides about a chunk with an unknown outcome. `not-sent` sends it again: be sure, because if it was sent after all, these
   * people get the message twice.
   * @throws `not_found` for a chunk whose outcome is known
   */
  settle(index: number, verdict: 'sent' | 'not-sent'): Promise<void>
}

/** Called right before a chunk is sent. @returns the recipients that get the message */
export type CampaignFilter = (
  recipients: readonly Recipient[],
  context: { readonly campaignId: string; readonly signal: AbortSignal },
) => readonly Recipient[] | Promise<readonly Recipient[]>

/** Options of {@link Campaigns.work}. */
export interface CampaignWorkOptions {
  /** Chunks that this process handles at a time. @default 4 */
  readonly concurrency?: number
  /** By campaign id. One that throws, or takes longer than 60 seconds, stops its campaign. */
  readonly filters?: Readonly<Record<string, CampaignFilter>>
  /** How long `close()` waits for sends in flight, in milliseconds. @default 25_000 */
  readonly drainMs?: number
}

/** A worker of this process. */
export interface CampaignWork {
  /** Resolves after `close()`. */
  readonly closed: Promise<void>
  /** Starts nothing new, and waits for sends in flight. Idempotent. */
  close(): Promise<void>
}

/** Campaigns of one app. Safe to share; create one per process. */
export interface Campaigns {
  /**
   * Reads the recipients to the end, and keeps them encrypted in Redis until they are sent. The same id with the same content
   * is the same campaign, however often and wherever it is created.
   * @throws `request_invalid`; `campaign_conflict` (409) for the same id with another content; `recipients_source_failed`
   * @example const campaign = await campaigns.create({ id: 'autumn-2026', templateId, recipients: readCsv('people.csv') })
   */
  create<Vars>(request: CampaignRequest | TemplateCampaignRequest<Vars>): Promise<Campaign>
  /** A campaign by its id. Does not check that it exists; its methods do. */
  get(id: string): Campaign
  /** All campaigns, newest first, including those that have ended. @param options.limit @default 100 */
  list(options?: { readonly limit?: number }): Promise<readonly CampaignProgress[]>
  /**
   * Sends in this process, along with every other process that calls it. One worker per process.
   * @throws `config_invalid` without `bullmq`, or with one that is too old
   */
  work(options?: CampaignWorkOptions): CampaignWork
  /**
   * Call it with each event from `messaging.consume()`: an event about somebody in a chunk with an unknown outcome
   * proves that the chunk was sent. Costs nothing while there is none.
   * @returns whether the event settled a chunk
   */
  learn(event: MessagingEvent): Promise<boolean>
  /** The BullMQ queue, for dashboards. It holds nothing about recipients. @throws `config_invalid` without `bullmq` */
  readonly queue: Queue
  /** Stops the worker and closes its connections. Idempotent. */
  close(): Promise<void>
}
