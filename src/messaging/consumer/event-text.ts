/** Events and dead letters as texts in the store. */
import { randomUUID } from 'node:crypto'
import { isPlainObject, parseJsonObject } from '../../lib/guards.js'
import type { Letter } from '../../store/consumers.js'
import type { DeadLetter } from '../consumer-types.js'
import type { MessagingEvent } from '../event-types.js'

/** An `occurredAt` that is no date becomes `null` in JSON, and no date again. */
export function toEventText(event: MessagingEvent): string {
  return JSON.stringify(event)
}

/** @returns nothing for what this library did not write */
export function parseEventText(text: string): MessagingEvent | undefined {
  return toEvent(parseJsonObject(text))
}

/** As the store keeps it. An event that came without an id is like no other. */
export function toLetter(letter: DeadLetter): Letter {
  return { id: letter.event.eventId || randomUUID(), text: JSON.stringify(letter) }
}

/** @returns nothing for what this library did not write */
export function parseLetterText(text: string): DeadLetter | undefined {
  const value = parseJsonObject(text)
  const event = toEvent(value?.['event'])
  if (value === undefined || event === undefined) return undefined
  return {
    event,
    error: String(value['error'] ?? ''),
    attempts: Number(value['attempts']),
    failedAt: toDate(value['failedAt']),
  }
}

function toEvent(value: unknown): MessagingEvent | undefined {
  if (!isPlainObject(value) || typeof value['eventId'] !== 'string' || typeof value['type'] !== 'string')
    return undefined
  // The rest is as toEventText wrote it.
  return { ...(value as unknown as MessagingEvent), occurredAt: toDate(value['occurredAt']) }
}

function toDate(value: unknown): Date {
  return new Date(typeof value === 'string' ? value : Number.NaN)
}
