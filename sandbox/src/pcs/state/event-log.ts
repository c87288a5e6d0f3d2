import { createUlidSequence } from '../../lib/ulid.js'

export type EventType =
  | 'RECIPIENT_DELIVERED'
  | 'RECIPIENT_FAILED'
  | 'RECIPIENT_PENDING_CONSENT'
  | 'CONSENT_GRANTED'
  | 'CONSENT_DENIED'
  | 'REQUEST_COMPLETED'
  | 'POLL_RESPONSE_RECEIVED'

/** An event as it goes over the wire, and as it is kept. */
export interface PcsEvent {
  readonly event_id: string
  readonly send_request_id: string
  readonly event_type: EventType
  readonly recipient?: { readonly ppnum: string; readonly message_id?: string; readonly error_code?: string }
  readonly summary?: { readonly delivered: number; readonly failed: number }
  readonly occurred_at: string
}

const LIMIT = 200_000

/** Append-only, ordered by ULID, bounded: the oldest events are forgotten, and a cursor at one of them is lost. */
export class EventLog {
  #events: PcsEvent[] = []
  /** How many were forgotten: an event's position is its place since the beginning. */
  #forgotten = 0
  #nextId: (nowMs: number) => string = createUlidSequence()
  readonly #listeners = new Set<() => void>()

  append(event: Omit<PcsEvent, 'event_id' | 'occurred_at'>): PcsEvent {
    const now = Date.now()
    const complete = { event_id: this.#nextId(now), ...event, occurred_at: new Date(now).toISOString() }
    this.#events.push(complete)
    if (this.#events.length > LIMIT) this.forgetOldest(LIMIT / 10)
    for (const listener of this.#listeners) listener()
    return complete
  }

  /** The event at a position, or the oldest that is left after it, with its position. */
  at(position: number): { readonly event: PcsEvent; readonly position: number } | undefined {
    const known = Math.max(position, this.#forgotten)
    const event = this.#events[known - this.#forgotten]
    return event && { event, position: known }
  }

  /** The position after an event; `undefined` for an id that is not in the log (any more). */
  positionAfter(eventId: string): number | undefined {
    let [low, high] = [0, this.#events.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#events[middle]?.event_id ?? '') < eventId) low = middle + 1
      else high = middle
    }
    return this.#events[low]?.event_id === eventId ? this.#forgotten + low + 1 : undefined
  }

  get start(): number {
    return this.#forgotten
  }

  get end(): number {
    return this.#forgotten + this.#events.length
  }

  forgetOldest(count: number): void {
    this.#forgotten += this.#events.splice(0, count).length
  }

  /** Calls back after each new event, until the returned function is called. */
  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get all(): readonly PcsEvent[] {
    return [...this.#events]
  }

  restore(events: readonly PcsEvent[]): void {
    this.#events = [...events]
    this.#nextId = createUlidSequence(events.at(-1)?.event_id)
  }
}
