import type { MessagingEvent } from '../../types/events.js'
import type { Checkpoint } from '../term/stored-texts.js'

/** An event that was read, from then until it is behind the checkpoint. */
export interface Entry {
  readonly event: MessagingEvent
  /** Of the event as it came: a handler may change what it is given. */
  readonly id: string
  readonly sendRequestId: string
  /** Its number in the stream, the first after where the window began being 1. */
  readonly place: number
  state: 'waiting' | 'begun' | 'done'
  /** Whether the store knows that it is done. */
  isSaved: boolean
}

/** What a commit tells the store, and which entries that makes safe. */
export interface Snapshot {
  readonly checkpoint: Checkpoint
  readonly entries: readonly Entry[]
  /** The place of the checkpoint's cursor. */
  readonly cursorPlace: number
}

/** Of events handled ahead of the cursor that have not come again, this many later events may come before they are forgotten. */
const AHEAD_PATIENCE = 10_000

/**
 * The events between the checkpoint and the newest that was read, in the order of the stream. Pure bookkeeping: who may
 * begin, what is at risk, how far a checkpoint may go.
 */
export class EventWindow {
  readonly #entries = new Set<Entry>()
  /** Handled before this process read them: after the old cursor, out of turn. */
  readonly #ahead: Set<string>
  readonly #skipsBefore: number | undefined
  #cursor: string | undefined
  #cursorPlace = 0
  #begun = 0
  #unsaved = 0
  /** Entries that are done, the store knows of it or not. */
  #done = 0
  #taken = 0

  constructor(checkpoint: Checkpoint) {
    this.#cursor = checkpoint.cursor
    this.#skipsBefore = checkpoint.skipsBefore
    this.#ahead = new Set(checkpoint.ahead)
  }

  /** The place of the newest event that was read. */
  get newest(): number {
    return this.#taken
  }

  /** Events that were read and are not behind the checkpoint. */
  get size(): number {
    return this.#entries.size
  }

  /** Events that would be handled again if this process died now. */
  get atRisk(): number {
    return this.#begun + this.#unsaved
  }

  /** Events that are done and that the store does not know of. */
  get unsaved(): number {
    return this.#unsaved
  }

  get begun(): number {
    return this.#begun
  }

  /** The oldest event that is not done. */
  get oldestOpen(): MessagingEvent | undefined {
    for (const { event, state } of this.#entries) if (state !== 'done') return event
    return undefined
  }

  /** Takes in the next event of the stream. @returns its entry, or nothing where it has been handled already */
  add(event: MessagingEvent): Entry | undefined {
    if (++this.#taken > AHEAD_PATIENCE) this.#ahead.clear()
    const { eventId: id, sendRequestId } = event
    const wasHandled = this.#ahead.delete(id)
    const state = wasHandled ? 'done' : 'waiting'
    const entry: Entry = { event, id, sendRequestId, place: this.#taken, state, isSaved: wasHandled }
    this.#entries.add(entry)
    if (wasHandled) this.#done++
    return wasHandled ? undefined : entry
  }

  begin(entry: Entry): void {
    entry.state = 'begun'
    this.#begun++
  }

  /** It is handled, or there is nothing to handle. */
  finish(entry: Entry): void {
    if (entry.state === 'begun') this.#begun--
    entry.state = 'done'
    this.#done++
    this.#unsaved++
  }

  /** It was begun and came to nothing: another consumer will see it. */
  abandon(entry: Entry): void {
    entry.state = 'waiting'
    this.#begun--
  }

  /** It was done, and what became of it cannot be saved. */
  reopen(entry: Entry): void {
    entry.state = 'waiting'
    this.#done--
    this.#unsaved--
  }

  snapshot(): Snapshot {
    const entries: Entry[] = []
    const ahead = [...this.#ahead]
    let [cursor, cursorPlace] = [this.#cursor, this.#cursorPlace]
    let isContiguous = true
    let left = this.#done
    for (const entry of this.#entries) {
      if (left === 0) break
      const { id, place, state, isSaved } = entry
      if (state !== 'done') {
        isContiguous = false
        continue
      }
      left--
      if (!isSaved) entries.push(entry)
      // Without an id there is nothing to go on after, and nothing to know it again by.
      if (id === '') continue
      if (isContiguous) [cursor, cursorPlace] = [id, place]
      else ahead.push(id)
    }
    const skipsBefore = this.#skipsBefore
    const checkpoint = {
      ...(cursor === undefined ? {} : { cursor }),
      ahead,
      ...(skipsBefore === undefined ? {} : { skipsBefore }),
    }
    return { checkpoint, entries, cursorPlace }
  }

  /** The store has the snapshot. */
  saved({ checkpoint, entries, cursorPlace }: Snapshot): void {
    this.#cursor = checkpoint.cursor
    this.#cursorPlace = cursorPlace
    for (const entry of entries) entry.isSaved = true
    this.#unsaved -= entries.length
    for (const entry of this.#entries) {
      if (!entry.isSaved) break
      this.#entries.delete(entry)
      this.#done--
    }
  }
}
