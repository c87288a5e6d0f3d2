/** The public shapes of `sendMany`: what is asked, what is told on the way, and what came of it. */
import type { PpoppoErrorCode } from '../../errors.js'
import type { Recipient, SendReceipt, SendRequest } from './send.js'

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
  /**
   * What became of all of its recipients; of a chunk in parts the worst there is: `unknown`, else `rejected`. Absent in
   * `progress` while the run is paused, since the chunk is sent again.
   */
  readonly outcome?: ChunkOutcome
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
  readonly outcome: ChunkOutcome
  readonly receipt?: SendReceipt
  readonly error?: Error
}

/**
 * `rejected`: provably not accepted, also where the run was ended before it was sent. `unknown`: perhaps accepted, and
 * not sent again.
 */
export type ChunkOutcome = 'accepted' | 'rejected' | 'unknown'

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
