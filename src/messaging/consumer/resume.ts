/* Where a term as the active consumer begins. Pure: decided by what the store has and what this process remembers. */
import { PpoppoError } from '../../errors.js'
import type { Acquired } from '../../store/consumer-store.js'
import type { ConsumeSettings } from './term/settings.js'
import { type Checkpoint, parseCheckpoint } from './term/stored-texts.js'

/** What a process remembers of its own last term. */
export interface OwnTerm {
  readonly fence: number
  /** The process was suspended, or busy, for longer than its lease: perhaps because of the event it was handling. */
  readonly wasLate: boolean
  /** The checkpoint that it saved last. */
  readonly saved?: Checkpoint
}

/** Where a term begins. */
export interface Start {
  readonly checkpoint: Checkpoint
  /** The store has lost its checkpoint, and this one replaces it. */
  readonly acceptsLoss?: true
}

/** What {@link toStart} decides by. */
export interface StartParts {
  readonly settings: ConsumeSettings
  /** The store's answer to the request for the lease. */
  readonly acquired: Acquired
  /** The last term of this process, if it had one. */
  readonly own: OwnTerm | undefined
  /** The server's time in milliseconds since the epoch, or a little before it. */
  readonly serverNow: () => number
}

/**
 * Decides where a term begins.
 * @throws `cursor_lost` if the position is lost and `onCursorLost` is `fail`
 */
export function toStart(parts: StartParts): Start {
  const { settings, acquired, own, serverNow } = parts
  const stored = parseCheckpoint(acquired.checkpoint)
  if (acquired.isLost !== true && stored !== undefined) return { checkpoint: withSuspects(stored, parts) }
  // A store that lost the position has lost the queue of the workers too.
  const saved = settings.fanOut === undefined ? own?.saved : undefined
  if (saved !== undefined) return { checkpoint: saved, acceptsLoss: true }
  if (acquired.isLost !== true && own?.saved === undefined) {
    return { checkpoint: withSuspects(toBeginning(settings), parts) }
  }
  return { checkpoint: afterLoss(settings, serverNow()), acceptsLoss: true }
}

function afterLoss({ name, onCursorLost }: ConsumeSettings, now: number): Checkpoint {
  if (onCursorLost !== 'fail') return toPlaceAfterLoss(onCursorLost, now)
  throw new PpoppoError(
    'cursor_lost',
    `Redis has lost the position of the consumer ${name} in the stream, or the queue of its workers: evicted, or deleted by hand. Events may be missing. Set "maxmemory-policy noeviction", then choose with "onCursorLost" where to continue.`,
  )
}

/**
 * Where to continue once the position in the stream is lost. Which events the server sends to a reader without a cursor is
 * not published: all it has, or only new ones. `latest` must not mean the whole past, so older events are skipped.
 */
export function toPlaceAfterLoss(policy: 'latest' | 'earliest', now: number): Checkpoint {
  return { ahead: [], ...(policy === 'latest' && { skipsBefore: now }) }
}

/** Adds how many events behind the cursor may have killed the last process. */
function withSuspects({ reach: atWork = 0, ...checkpoint }: Checkpoint, parts: StartParts): Checkpoint {
  const { settings, acquired, own } = parts
  const { lastFence } = acquired
  // Nobody had the lease before, or this process had it and is still alive.
  if (lastFence === undefined || (own?.fence === lastFence && !own.wasLate)) return checkpoint
  // A process that saved nothing under its fence may have begun as many events as are allowed before the first commit.
  const reach = checkpoint.term === lastFence ? atWork : Math.max(atWork, settings.maxInFlight)
  return { ...checkpoint, ...(reach > 0 ? { reach } : {}) }
}

function toBeginning({ after }: ConsumeSettings): Checkpoint {
  return after === undefined ? { ahead: [] } : { cursor: after, ahead: [] }
}
