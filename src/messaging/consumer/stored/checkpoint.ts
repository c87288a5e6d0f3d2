import { isPlainObject, parseJsonObject } from '../../../lib/guards.js'

/** How far a consumer is. */
export interface Checkpoint {
  /** Everything up to this event is handled; absent at the beginning. */
  readonly cursor?: string
  /** Events after it that are handled, too: one that takes long holds up none but its own. */
  readonly ahead: readonly string[]
  /** Events that happened before count as handled, in milliseconds since the epoch: `onCursorLost: 'latest'`. */
  readonly skipsBefore?: number
  /** The fence under which this was saved. */
  readonly term?: number
  /**
   * How many events after the cursor, in the order of the stream, may have been begun since: those that a process may
   * have died of. Absent: none, it ended in good order.
   */
  readonly reach?: number
  /** How often an event that is not handled was begun alone, after a process had died. */
  readonly deliveries?: Readonly<Record<string, number>>
}

export const BEGINNING: Checkpoint = { ahead: [] }

export function toCheckpointText(checkpoint: Checkpoint): string {
  return JSON.stringify(checkpoint)
}

/** What cannot be read counts as no checkpoint: the stream is read from where the server begins. */
export function parseCheckpoint(text: string | undefined): Checkpoint | undefined {
  const value = text === undefined ? undefined : parseJsonObject(text)
  if (value === undefined) return undefined
  const { cursor, ahead, skipsBefore, term, reach, deliveries } = value
  return {
    ...(typeof cursor === 'string' && cursor !== '' ? { cursor } : {}),
    ahead: Array.isArray(ahead) ? ahead.filter((id) => typeof id === 'string') : [],
    ...(typeof skipsBefore === 'number' ? { skipsBefore } : {}),
    ...(typeof term === 'number' ? { term } : {}),
    ...(typeof reach === 'number' && reach > 0 ? { reach } : {}),
    ...(isPlainObject(deliveries) ? { deliveries: onlyNumbers(deliveries) } : {}),
  }
}

function onlyNumbers(counts: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> {
  const entries = Object.entries(counts).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  return Object.fromEntries(entries)
}
