/** Events and dead letters as texts in the store. */
import { randomUUID } from 'node:crypto'
import { isPlainObject, parseJsonObject } from '../../../lib/guards.js'
import type { Letter } from '../../../store/consumer-store.js'
import { toUlidDate } from '../../lib/ulid.js'
import type { DeadLetter } from '../../types/consumer.js'
import type { MessagingEvent } from '../../types/events.js'
import { toDate } from '../../wire/convert.js'

export function toEventText(event: MessagingEvent): string {
  return JSON.stringify(event)
}

/** @returns nothing for what this library did not write */
export function parseEventText(text: string): MessagingEvent | undefined {
  return toEvent(parseJsonObject(text), new Date())
}

/** As the store keeps it. An event that came without an id is like no other. */
export function toLetter(letter: DeadLetter): Letter {
  return { id: letter.event.eventId || randomUUID(), text: JSON.stringify(letter) }
}

/** @returns nothing for what this library did not write */
export function parseLetterText(text: string): DeadLetter | undefined {
  const value = parseJsonObject(text)
  const failedAt = toDate(value?.['failedAt']) ?? new Date()
  const event = toEvent(value?.['event'], failedAt)
  if (value === undefined || event === undefined) return undefined
  return { event, error: String(value['error'] ?? ''), attempts: Number(value['attempts']), failedAt }
}

/** @param otherwise when it happened, where the text does not tell: earlier versions stored such events */
function toEvent(value: unknown, otherwise: Date): MessagingEvent | undefined {
  if (!isPlainObject(value) || typeof value['eventId'] !== 'string' || typeof value['type'] !== 'string')
    return undefined
  // The rest is as toEventText wrote it.
  const event = value as unknown as MessagingEvent
  return { ...event, occurredAt: toDate(value['occurredAt']) ?? toUlidDate(event.eventId) ?? otherwise }
}
