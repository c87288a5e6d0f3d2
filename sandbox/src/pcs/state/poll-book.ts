import { BoundedMap } from '../../lib/bounded-map.js'

export interface PollAnswer {
  readonly ppnum: string
  readonly option: string
  readonly respondedAt: string
}

/** The poll of one send request; the sandbox gives it that request's ULID. */
export interface Poll {
  readonly id: string
  readonly sendRequestId: string
  readonly question: string
  readonly options: readonly string[]
  readonly answers: PollAnswer[]
  /** Recipients who have the message and will answer. */
  waiting: string[]
}

const LIMIT = 1000

/** How a client learns a poll's id is not published: so the id of its send request finds it as well. */
export function pollIdOf(sendRequestId: string): string {
  return sendRequestId.replace(/^snd_/, 'poll_')
}

export class PollBook {
  readonly #byId = new BoundedMap<string, Poll>(LIMIT)

  open(sendRequestId: string, question: string, options: readonly string[]): void {
    const id = pollIdOf(sendRequestId)
    this.#byId.set(id, { id, sendRequestId, question, options, answers: [], waiting: [] })
  }

  find(id: string): Poll | undefined {
    return this.#byId.get(pollIdOf(id))
  }

  get all(): readonly Poll[] {
    return [...this.#byId.values()]
  }

  clear(): void {
    this.#byId.clear()
  }

  restore(polls: readonly Poll[]): void {
    for (const poll of polls) this.#byId.set(poll.id, poll)
  }
}
