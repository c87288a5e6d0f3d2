import type { Entry } from './event-window.js'

/** Events by send: of each only the first may be at work, the others wait for it. */
export class Lanes {
  readonly #lanes = new Map<string, Entry[]>()
  /** Sends whose first event may begin. */
  readonly #ready = new Set<string>()

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

  /** The event that may begin and has waited longest for its turn. */
  get next(): Entry | undefined {
    for (const id of this.#ready) return this.#lanes.get(id)?.[0]
    return undefined
  }

  /** The event that may begin and came first in the stream. */
  get oldest(): Entry | undefined {
    let oldest: Entry | undefined
    for (const id of this.#ready) {
      const entry = this.#lanes.get(id)?.[0]
      if (entry !== undefined && entry.place < (oldest?.place ?? Number.POSITIVE_INFINITY)) oldest = entry
    }
    return oldest
  }

  /** It is at work. */
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
