/* Where a term as the active consumer begins: pure, by what the store has and what this process knows. */
import { PpoppoError } from '../../errors.js'
import type { Acquired } from '../../store/consumer-store.js'
import type { ConsumeSettings } from './term/settings.js'
import { type Checkpoint, parseCheckpoint } from './term/stored-texts.js'

/** What a process remembers of its own last term. */
export interface OwnTerm {
  readonly fence: number
  /** It was stopped, or busy, for longer than its lease: perhaps by the very event it was at. */
  readonly wasLate: boolean
  /** What it saved last. */
  readonly saved?: Checkpoint
}

/** Where to begin. */
export interface Start {
  readonly checkpoint: Checkpoint
  /** The store has lost what was there. */
  readonly acceptsLoss?: true
}

/**
 * @param serverNow the server's time, or a little before it
 * @throws `cursor_lost` when the place is lost and `onCursorLost` is `fail`
 */
export function toStart(
  settings: ConsumeSettings,
  acquired: Acquired,
  own: OwnTerm | undefined,
  serverNow: () => number,
): Start {
  const stored = parseCheckpoint(acquired.checkpoint)
  if (acquired.isLost !== true && stored !== undefined)
    return { checkpoint: withSuspects(stored, settings, acquired, own) }
  // With workers a store that lost the place has lost what waited for them, too.
  const saved = settings.fanOut === undefined ? own?.saved : undefined
  if (saved !== undefined) return { checkpoint: saved, acceptsLoss: true }
  if (acquired.isLost !== true && own?.saved === undefined)
    return { checkpoint: withSuspects(beginning(settings), settings, acquired, own) }
  return { checkpoint: afterLoss(settings, serverNow()), acceptsLoss: true }
}

/** Where to go on once the place in the stream is lost. @throws `cursor_lost` when the settings say so */
function afterLoss({ name, onCursorLost }: ConsumeSettings, now: number): Checkpoint {
  if (onCursorLost !== 'fail') return toPlaceAfterLoss(onCursorLost, now)
  throw new PpoppoError(
    'cursor_lost',
    `Redis has lost the place of the consumer ${name} in the stream, or what waited for its workers: evicted, or deleted by hand. Events may be missed. Set "maxmemory-policy noeviction", then choose with "onCursorLost" where to go on.`,
  )
}

/**
 * What a server gives to a reader without a cursor is not published: all it has, or only what comes. "Latest" must not
 * mean the whole past again, so what happened before now is passed over.
 */
export function toPlaceAfterLoss(policy: 'latest' | 'earliest', now: number): Checkpoint {
  return { ahead: [], ...(policy === 'latest' && { skipsBefore: now }) }
}

/** How many events after the cursor the last process may have died of. */
function withSuspects(
  { reach: atWork = 0, ...checkpoint }: Checkpoint,
  { maxInFlight }: ConsumeSettings,
  { lastFence }: Acquired,
  own: OwnTerm | undefined,
): Checkpoint {
  // Nobody had the lease before, or this process had it, and is there.
  if (lastFence === undefined || (own?.fence === lastFence && !own.wasLate)) return checkpoint
  // Who saved nothing under its fence may have begun as many as one may before that.
  const reach = checkpoint.term === lastFence ? atWork : Math.max(atWork, maxInFlight)
  return { ...checkpoint, ...(reach > 0 ? { reach } : {}) }
}

function beginning({ after }: ConsumeSettings): Checkpoint {
  return after === undefined ? { ahead: [] } : { cursor: after, ahead: [] }
}
