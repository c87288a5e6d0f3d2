/* The outcome of each chunk, over all runs; of a chunk that was sent in several calls, the outcome of each part. */
import type { ChunkPart, ChunkReport } from 'express-ppoppo/messaging'
import type { JournalChunk } from './journal-file.js'

export class ChunkLog {
  /** By chunk. */
  readonly #entries = new Map<number, readonly JournalChunk[]>()

  constructor(entries: readonly JournalChunk[]) {
    for (const entry of entries) this.#put(entry.index, [entry])
  }

  add({ index, recipients, outcome = 'unknown', parts, receipt, error }: ChunkReport): void {
    const whole = { from: 0, recipients, outcome, ...(receipt && { receipt }), ...(error && { error }) }
    this.#put(
      index,
      (parts ?? [whole]).map((part) => toEntry(index, part)),
    )
  }

  get all(): readonly JournalChunk[] {
    const inOrder = [...this.#entries].sort(([one], [other]) => one - other)
    return inOrder.flatMap(([, entries]) => entries)
  }

  /** A later run's outcome for the same recipients replaces the earlier one. */
  #put(index: number, entries: readonly JournalChunk[]): void {
    const before = this.#entries.get(index) ?? []
    const kept = before.filter((one) => !entries.some((other) => overlaps(one, other)))
    this.#entries.set(
      index,
      [...kept, ...entries].sort((one, other) => startOf(one) - startOf(other)),
    )
  }
}

function toEntry(index: number, { from, recipients, outcome, receipt, error }: ChunkPart): JournalChunk {
  const place = { index, ...(from > 0 && { from }), recipients }
  if (receipt !== undefined) return { ...place, outcome: 'accepted', sendRequestId: receipt.id }
  return { ...place, outcome, error: error?.message ?? 'cut off' }
}

const startOf = ({ from = 0 }: JournalChunk): number => from

function overlaps(one: JournalChunk, other: JournalChunk): boolean {
  return startOf(one) < startOf(other) + other.recipients && startOf(other) < startOf(one) + one.recipients
}
