import type { Checkpoint } from '../term/stored-texts.js'
import type { Entry } from './event-window.js'

/** Where an event that is handled alone stands. `announced`: its delivery is to be saved. `saved`: it may begin. */
export interface Alone {
  readonly entry: Entry
  state: 'announced' | 'saved' | 'begun'
}

/** What a commit says of the events that may be at work while it is the newest. */
export type AtWork = Pick<Checkpoint, 'reach' | 'deliveries'>

/**
 * Which events a process may have died of. Each commit says how far in the stream events may be begun before the next
 * one (`reach`). Who takes over from a process that ended without a word begins those one by one, and has counted each
 * delivery in the store before: so the event that ends processes is known, its neighbours are not handled again and
 * again with it, and after `maxAttempts` it is given up.
 */
export class Suspects {
  readonly #maxInFlight: number
  /** Suspects are the events up to this place. */
  readonly #upTo: number
  /** Suspects that have neither come through nor been given up. */
  #left: number
  readonly #deliveries: Map<string, number>
  #alone: Alone | undefined
  /** Events up to this place may be begun: the store knows that. */
  #limit: number
  /** The last place that was begun, or that somebody waits for. */
  #furthest = 0

  constructor({ reach = 0, deliveries = {} }: AtWork, maxInFlight: number) {
    this.#maxInFlight = maxInFlight
    this.#upTo = reach
    this.#left = reach
    this.#deliveries = new Map(Object.entries(deliveries))
    // Who begins from a clean end is believed to have begun this many.
    this.#limit = reach > 0 ? reach : maxInFlight
  }

  /** Whether there are any: then they come first, one by one. */
  get isAny(): boolean {
    return this.#left > 0
  }

  /** The one that has its turn. */
  get alone(): Alone | undefined {
    return this.#alone
  }

  /** An event waits for a commit that lets it begin. */
  get isHeldUp(): boolean {
    return this.#alone?.state === 'announced' || this.#furthest > this.#limit
  }

  includes({ place }: Entry): boolean {
    return place <= this.#upTo
  }

  /** Without any: whether the event may begin. Where not, the next commit makes it so. */
  admits({ place }: Entry): boolean {
    this.#furthest = Math.max(this.#furthest, place)
    return place <= this.#limit
  }

  /** How often it was delivered; the time when a process died of it, or of a neighbour, included. */
  deliveriesOf({ id }: Entry): number {
    return 1 + (this.#deliveries.get(id) ?? 0)
  }

  /** It was alone at least once, and often enough. */
  isGivenUp(entry: Entry, maxAttempts: number): boolean {
    return this.#deliveries.has(entry.id) && this.deliveriesOf(entry) >= maxAttempts
  }

  announce(entry: Entry): void {
    this.#alone = { entry, state: 'announced' }
    this.#deliveries.set(entry.id, this.deliveriesOf(entry))
  }

  /** An event of this place needs no handling, or the process is still there after it. */
  clear(place: number): void {
    if (place <= this.#upTo && this.#left > 0) this.#left--
  }

  /** The one that has its turn has been at work for a while, has failed, or is done: the next one may begin. */
  pass(entry: Entry): void {
    if (this.#alone?.entry !== entry) return
    this.#alone = undefined
    this.clear(entry.place)
  }

  /** Its handler has come to an end, good or bad. */
  forget({ id }: Entry): void {
    this.#deliveries.delete(id)
  }

  /** Up to which place events may begin once the next commit is saved. */
  get nextLimit(): number {
    return this.isAny ? this.#upTo : Math.max(this.#limit, this.#furthest + this.#maxInFlight)
  }

  /** What a commit is to say, when its cursor is at this place. @param limit that of the commit */
  atWork(cursorPlace: number, limit: number): AtWork {
    const deliveries = Object.fromEntries(this.#deliveries)
    return {
      ...(limit > cursorPlace ? { reach: limit - cursorPlace } : {}),
      ...(this.#deliveries.size > 0 ? { deliveries } : {}),
    }
  }

  /**
   * Nothing is begun any more. @param isInnocent the process is still there, and nothing at work is to blame for its end
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

  /** A commit was saved. @param announced what had its turn when it was made */
  saved(limit: number, announced: Alone | undefined): void {
    this.#limit = Math.max(this.#limit, limit)
    if (announced?.state === 'announced') announced.state = 'saved'
  }
}
