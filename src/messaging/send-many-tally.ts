import type { ChunkOutcome } from './chunk-outcome.js'
import type { ChunkReader } from './chunk-reader.js'
import type { ChunkReport, SendManyProgress, SendManyReport } from './types.js'

/** Counts what becomes of a run's chunks, in whatever order they end. */
export class SendManyTally {
  readonly #chunks: ChunkReport[] = []
  readonly #recipients: Record<ChunkOutcome, number> = { accepted: 0, rejected: 0, unknown: 0 }
  readonly #reader: Pick<ChunkReader, 'unique' | 'duplicates'>
  #started = 0
  /** Lowest index that surely was not accepted, and the higher ones that were, or perhaps were. */
  #resumeFrom: number
  readonly #settledAfter: Set<number>

  constructor(
    reader: Pick<ChunkReader, 'unique' | 'duplicates'>,
    from: { readonly resumeFrom: number; readonly skipChunks: readonly number[] },
  ) {
    this.#reader = reader
    this.#resumeFrom = from.resumeFrom
    this.#settledAfter = new Set(from.skipChunks.filter((index) => index >= from.resumeFrom))
    this.#advance()
  }

  start(recipients: number): void {
    this.#started += recipients
  }

  settle(chunk: ChunkReport, outcome: ChunkOutcome): void {
    this.#chunks.push(chunk)
    this.#recipients[outcome] += chunk.recipients
    // Sending it anew may deliver a message twice: whoever wants that for an `unknown` chunk says so.
    if (outcome === 'rejected') return
    this.#settledAfter.add(chunk.index)
    this.#advance()
  }

  get hasAccepted(): boolean {
    return this.#recipients.accepted > 0
  }

  progress(chunk: ChunkReport): SendManyProgress {
    return { ...this.#counts(), chunk }
  }

  report(stoppedBy?: Error): SendManyReport {
    const chunks = this.#chunks.toSorted((one, other) => one.index - other.index)
    return { chunks, ...this.#counts(), ...(stoppedBy && { stoppedBy }) }
  }

  #counts(): Omit<SendManyReport, 'chunks'> {
    return {
      ...this.#recipients,
      duplicates: this.#reader.duplicates,
      notSent: this.#reader.unique - this.#started,
      resumeFrom: this.#resumeFrom,
      skipChunks: [...this.#settledAfter].sort((one, other) => one - other),
    }
  }

  #advance(): void {
    while (this.#settledAfter.delete(this.#resumeFrom)) this.#resumeFrom += 1
  }
}
