import type { MessagingEvent } from '../../types/events.js'
import type { Checkpoint } from '../term/stored-texts.js'

/** An event, from when it was read until the checkpoint covers it. */
export interface Entry {
  readonly event: MessagingEvent
  /** As the event arrived: a handler may modify the event. */
  readonly id: string
  readonly sendRequestId: string
  /** Its position in the stream; the first event of the window has 1. */
  readonly place: number
  state: 'waiting' | 'begun' | 'done'
  /** The store has saved that it is done. */
  isSaved: boolean
}

/** What a commit saves, and the entries that this covers. */
export interface Snapshot {
  readonly checkpoint: Checkpoint
  readonly entries: readonly Entry[]
  /** The place of the cursor in the checkpoint. */
  readonly cursorPlace: number
}

/** Ids of events that were handled ahead of the cursor are forgotten once this many events have arrived without them. */
const AHEAD_PATIENCE = 10_000

/**
 * The events between the checkpoint and the newest one, in the order of the stream. Pure bookkeeping: what is being handled,
 * what a crash would repeat, how far a checkpoint may go.
 */
export class EventWindow {
  readonly #entries = new Set<Entry>()
  /** Ids of events behind the old cursor that were handled before this process read them. */
  readonly #ahead: Set<string>
  readonly #skipsBefore: number | undefined
  #cursor: string | undefined
  #cursorPlace = 0
  #begun = 0
  #unsaved = 0
  /** Entries that are done, saved or not. */
  #done = 0
  #taken = 0

  constructor(checkpoint: Checkpoint) {
    this.#cursor = checkpoint.cursor
    this.#skipsBefore = checkpoint.skipsBefore
    this.#ahead = new Set(checkpoint.ahead)
  }

  /** The place of the newest event. */
  get newest(): number {
    return this.#taken
  }

  /** Number of events that the checkpoint does not cover. */
  get size(): number {
    return this.#entries.size
  }

  /** Number of events that would be handled again if this process died now. */
  get atRisk(): number {
    return this.#begun + this.#unsaved
  }

  /** Number of events that are done and not saved. */
  get unsaved(): number {
    return this.#unsaved
  }

  /** Number of events that are being handled. */
  get begun(): number {
    return this.#begun
  }

  /** The oldest event that is not done. */
  get oldestOpen(): MessagingEvent | undefined {
    for (const { event, state } of this.#entries) if (state !== 'done') return event
    return undefined
  }

  /** Adds the next event of the stream. @returns its entry, or nothing if it was handled before */
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

  /** Its handler is called. */
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

  /** It was begun and not finished: another process will handle it. */
  abandon(entry: Entry): void {
    entry.state = 'waiting'
    this.#begun--
  }

  /** It was done, and its outcome cannot be saved. */
  reopen(entry: Entry): void {
    entry.state = 'waiting'
    this.#done--
    this.#unsaved--
  }

  /** What a commit would save now. */
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
      // It is no position to resume behind, and cannot be recognized again.
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

  /** The store has saved the snapshot. */
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

/** Waiting events by send: of each send only the first may be handled, the others wait for it. */
export class Lanes {
  readonly #lanes = new Map<string, Entry[]>()
  /** Sends whose first event may begin. */
  readonly #ready = new Set<string>()

  /** Puts it behind the others of its send. */
  add(entry: Entry): void {
    const { sendRequestId } = entry
    const lane = this.#lanes.get(sendRequestId)
    if (lane !== undefined) {
      lane.push(entry)
      return
    }
    this.#lanes.set(sendRequestId, [entry])
    this.#ready.add(sendRequestId)
  }

  /** The event that may begin and has been waiting longest. */
  get next(): Entry | undefined {
    for (const id of this.#ready) return this.#lanes.get(id)?.[0]
    return undefined
  }

  /** The event that may begin and is first in the stream. */
  get oldest(): Entry | undefined {
    let oldest: Entry | undefined
    for (const id of this.#ready) {
      const entry = this.#lanes.get(id)?.[0]
      if (entry !== undefined && entry.place < (oldest?.place ?? Number.POSITIVE_INFINITY)) oldest = entry
    }
    return oldest
  }

  /** It is being handled. */
  begin({ sendRequestId }: Entry): void {
    this.#ready.delete(sendRequestId)
  }

  /** It is done: the next of its send may begin. */
  finish({ sendRequestId }: Entry): void {
    const lane = this.#lanes.get(sendRequestId) ?? []
    lane.shift()
    if (lane.length > 0) this.#ready.add(sendRequestId)
    else {
      this.#lanes.delete(sendRequestId)
      this.#ready.delete(sendRequestId)
    }
  }
}
