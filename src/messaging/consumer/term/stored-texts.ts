/* What a consumer keeps in its store, as texts: dead letters, entries of the queue, and the checkpoint. */
import { randomUUID } from 'node:crypto'
import { isPlainObject, parseJsonObject } from '../../../lib/guards.js'
import type { StoredDeadLetter } from '../../../store/consumer-store.js'
import { toUlidDate } from '../../lib/ulid.js'
import type { DeadLetter } from '../../types/consumer.js'
import type { MessagingEvent } from '../../types/events.js'
import { toDate } from '../../wire/convert.js'

function toEventText(event: MessagingEvent): string {
  return JSON.stringify(event)
}

/** @returns nothing for a text that this library did not write */
function parseEventText(text: string): MessagingEvent | undefined {
  return toEvent(parseJsonObject(text), new Date())
}

/** Converts a dead letter to what the store keeps. An event without an id is never a duplicate. */
export function toLetter(letter: DeadLetter): StoredDeadLetter {
  return { id: letter.event.eventId || randomUUID(), text: JSON.stringify(letter) }
}

/** Reads what {@link toLetter} wrote. @returns nothing for a text that this library did not write */
export function parseLetterText(text: string): DeadLetter | undefined {
  const value = parseJsonObject(text)
  const failedAt = toDate(value?.['failedAt']) ?? new Date()
  const event = toEvent(value?.['event'], failedAt)
  if (value === undefined || event === undefined) return undefined
  return { event, error: String(value['error'] ?? ''), attempts: Number(value['attempts']), failedAt }
}

/** @param otherwise when it happened if the text does not say: earlier versions stored such events */
function toEvent(value: unknown, otherwise: Date): MessagingEvent | undefined {
  if (!isPlainObject(value) || typeof value['eventId'] !== 'string' || typeof value['type'] !== 'string')
    return undefined
  // The rest is as toEventText wrote it.
  const event = value as unknown as MessagingEvent
  return { ...event, occurredAt: toDate(value['occurredAt']) ?? toUlidDate(event.eventId) ?? otherwise }
}

/** An event in the queue. */
export interface WorkItem {
  readonly event: MessagingEvent
  /** That of the consumer that read it. */
  readonly fence: number
}

/** Converts an event to an entry of the queue. */
export function toEntryText(event: MessagingEvent, fence: number): string {
  return `${fence}:${toEventText(event)}`
}

/** Reads what {@link toEntryText} wrote. @returns nothing for a text that this library did not write */
export function parseEntryText(text: string): WorkItem | undefined {
  const at = text.indexOf(':')
  const event = parseEventText(text.slice(at + 1))
  return event && { event, fence: Number(text.slice(0, at)) }
}

/** How far a consumer has got. */
export interface Checkpoint {
  /** Everything up to this event is handled. Absent at the beginning. */
  readonly cursor?: string
  /** Later events that are handled too: one that takes long holds up only those of its own send. */
  readonly ahead: readonly string[]
  /** Events that happened before this time (milliseconds since the epoch) count as handled: `onCursorLost: 'latest'`. */
  readonly skipsBefore?: number
  /** The fence under which this was saved. */
  readonly term?: number
  /**
   * How many events after the cursor, in the order of the stream, may have been begun since: one of them may have killed
   * the process. Absent after a clean end.
   */
  readonly reach?: number
  /** How often an open event was begun alone after a process had died, by its id. */
  readonly deliveries?: Readonly<Record<string, number>>
}

/** The checkpoint of a consumer that has handled nothing. */
export const BEGINNING: Checkpoint = { ahead: [] }

/** Converts a checkpoint to what the store keeps. */
export function toCheckpointText(checkpoint: Checkpoint): string {
  return JSON.stringify(checkpoint)
}

/** Reads what {@link toCheckpointText} wrote. @returns nothing for anything else: the stream is read from its beginning */
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
