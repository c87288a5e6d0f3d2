import type { Checkpoint } from '../term/stored-texts.js'
import type { Entry } from './event-window.js'

/** An event that is handled alone. `announced`: its delivery must be saved first. `saved`: it may begin. */
export interface Alone {
  readonly entry: Entry
  state: 'announced' | 'saved' | 'begun'
}

/** What a commit says about the events that may be in handlers until the next one. */
export type AtWork = Pick<Checkpoint, 'reach' | 'deliveries'>

/**
 * The events that may have killed a process. Each commit says up to where in the stream events may be begun before the
 * next one (`reach`). The process that takes over from a dead one begins those one at a time, and first saves that it
 * does (`deliveries`). So the event that kills processes is found, its neighbours are not handled over and over with it, and
 * after `maxAttempts` it is given up.
 */
export class Suspects {
  readonly #maxInFlight: number
  /** Events up to this place are suspects. */
  readonly #upTo: number
  /** Number of suspects that were neither survived nor given up. */
  #left: number
  readonly #deliveries: Map<string, number>
  #alone: Alone | undefined
  /** Events up to this place may be begun: that is saved. */
  #limit: number
  /** The highest place that was begun or asked for. */
  #furthest = 0

  constructor({ reach = 0, deliveries = {} }: AtWork, maxInFlight: number) {
    this.#maxInFlight = maxInFlight
    this.#upTo = reach
    this.#left = reach
    this.#deliveries = new Map(Object.entries(deliveries))
    // After a clean end, this many may be begun before the first commit.
    this.#limit = reach > 0 ? reach : maxInFlight
  }

  /** Whether there are any: they come first, one at a time. */
  get isAny(): boolean {
    return this.#left > 0
  }

  /** The suspect whose turn it is. */
  get alone(): Alone | undefined {
    return this.#alone
  }

  /** An event cannot begin before the next commit. */
  get isHeldUp(): boolean {
    return this.#alone?.state === 'announced' || this.#furthest > this.#limit
  }

  /** Whether the event is a suspect. */
  includes({ place }: Entry): boolean {
    return place <= this.#upTo
  }

  /** If there are no suspects: whether the event may begin. If not, it may after the next commit. */
  admits({ place }: Entry): boolean {
    this.#furthest = Math.max(this.#furthest, place)
    return place <= this.#limit
  }

  /** How often it was delivered, including the time when a process died of it or of a neighbour. */
  deliveriesOf({ id }: Entry): number {
    return 1 + (this.#deliveries.get(id) ?? 0)
  }

  /** It was handled alone at least once, and has had all its attempts. */
  isGivenUp(entry: Entry, maxAttempts: number): boolean {
    return this.#deliveries.has(entry.id) && this.deliveriesOf(entry) >= maxAttempts
  }

  /** Gives it the next turn, which begins once that is saved. */
  announce(entry: Entry): void {
    this.#alone = { entry, state: 'announced' }
    this.#deliveries.set(entry.id, this.deliveriesOf(entry))
  }

  /** The event at this place needs no handling, or the process has survived it. */
  clear(place: number): void {
    if (place <= this.#upTo && this.#left > 0) this.#left--
  }

  /** It has been running for a while, has failed, or is done: the next suspect may begin. */
  endTurn(entry: Entry): void {
    if (this.#alone?.entry !== entry) return
    this.#alone = undefined
    this.clear(entry.place)
  }

  /** Its handler has ended, with or without success. */
  forget({ id }: Entry): void {
    this.#deliveries.delete(id)
  }

  /** Up to which place events may be begun after the next commit. */
  get nextLimit(): number {
    return this.isAny ? this.#upTo : Math.max(this.#limit, this.#furthest + this.#maxInFlight)
  }

  /** What a commit says, with its cursor at this place. @param limit the place up to which events may be begun */
  atWork(cursorPlace: number, limit: number): AtWork {
    const deliveries = Object.fromEntries(this.#deliveries)
    return {
      ...(limit > cursorPlace ? { reach: limit - cursorPlace } : {}),
      ...(this.#deliveries.size > 0 ? { deliveries } : {}),
    }
  }

  /**
   * The term ends. @param isInnocent no event is to blame for that
   * @returns the limit for the last commit
   */
  leave(isInnocent: boolean, cursorPlace: number): number {
    if (isInnocent && this.#alone !== undefined) this.#excuse(this.#alone.entry)
    if (this.isAny) return this.#upTo
    return isInnocent ? cursorPlace : this.#limit
  }

  #excuse({ id }: Entry): void {
    const before = (this.#deliveries.get(id) ?? 0) - 1
    if (before > 0) this.#deliveries.set(id, before)
    else this.#deliveries.delete(id)
  }

  /** A commit was saved. @param announced the suspect whose turn it was at that time */
  saved(limit: number, announced: Alone | undefined): void {
    this.#limit = Math.max(this.#limit, limit)
    if (announced?.state === 'announced') announced.state = 'saved'
  }
}
