import type { PpoppoError } from '../../errors.js'
import { TooLargeError } from '../call/failure.js'
import type { ChunkOutcome, Recipient, SendReceipt } from '../types/calls.js'
import { isRefusal } from './chunk-outcome.js'
import type { Refusals } from './refusals.js'

/** Recipients of a chunk, by their place in it: up to, not including, `to`. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** What became of a range. `refused`: one recipient that was refused by itself. */
export interface SentRange extends Range {
  readonly outcome: ChunkOutcome | 'refused'
  readonly receipt?: SendReceipt
  readonly error?: Error
}

/** What came of one call. */
export type Attempt =
  | { readonly outcome: 'accepted'; readonly receipt: SendReceipt }
  | { readonly outcome: 'rejected' | 'unknown'; readonly error: Error }

export interface ChunkSenderParts {
  readonly recipients: readonly Recipient[]
  /** One call, with all its retries. Never rejects. */
  readonly attempt: (recipients: readonly Recipient[]) => Promise<Attempt>
  readonly refusals: Refusals
  /** Whether the run has ended: then nothing more is begun. */
  readonly hasEnded: () => boolean
}

/**
 * Sends a chunk, in halves where the whole was surely refused: down to the recipients that PCS does not take, or to a
 * size that it takes. One call at a time; what is in doubt is not divided and not sent again.
 */
export class ChunkSender {
  readonly #parts: ChunkSenderParts
  readonly #sent: SentRange[] = []

  constructor(parts: ChunkSenderParts) {
    this.#parts = parts
  }

  /** @returns what became of the ranges, in their order */
  async send(ranges: readonly Range[]): Promise<readonly SentRange[]> {
    for (const range of ranges) await this.#send(range)
    return this.#sent.toSorted((one, other) => one.from - other.from)
  }

  /** @returns whether all of it was accepted */
  async #send(range: Range): Promise<boolean> {
    const result = await this.#try(range)
    const { refusals } = this.#parts
    if (typeof result === 'string') return result === 'accepted'
    if (result instanceof TooLargeError) await this.#divide(range, result)
    else if (!refusals.areAboutRecipients) await this.#explore(range, result)
    else if (refusals.mayBeExplored) await this.#divide(range, result)
    else this.#leave(range, result)
    return false
  }

  /** One call. @returns what came of it, or the refusal of several of which fewer may be accepted */
  async #try(range: Range): Promise<SentRange['outcome'] | PpoppoError> {
    const { recipients, attempt, refusals } = this.#parts
    const done = await attempt(recipients.slice(range.from, range.to))
    const isOne = range.to - range.from === 1
    if (done.outcome === 'accepted') refusals.noteAccepted(range.to - range.from)
    const refusal = done.outcome === 'rejected' && isRefusal(done.error) ? done.error : undefined
    if (refusal) refusals.noteRefused(refusal, isOne, recipients.length === 1)
    if (refusal && !isOne) return refusal
    const outcome = refusal ? 'refused' : done.outcome
    this.#sent.push({ ...range, ...done, outcome })
    return outcome
  }

  /** Sends the halves of what was refused as a whole. */
  async #divide(range: Range, refusal: PpoppoError): Promise<void> {
    const middle = Math.floor((range.from + range.to) / 2)
    const isLeftGood = await this.#sendNext({ ...range, to: middle }, refusal)
    // Where the left half is good, the right one is not: it need not be tried as a whole.
    const isRightBad = isLeftGood && !(refusal instanceof TooLargeError)
    await this.#sendNext({ ...range, from: middle }, refusal, isRightBad)
  }

  async #sendNext(range: Range, refusal: PpoppoError, isBad = false): Promise<boolean> {
    if (this.#parts.hasEnded()) {
      this.#leave(range, refusal)
      return false
    }
    if (!isBad || range.to - range.from === 1) return this.#send(range)
    await this.#divide(range, refusal)
    return false
  }

  /** Nothing was accepted yet: recipients far apart are tried one by one until it shows what the refusal is about. */
  async #explore(range: Range, refusal: PpoppoError): Promise<void> {
    const { refusals, hasEnded } = this.#parts
    const endTurn = await refusals.takeTurn()
    let left: readonly Range[] = [range]
    try {
      for (const place of spread(range)) {
        if (hasEnded() || refusals.areAboutRecipients) break
        left = left.flatMap((part) => without(part, place))
        const outcome = await this.#try({ from: place, to: place + 1 })
        // Nobody answered: that says nothing, and the next one would spend another recipient on it.
        if (outcome !== 'refused') break
      }
    } finally {
      endTurn()
    }
    // Where one part is left and all else was accepted, the culprit is in it.
    const isBad = left.length === 1 && this.#sent.every(({ outcome }) => outcome === 'accepted')
    for (const part of left) await this.#sendNext(part, refusal, isBad)
  }

  /** Nothing more is tried: it surely was not accepted. */
  #leave(range: Range, refusal: PpoppoError): void {
    this.#sent.push({ ...range, outcome: 'rejected', error: refusal })
  }
}

/** Every place of a range, far apart at first: both ends, the middle, the quarters. */
function* spread({ from, to }: Range): Generator<number> {
  const last = to - 1
  yield from
  if (last > from) yield last
  let gaps: Range[] = [{ from, to: last }]
  while (gaps.length > 0) {
    const next: Range[] = []
    for (const gap of gaps) {
      const middle = Math.floor((gap.from + gap.to) / 2)
      if (middle === gap.from) continue
      yield middle
      next.push({ from: gap.from, to: middle }, { from: middle, to: gap.to })
    }
    gaps = next
  }
}

function without(range: Range, place: number): Range[] {
  if (place < range.from || place >= range.to) return [range]
  return [
    { from: range.from, to: place },
    { from: place + 1, to: range.to },
  ].filter(({ from, to }) => to > from)
}
