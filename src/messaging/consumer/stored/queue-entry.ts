/** What goes from the active consumer to the workers: an event, and the fencing number it was read under. */
import type { MessagingEvent } from '../../types/events.js'
import { parseEventText, toEventText } from './event-text.js'

export interface WorkItem {
  readonly event: MessagingEvent
  readonly fence: number
}

export function toEntryText(event: MessagingEvent, fence: number): string {
  return `${fence}:${toEventText(event)}`
}

/** @returns nothing for what this library did not write */
export function parseEntryText(text: string): WorkItem | undefined {
  const at = text.indexOf(':')
  const event = parseEventText(text.slice(at + 1))
  return event && { event, fence: Number(text.slice(0, at)) }
}
