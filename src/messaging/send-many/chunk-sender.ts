import type { PpoppoError } from '../../errors.js'
import { TooLargeError } from '../call/failure.js'
import type { ChunkOutcome, Recipient, SendReceipt } from '../types/methods.js'
import { isRefusal } from './chunk-outcome.js'

/** If this many single recipients are rejected and none is accepted, the request as a whole is wrong. */
const MAX_REFUSED_ALONE = 6
/** The same for chunks of one, which are neighbours in the list: a bad start of a list does not mean a wrong template. */
const MAX_REFUSED_NEIGHBOURS = 20
/** Rejected calls that a run may spend to find invalid recipients; one more is allowed for each accepted recipient. */
const FREE_REFUSALS = 2_000

/** Recipients of a chunk by their position in it: `from` (inclusive) to `to` (exclusive). */
export interface Range {
  readonly from: number
  readonly to: number
}

/** The result of a range. `refused`: a single recipient that was rejected. */
export interface SentRange extends Range {
  readonly outcome: ChunkOutcome | 'refused'
  readonly receipt?: SendReceipt
  readonly error?: Error
}

/** The result of one call. */
export type Attempt =
  | { readonly outcome: 'accepted'; readonly receipt: SendReceipt }
  | { readonly outcome: 'rejected' | 'unknown'; readonly error: Error }

/** What a {@link ChunkSender} is made of. */
export interface ChunkSenderParts {
  readonly recipients: readonly Recipient[]
  /** One call, with all its retries. Never rejects. */
  readonly attempt: (recipients: readonly Recipient[]) => Promise<Attempt>
  readonly refusals: Refusals
  /** Whether the run has ended, so that nothing more is started. */
  readonly hasEnded: () => boolean
}

/**
 * Sends a chunk. If the whole was provably rejected, it is halved down to the recipients that PCS rejects, or to a size
 * that PCS accepts. One call at a time; a part with an unknown outcome is neither halved nor sent again.
 */
export class ChunkSender {
  readonly #parts: ChunkSenderParts
  readonly #sent: SentRange[] = []

  constructor(parts: ChunkSenderParts) {
    this.#parts = parts
  }

  /** @returns the results of the ranges, in order */
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

  /** One call. @returns its outcome, or the rejection of several recipients of which some may be accepted */
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

  /** Sends the halves of a range that was rejected as a whole. */
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

  /** If nothing was accepted yet, tries single recipients far apart until it is clear what the rejection is about. */
  async #explore(range: Range, refusal: PpoppoError): Promise<void> {
    const { refusals, hasEnded } = this.#parts
    const left = await refusals.inTurn(async () => {
      let untried: readonly Range[] = [range]
      for (const position of spread(range)) {
        if (hasEnded() || refusals.areAboutRecipients) break
        untried = untried.flatMap((part) => without(part, position))
        const outcome = await this.#try({ from: position, to: position + 1 })
        // An unanswered call says nothing, and another one would put another recipient at risk.
        if (outcome !== 'refused') break
      }
      return untried
    })
    // If one part is left and all else was accepted, that part has the invalid recipient.
    const isBad = left.length === 1 && this.#sent.every(({ outcome }) => outcome === 'accepted')
    for (const part of left) await this.#sendNext(part, refusal, isBad)
  }

  /** Gives a range up: it provably was not accepted. */
  #leave(range: Range, refusal: PpoppoError): void {
    this.#sent.push({ ...range, outcome: 'rejected', error: refusal })
  }
}

/** What {@link Refusals} is made of. */
export interface RefusalsParts {
  /** Called when the request as a whole is rejected. */
  readonly onHopeless: (error: PpoppoError) => void
  /** Number of chunks in flight: the next one may just be being accepted. */
  readonly concurrency: number
}

/**
 * What a run has learned from rejected sends. PCS answers a send with a single status, so an unknown recipient looks like an
 * unknown template: until something is accepted, single recipients of the first rejected chunk are tried.
 */
export class Refusals {
  #accepted = 0
  #refused = 0
  #alone = 0
  #last: PpoppoError | undefined
  #lastTurn: Promise<unknown> = Promise.resolve()
  readonly #onHopeless: (error: PpoppoError) => void
  readonly #maxNeighbours: number

  constructor({ onHopeless, concurrency }: RefusalsParts) {
    this.#onHopeless = onHopeless
    this.#maxNeighbours = MAX_REFUSED_NEIGHBOURS + concurrency - 1
  }

  /** Whether anything was accepted, so that a rejection must be about recipients. */
  get areAboutRecipients(): boolean {
    return this.#accepted > 0
  }

  /** Whether it is worth the calls to look for the invalid recipients: not if most are rejected. */
  get mayBeExplored(): boolean {
    return this.#refused <= FREE_REFUSALS + this.#accepted
  }

  /** Why nothing at all was accepted, if single recipients were rejected. */
  get hopeless(): PpoppoError | undefined {
    return this.areAboutRecipients ? undefined : this.#last
  }

  noteAccepted(recipients: number): void {
    this.#accepted += recipients
  }

  /**
   * @param isAlone whether the send had a single recipient
   * @param isChunk whether that recipient was a whole chunk
   */
  noteRefused(error: PpoppoError, isAlone: boolean, isChunk: boolean): void {
    this.#refused += 1
    if (!isAlone) return
    this.#alone += 1
    this.#last = error
    const most = isChunk ? this.#maxNeighbours : MAX_REFUSED_ALONE
    if (!this.areAboutRecipients && this.#alone >= most) this.#onHopeless(error)
  }

  /** Runs `work` after all earlier work: one chunk at a time tries its recipients, the others wait for the result. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#lastTurn.then(work)
    this.#lastTurn = done.catch(() => {})
    return done
  }
}

/** Every position of a range, far apart at first: both ends, the middle, the quarters. */
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

/** What is left of a range without one position. */
function without(range: Range, position: number): Range[] {
  if (position < range.from || position >= range.to) return [range]
  return [
    { from: range.from, to: position },
    { from: position + 1, to: range.to },
  ].filter(({ from, to }) => to > from)
}
