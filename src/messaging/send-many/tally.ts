import { isPpoppoError } from '../../errors.js'
import type {
  ChunkOutcome,
  ChunkPart,
  ChunkReport,
  InvalidRecipient,
  ResumePart,
  SendManyProgress,
  SendManyReport,
  SendManyRequest,
} from '../types/methods.js'
import type { Chunk, ChunkReader } from './chunk-reader.js'
import type { Range, SentRange } from './chunk-sender.js'
import { Leftovers } from './leftovers.js'

/** This many are listed; the others are only counted. */
const MAX_INVALID = 1_000

/** A chunk whose sends have ended. */
export interface EndedChunk {
  readonly index: number
  readonly chunk: Chunk
  readonly sent: readonly SentRange[]
}

/** Counts the results of a run's chunks, in whatever order they end. */
export class SendManyTally {
  readonly #chunks: ChunkReport[] = []
  readonly #recipients: Record<SentRange['outcome'], number> = { accepted: 0, rejected: 0, unknown: 0, refused: 0 }
  readonly #reader: Pick<ChunkReader, 'unique' | 'duplicates'>
  readonly #leftovers: Leftovers
  /** Number of invalid recipients, found by our checks and by PCS. */
  #invalidHere = 0
  #invalidByPcs = 0
  readonly #invalid: InvalidRecipient[] = []
  /** Chunks with rejected single recipients, until it is known whether the request as a whole was rejected. */
  #doubtful: EndedChunk[] = []
  #started = 0
  #skipped = 0

  constructor(
    reader: Pick<ChunkReader, 'unique' | 'duplicates'>,
    from: {
      readonly resumeFrom: number
      readonly skipChunks: readonly number[]
      readonly resumeParts?: readonly ResumePart[]
    },
  ) {
    this.#reader = reader
    this.#leftovers = new Leftovers(from)
  }

  /** The ranges of a chunk to send; the rest counts as skipped. */
  plan(index: number, recipients: number): readonly Range[] {
    const ranges = this.#leftovers.rangesOf(index, recipients)
    this.#skipped += recipients - sizeOf(ranges)
    return ranges
  }

  /** Counts recipients whose send is started. */
  start(ranges: readonly Range[]): void {
    this.#started += sizeOf(ranges)
  }

  /** Counts invalid recipients that were left out. */
  noteInvalid({ count, first }: Chunk['invalid']): void {
    this.#invalidHere += count
    this.#addInvalid(first)
  }

  /** Counts a chunk whose sends have ended. @returns its report */
  settle(ended: EndedChunk): ChunkReport {
    for (const { outcome, from, to } of ended.sent) this.#recipients[outcome] += to - from
    if (ended.sent.some(({ outcome }) => outcome === 'refused')) this.#doubtful.push(ended)
    this.#leftovers.settle(ended.index, ended.chunk.recipients.length, rangesToResume(ended, true))
    if (this.hasAccepted) for (const chunk of this.#doubtful.splice(0)) this.#settleRefused(chunk)
    const report = toReport(ended)
    this.#chunks.push(report)
    return report
  }

  get hasAccepted(): boolean {
    return this.#recipients.accepted > 0
  }

  progress(chunk: ChunkReport, paused?: SendManyProgress['paused']): SendManyProgress {
    return { ...this.#counts(), chunk, ...(paused && { paused }) }
  }

  report(stoppedBy?: Error): SendManyReport {
    const chunks = this.#chunks.toSorted((one, other) => one.index - other.index)
    return {
      chunks,
      ...this.#counts(),
      ...(this.#invalid.length > 0 && { invalidRecipients: [...this.#invalid] }),
      ...(stoppedBy && { stoppedBy }),
    }
  }

  /** Others were accepted, so these recipients are invalid, and sending to them again is pointless. */
  #settleRefused(ended: EndedChunk): void {
    this.#leftovers.settle(ended.index, ended.chunk.recipients.length, rangesToResume(ended, false))
    const { rows, recipients } = ended.chunk
    this.#invalidByPcs += ended.sent.filter(({ outcome }) => outcome === 'refused').length
    for (const { from, error, outcome } of ended.sent) {
      const [index, recipient] = [rows[from], recipients[from]]
      if (outcome !== 'refused' || index === undefined || !recipient || !isPpoppoError(error)) continue
      this.#addInvalid([{ index, ppnum: recipient.ppnum, code: error.code }])
    }
  }

  #addInvalid(invalid: readonly InvalidRecipient[]): void {
    this.#invalid.push(...invalid.slice(0, MAX_INVALID - this.#invalid.length))
  }

  #counts(): Omit<SendManyReport, 'chunks' | 'invalidRecipients' | 'stoppedBy'> {
    const { accepted, rejected, unknown, refused } = this.#recipients
    const invalid = this.#invalidHere + this.#invalidByPcs
    return {
      accepted,
      rejected: rejected + refused + this.#invalidHere,
      unknown,
      duplicates: this.#reader.duplicates,
      skipped: this.#skipped,
      notSent: this.#reader.unique - this.#started - this.#skipped,
      ...(invalid > 0 && { invalid }),
      ...this.#leftovers.position(),
    }
  }
}

/** Calls `onProgress` in order, one call at a time, and not again after it has thrown. */
export class ProgressReporter {
  /** Resolves when everything reported so far has been delivered. */
  delivered: Promise<void> = Promise.resolve()
  #hasThrown = false
  readonly #onProgress: SendManyRequest['onProgress']
  readonly #onThrow: (cause: unknown) => void

  /** @param onThrow called once, with what `onProgress` threw or rejected with */
  constructor(onProgress: SendManyRequest['onProgress'], onThrow: (cause: unknown) => void) {
    this.#onProgress = onProgress
    this.#onThrow = onThrow
  }

  /** Queues a call of `onProgress`. @returns when that call and all earlier ones have ended */
  report(progress: SendManyProgress): Promise<void> {
    if (this.#onProgress === undefined) return this.delivered
    const onProgress = this.#onProgress
    this.delivered = this.delivered
      .then(() => (this.#hasThrown ? undefined : onProgress(progress)))
      .catch((cause: unknown) => {
        this.#hasThrown = true
        this.#onThrow(cause)
      })
    return this.delivered
  }
}

function sizeOf(ranges: readonly Range[]): number {
  return ranges.reduce((size, { from, to }) => size + to - from, 0)
}

/** What provably was not accepted and may be sent again. Sending the rest again may deliver a message twice. */
function rangesToResume({ sent }: EndedChunk, isRefusedToo: boolean): readonly Range[] {
  return sent.filter(({ outcome }) => outcome === 'rejected' || (isRefusedToo && outcome === 'refused'))
}

function toReport({ index, sent }: EndedChunk): ChunkReport {
  const receipt = sent.find((part) => part.receipt)?.receipt
  const error = sent.find((part) => part.error)?.error
  const [first] = sent
  const isWhole = sent.length === 1 && first?.from === 0
  return {
    index,
    recipients: sizeOf(sent),
    outcome: worstOf(sent.map(outcomeOf)),
    ...(receipt && { receipt }),
    ...(error && { error }),
    ...(isWhole ? {} : { parts: sent.map(toPart) }),
  }
}

function toPart(part: SentRange): ChunkPart {
  const { from, to, receipt, error } = part
  return { from, recipients: to - from, outcome: outcomeOf(part), ...(receipt && { receipt }), ...(error && { error }) }
}

function outcomeOf({ outcome }: SentRange): ChunkOutcome {
  return outcome === 'refused' ? 'rejected' : outcome
}

function worstOf(outcomes: readonly ChunkOutcome[]): ChunkOutcome {
  return (['unknown', 'rejected'] as const).find((outcome) => outcomes.includes(outcome)) ?? 'accepted'
}
