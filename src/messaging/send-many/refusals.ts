import type { PpoppoError } from '../../errors.js'

/** So many recipients that are refused one by one, and none accepted, mean that the request as a whole is wrong. */
const MOST_REFUSED_ALONE = 6
/** The same of chunks of one, which stand next to each other in the list: a bad beginning of it is no wrong template. */
const MOST_REFUSED_NEIGHBOURS = 20
/** Refused calls that a run may spend on finding out whom it cannot send to, and one more for each recipient accepted. */
const FREE_REFUSALS = 2_000

/**
 * What a run knows of refusals. PCS answers a send with one status, so one recipient it does not know and a template it
 * does not know look alike: until something was accepted, single recipients of the first refused chunk are tried.
 */
export class Refusals {
  #accepted = 0
  #refused = 0
  #alone = 0
  #last: PpoppoError | undefined
  #turn: Promise<void> = Promise.resolve()
  readonly #onHopeless: (error: PpoppoError) => void
  readonly #mostNeighbours: number

  /**
   * @param onHopeless the request as a whole is refused
   * @param concurrency chunks that are sent side by side: the next of them may be accepted at this moment
   */
  constructor(onHopeless: (error: PpoppoError) => void, concurrency: number) {
    this.#onHopeless = onHopeless
    this.#mostNeighbours = MOST_REFUSED_NEIGHBOURS + concurrency - 1
  }

  /** Whether something was accepted, so that a refusal is about recipients. */
  get areAboutRecipients(): boolean {
    return this.#accepted > 0
  }

  /** Whether the calls that finding the culprits takes are worth it: when most are refused, they are not. */
  get mayBeExplored(): boolean {
    return this.#refused <= FREE_REFUSALS + this.#accepted
  }

  /** Why nothing at all was accepted, where recipients were refused one by one. */
  get hopeless(): PpoppoError | undefined {
    return this.areAboutRecipients ? undefined : this.#last
  }

  noteAccepted(recipients: number): void {
    this.#accepted += recipients
  }

  /**
   * @param isAlone whether it was one recipient by itself
   * @param isChunk whether it was a whole chunk
   */
  noteRefused(error: PpoppoError, isAlone: boolean, isChunk: boolean): void {
    this.#refused += 1
    if (!isAlone) return
    this.#alone += 1
    this.#last = error
    const most = isChunk ? this.#mostNeighbours : MOST_REFUSED_ALONE
    if (!this.areAboutRecipients && this.#alone >= most) this.#onHopeless(error)
  }

  /** One chunk at a time tries its recipients; the others wait for what comes of it. @returns what ends the turn */
  async takeTurn(): Promise<() => void> {
    const before = this.#turn
    let end = (): void => {}
    this.#turn = new Promise((resolve) => {
      end = resolve
    })
    await before
    return end
  }
}
