import type { ResumePart, SendManyReport } from '../types/methods.js'
import type { Range } from './chunk-sender.js'

/**
 * What a run still has to send: the chunks from `resumeFrom` on except `skipChunks`, and `resumeParts`. A chunk stays open as
 * a whole while nothing of it was accepted. Once something was, or may have been, it is skipped except for the parts that
 * provably were not. So a caller who saves only `resumeFrom` and `skipChunks` never sends to anyone twice.
 */
export class Leftovers {
  /** Lowest index that provably was not accepted, and the higher ones that were, or may have been. */
  #resumeFrom: number
  readonly #settledAfter: Set<number>
  readonly #parts = new Map<number, readonly Range[]>()

  constructor(from: {
    readonly resumeFrom: number
    readonly skipChunks: readonly number[]
    readonly resumeParts?: readonly ResumePart[]
  }) {
    this.#resumeFrom = from.resumeFrom
    this.#settledAfter = new Set(from.skipChunks.filter((index) => index >= from.resumeFrom))
    for (const { chunk, from: start, to } of from.resumeParts ?? []) {
      if (this.#isLeftOut(chunk)) this.#setParts(chunk, [...(this.#parts.get(chunk) ?? []), { from: start, to }])
    }
    this.#advance()
  }

  /** The ranges of a chunk to send. */
  rangesOf(index: number, recipients: number): readonly Range[] {
    if (!this.#isLeftOut(index)) return recipients === 0 ? [] : [{ from: 0, to: recipients }]
    const parts = (this.#parts.get(index) ?? []).map(({ from, to }) => ({ from, to: Math.min(to, recipients) }))
    return parts.filter(({ from, to }) => from < to)
  }

  /** @param open the ranges that provably were not accepted and may be sent again */
  settle(index: number, recipients: number, open: readonly Range[]): void {
    const merged = merge(open)
    const [first] = merged
    if (!this.#isLeftOut(index) && first?.from === 0 && first.to === recipients) return
    this.#setParts(index, merged)
    if (index >= this.#resumeFrom) this.#settledAfter.add(index)
    this.#advance()
  }

  /** Where to resume. */
  position(): Pick<SendManyReport, 'resumeFrom' | 'skipChunks' | 'resumeParts'> {
    const indexes = [...this.#parts.keys()].sort((one, other) => one - other)
    const parts = indexes.flatMap((chunk) => (this.#parts.get(chunk) ?? []).map((range) => ({ chunk, ...range })))
    return {
      resumeFrom: this.#resumeFrom,
      skipChunks: [...this.#settledAfter].sort((one, other) => one - other),
      ...(parts.length > 0 && { resumeParts: parts }),
    }
  }

  #isLeftOut(index: number): boolean {
    return index < this.#resumeFrom || this.#settledAfter.has(index)
  }

  #setParts(index: number, ranges: readonly Range[]): void {
    if (ranges.length === 0) this.#parts.delete(index)
    else this.#parts.set(index, merge(ranges))
  }

  #advance(): void {
    while (this.#settledAfter.delete(this.#resumeFrom)) this.#resumeFrom += 1
  }
}

/** Sorted, with touching and overlapping ranges joined, so that a range given twice is not sent twice. */
function merge(ranges: readonly Range[]): Range[] {
  const merged: Range[] = []
  for (const { from, to } of ranges.toSorted((one, other) => one.from - other.from)) {
    const last = merged.at(-1)
    if (last && from <= last.to) merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, to) }
    else merged.push({ from, to })
  }
  return merged
}
