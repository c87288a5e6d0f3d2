/** The public types of `sendMany`: the request, its progress, and the report. */
import type { PpoppoErrorCode } from '../../errors.js'
import type { Recipient, SendReceipt, SendRequest } from './send.js'

/** A send to any number of recipients. */
export interface SendManyRequest extends Omit<SendRequest, 'recipients'> {
  /** Read lazily, only as far ahead as needed. */
  readonly recipients: Iterable<Recipient> | AsyncIterable<Recipient>
  /** Number of sends in flight at the same time. @default 4 */
  readonly concurrency?: number
  /**
   * Recipients per send, 1 to 1,000. A resumed run must use the same value. A chunk that is too large in bytes for PCS or a
   * gateway is sent in parts. @default 1000
   */
  readonly chunkSize?: number
  /** Index of the first chunk to send. Earlier chunks are read, so that duplicates are still found, but not sent. @default 0 */
  readonly resumeFrom?: number
  /** Indexes of chunks after `resumeFrom` that must not be sent either: `skipChunks` of the earlier report. @default [] */
  readonly skipChunks?: readonly number[]
  /** Parts of such chunks that are sent nevertheless: `resumeParts` of the earlier report. @default [] */
  readonly resumeParts?: readonly ResumePart[]
  /**
   * What happens if a recipient is invalid (a malformed ppnum, vars that cannot be sent). `fail`: the run stops with
   * `request_invalid`. `skip`: the recipient is left out and listed in `invalidRecipients`. A recipient that PCS rejects is
   * always found and listed. @default 'fail'
   */
  readonly onInvalidRecipient?: 'fail' | 'skip'
  /**
   * How long PCS may be unavailable before the run stops, in milliseconds. Until then the run is paused, and what provably
   * was not sent is retried. 0: the run stops at the first such failure. @default 300_000
   */
  readonly patienceMs?: number
  /**
   * Called after each chunk, one call at a time. A promise is awaited before the next chunk starts, so the callback can save
   * the progress. If it throws, the run is aborted. Also called when the run is paused because PCS is unavailable: then
   * `paused` holds the reason, and `chunk` is one that will be retried.
   */
  readonly onProgress?: (progress: SendManyProgress) => void | Promise<void>
}

/** Some recipients of a chunk, by their position in it: `from` (inclusive) to `to` (exclusive). */
export interface ResumePart {
  /** Index of the chunk. */
  readonly chunk: number
  /** Position of the first recipient. */
  readonly from: number
  /** Position after the last recipient. */
  readonly to: number
}

/** The result of one chunk. */
export interface ChunkReport {
  /** Counted from 0 in reading order, also in a resumed run. */
  readonly index: number
  /** Number of recipients of this chunk that this run had to send to. */
  readonly recipients: number
  /**
   * The outcome for all of its recipients. A chunk sent in parts has the worst outcome of its parts: `unknown`, else
   * `rejected`. Absent in `progress` while the run is paused, because the chunk will be sent again.
   */
  readonly outcome?: ChunkOutcome
  /** The receipt if it was accepted; for a chunk sent in parts, of the first part that was. */
  readonly receipt?: SendReceipt
  /** Why it was not accepted, or may not have been (`send_outcome_unknown`); for parts, of the first one that was not. */
  readonly error?: Error
  /** Present if it took more than one call, because it was too large or PCS rejected one of its recipients. */
  readonly parts?: readonly ChunkPart[]
}

/** The result of one part of a chunk. */
export interface ChunkPart {
  /** Position of its first recipient in the chunk. */
  readonly from: number
  /** Number of recipients. */
  readonly recipients: number
  /** The outcome for all of these recipients. */
  readonly outcome: ChunkOutcome
  /** The receipt if it was accepted. */
  readonly receipt?: SendReceipt
  /** Why it was not accepted, or may not have been. */
  readonly error?: Error
}

/**
 * `accepted` by PCS. `rejected`: provably not accepted, including a run that stopped before the chunk was sent. `unknown`: it
 * may have been accepted, so it is not sent again.
 */
export type ChunkOutcome = 'accepted' | 'rejected' | 'unknown'

/** A recipient that cannot be sent to. */
export interface InvalidRecipient {
  /** Its index in the whole list. */
  readonly index: number
  /** Its ppnum; absent if the ppnum itself is malformed. */
  readonly ppnum?: string
  /** `request_invalid`, or `not_found` if PCS does not know the recipient. */
  readonly code: PpoppoErrorCode
}

/** The result of `sendMany`. */
export interface SendManyReport {
  /** Results of the chunks, ordered by `index`. */
  readonly chunks: readonly ChunkReport[]
  /** Number of recipients that were accepted. */
  readonly accepted: number
  /** Number of recipients that provably were not accepted, including invalid ones. */
  readonly rejected: number
  /** Number of recipients with an unknown outcome (`send_outcome_unknown`). */
  readonly unknown: number
  /** Number of recipients that were dropped because their ppnum had occurred before. */
  readonly duplicates: number
  /** Number of recipients that were left out as `resumeFrom` and `skipChunks` asked. */
  readonly skipped: number
  /** Number of recipients that were read but not sent, because the run stopped early. */
  readonly notSent: number
  /** How many of `rejected` are invalid, so that sending to them again is pointless; absent if there are none. */
  readonly invalid?: number
  /** The first 1,000 invalid recipients, in the order they were found; absent if there are none. */
  readonly invalidRecipients?: readonly InvalidRecipient[]
  /** Where to resume: the first index that provably was not accepted, else one past the last. */
  readonly resumeFrom: number
  /** Indexes after `resumeFrom` that must not be sent again: accepted, or with an unknown outcome. Ascending. */
  readonly skipChunks: readonly number[]
  /** Parts of chunks before `resumeFrom` or in `skipChunks` that provably were not accepted; absent if there are none. */
  readonly resumeParts?: readonly ResumePart[]
  /** The failure that every further chunk would have met too, so that reading stopped; absent if everything was read. */
  readonly stoppedBy?: Error
}

/** Progress of `sendMany`: the report so far, without its chunks. */
export type SendManyProgress = Omit<SendManyReport, 'chunks' | 'invalidRecipients'> & {
  /** The chunk this call is about. */
  readonly chunk: ChunkReport
  /** Present while PCS is unavailable and the run waits for it. */
  readonly paused?: {
    /** The failure that paused the run. */
    readonly error: Error
    /** When the run was paused. */
    readonly since: Date
  }
}
