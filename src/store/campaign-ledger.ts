/** A state as the ledger has it. `gone`: there is no such campaign; `newer`: a later version of the library made it. */
export type LedgerState =
  | 'gone'
  | 'newer'
  | 'preparing'
  | 'running'
  | 'paused'
  | 'stopped'
  | 'cancelling'
  | 'cancelled'
  | 'finished'

/** What the ledger knows about a campaign. Times are milliseconds since the epoch, sizes are recipients. */
export interface CampaignRecord {
  readonly state: LedgerState
  /** JSON, as it was committed. */
  readonly settings?: string
  /** Sealed. */
  readonly digest?: string
  /** JSON `{ code, message }`. */
  readonly reason?: string
  readonly createdAt: number
  readonly startedAt?: number
  readonly endedAt?: number
  readonly total: number
  readonly chunks: number
  readonly accepted: number
  readonly rejected: number
  readonly filtered: number
  readonly unknown: number
  readonly hasAccepted: boolean
}

/** The state of a chunk, by its claim. */
export interface ClaimedChunk {
  readonly id: string
  readonly index: number
  readonly claim: string
}

/** The outcome of a chunk. */
export interface Settlement {
  readonly outcome: 'accepted' | 'rejected' | 'filtered' | 'unknown' | 'planned'
  /** The send's id, or the error code. */
  readonly word: string
  readonly size: number
  readonly filtered: number
  /** How long all campaigns rest now. @default 0 */
  readonly restMs?: number
  /** JSON `{ code, message }`: the campaign stops. */
  readonly stopReason?: string
}

/** An entry of the ledger whose outcome is unknown. */
export interface UnknownEntry {
  readonly index: number
  readonly size: number
  readonly filtered: number
  readonly at: number
  /** Sealed. */
  readonly chunk?: string
}

/** How fast all workers together may call. */
export interface CallRate {
  /** The most calls that may arrive in any 60 seconds; a whole number. */
  readonly perMinute: number
  /** Milliseconds between two calls, as a rule. */
  readonly intervalMs: number
}

/** Whether the next call may begin. */
export interface Pace {
  readonly may: 'slot' | 'wait' | 'rest'
  /** Milliseconds until the slot, or until it is worth asking again. */
  readonly inMs: number
}

/** What a worker learns when it reports. */
export interface Turn {
  /** The concurrency of all live workers. */
  readonly capacity: number
  /** Whether this one hands out chunks now. */
  readonly isFeeder: boolean
}

/** The ledger of campaigns, in Redis. Its methods throw `store_unavailable`, and `closed`. */
export interface CampaignLedger {
  /** Prefix for the keys of a queue beside it; in braces, so that a Cluster keeps all of them in one slot. */
  readonly queuePrefix: string
  open(id: string): Promise<'new' | LedgerState>
  draft(id: string, token: string, soFar: number, chunks: readonly (readonly [number, string])[]): Promise<void>
  abandon(id: string, token: string): Promise<void>
  commit(id: string, token: string, campaign: NewCampaign): Promise<'created' | 'lost' | LedgerState>
  read(id: string): Promise<CampaignRecord>
  /** Newest first. */
  list(most: number): Promise<readonly string[]>
  active(): Promise<readonly string[]>
  /** Cleans up after dead workers. @returns the first planned chunks of the open zones */
  tick(
    id: string,
    openZones: string,
    most: number,
  ): Promise<{ readonly state: LedgerState; readonly indexes: readonly number[] }>
  /** Whether there is anything to do now: planned in one of these zones, or in a worker's hands. */
  hasWork(id: string, openZones: string): Promise<boolean>
  take(
    chunk: ClaimedChunk,
    openZones: string,
    mostHeld: number,
  ): Promise<{ readonly answer: string; readonly chunk?: string }>
  begin(
    chunk: ClaimedChunk,
    openZones: string,
    sizes: Pick<Settlement, 'size' | 'filtered'>,
    rate: CallRate,
  ): Promise<{ readonly answer: string; readonly waitMs: number }>
  /** @returns whether the claim was still good */
  settle(chunk: ClaimedChunk, settlement: Settlement): Promise<boolean>
  split(
    chunk: ClaimedChunk,
    known: number,
    filtered: number,
    code: string,
    halves: readonly [string, string],
  ): Promise<'split' | 'lost' | number>
  set(id: string, wish: 'pause' | 'resume' | 'cancel'): Promise<LedgerState>
  judge(
    id: string,
    index: number,
    verdict: 'sent' | 'not-sent',
    sendId: string,
  ): Promise<'settled' | 'other' | 'gone' | 'newer'>
  unknown(id: string, from: number, count: number): Promise<readonly UnknownEntry[]>
  /** Whether a send of this id is in the ledger of a campaign. */
  hasSend(id: string, sendId: string): Promise<boolean>
  pace(rate: CallRate, isTaking: boolean): Promise<Pace>
  rests(): Promise<{ readonly until: number; readonly code: string } | undefined>
  /** How many recipients were settled in the last minute. */
  perMinute(id: string): Promise<number>
  /** @param concurrency 0: this worker stops */
  seen(worker: string, concurrency: number, turnMs: number): Promise<Turn>
  /** The key of all processes, for development: the one that is there, else this one. */
  shareKey(key: string): Promise<string>
  readWarning(): Promise<string | undefined>
  close(): Promise<void>
}

/** What `commit` writes. */
export interface NewCampaign {
  readonly settings: string
  readonly digest: string
  readonly total: number
  /** The zone of each chunk. */
  readonly zones: readonly number[]
}
