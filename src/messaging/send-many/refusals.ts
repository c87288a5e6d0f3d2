import type { PpoppoError } from '../../errors.js'

/** If this many single recipients are rejected and none is accepted, the request as a whole is wrong. */
const MAX_REFUSED_ALONE = 6
/** The same for chunks of one, which are neighbours in the list: a bad start of a list does not mean a wrong template. */
const MAX_REFUSED_NEIGHBOURS = 20
/** Rejected calls that a run may spend to find invalid recipients; one more is allowed for each accepted recipient. */
const FREE_REFUSALS = 2_000

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

  /**
   * @param onHopeless called when the request as a whole is rejected
   * @param concurrency number of chunks in flight: the next one may just be being accepted
   */
  constructor(onHopeless: (error: PpoppoError) => void, concurrency: number) {
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
