import { parseJsonObject } from '../../lib/guards.js'

/** How far a consumer is. */
export interface Checkpoint {
  /** Everything up to this event is handled; absent at the beginning. */
  readonly cursor?: string
  /** Events after it that are handled, too: one that takes long holds up none but its own. */
  readonly ahead: readonly string[]
  /** Events that happened before count as handled, in milliseconds since the epoch: `onCursorLost: 'latest'`. */
  readonly skipsBefore?: number
}

export const BEGINNING: Checkpoint = { ahead: [] }

export function toCheckpointText(checkpoint: Checkpoint): string {
  return JSON.stringify(checkpoint)
}

/** What cannot be read counts as no checkpoint: the stream is read from where the server begins. */
export function parseCheckpoint(text: string | undefined): Checkpoint | undefined {
  const value = text === undefined ? undefined : parseJsonObject(text)
  if (value === undefined) return undefined
  const { cursor, ahead, skipsBefore } = value
  return {
    ...(typeof cursor === 'string' && cursor !== '' ? { cursor } : {}),
    ahead: Array.isArray(ahead) ? ahead.filter((id) => typeof id === 'string') : [],
    ...(typeof skipsBefore === 'number' ? { skipsBefore } : {}),
  }
}
