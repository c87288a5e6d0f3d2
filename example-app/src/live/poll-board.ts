/*
 * Results of polls for the pages that are open. An event says that somebody has answered, not what; so the results are
 * asked for: once for all who look, and once a second at most, however fast the answers come.
 */
import { type Messaging, type PollResults, PpoppoError } from 'express-ppoppo'
import { pollOf } from '../messages/poll.js'
import type { Sends } from '../messages/sends.js'

export interface PollWatch {
  /** There is a new answer. */
  changed(): void
  leave(): void
}

export interface PollBoard {
  /** @returns `undefined` for a send without a poll. Shows the results of now, and after each change. */
  watch(accountId: number, sendId: number, show: (results: PollResults) => void): PollWatch | undefined
}

export interface PollBoardParts {
  readonly sends: Pick<Sends, 'find'>
  readonly messaging: Messaging
  readonly log: (error: unknown) => void
  /** @default 1_000 */
  readonly everyMs?: number
}

interface Watched {
  readonly accountId: number
  readonly sendId: number
  readonly watchers: Set<(results: PollResults) => void>
  isChanged: boolean
  /** Being asked, or too soon to ask. */
  isBusy: boolean
  failures: number
  timer?: NodeJS.Timeout
}

const RETRY_MS = 5_000
const LONGEST_RETRY_MS = 60_000

export function createPollBoard({ sends, messaging, log, everyMs = 1_000 }: PollBoardParts): PollBoard {
  const polls = new Map<number, Watched>()

  async function ask(poll: Watched): Promise<void> {
    const send = sends.find(poll.accountId, poll.sendId)
    const view = send === undefined ? undefined : await pollOf(send, messaging)
    // Ppoppo may not know it by the id of its send: then there is nothing to show.
    if (view?.state === 'known') for (const show of [...poll.watchers]) show(view.results)
  }

  /** @returns how long to leave it alone */
  async function askCarefully(poll: Watched): Promise<number> {
    try {
      await ask(poll)
      poll.failures = 0
      return everyMs
    } catch (error) {
      if (poll.failures === 0) log(error)
      poll.isChanged = true
      const hintMs = error instanceof PpoppoError ? (error.retryAfterMs ?? 0) : 0
      return Math.max(hintMs, Math.min(RETRY_MS * 2 ** poll.failures++, LONGEST_RETRY_MS))
    }
  }

  async function catchUp(poll: Watched): Promise<void> {
    if (!poll.isChanged || poll.isBusy || poll.watchers.size === 0) return
    poll.isChanged = false
    poll.isBusy = true
    const waitMs = await askCarefully(poll)
    if (poll.watchers.size === 0) return
    poll.timer = setTimeout(() => {
      poll.isBusy = false
      void catchUp(poll)
    }, waitMs)
  }

  function changed(poll: Watched): void {
    poll.isChanged = true
    void catchUp(poll)
  }

  return {
    watch(accountId, sendId, show) {
      if (sends.find(accountId, sendId)?.template !== 'poll') return undefined
      const known = polls.get(sendId)
      const poll = known ?? { accountId, sendId, watchers: new Set(), isChanged: false, isBusy: false, failures: 0 }
      polls.set(sendId, poll)
      poll.watchers.add(show)
      changed(poll)
      return {
        changed: () => changed(poll),
        leave() {
          poll.watchers.delete(show)
          if (poll.watchers.size > 0) return
          clearTimeout(poll.timer)
          if (polls.get(sendId) === poll) polls.delete(sendId)
        },
      }
    },
  }
}
