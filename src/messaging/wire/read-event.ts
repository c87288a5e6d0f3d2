/* Delivery events, bytes -> public, without an object in between: a stream brings many thousands a second. */
import { toUlidDate } from '../lib/ulid.js'
import type { MessagingEvent, MessagingEventType } from '../types/events.js'
import { toDate } from './convert.js'
import { ProtoReader } from './protobuf.js'

type Writable<Shape> = { -readonly [Name in keyof Shape]: Shape[Name] }
type Recipient = NonNullable<MessagingEvent['recipient']>
type Summary = NonNullable<MessagingEvent['summary']>

/** The fields of an event, as paths from its message. */
export const EVENT_FIELDS = [
  'event_id',
  'send_request_id',
  'event_type',
  'recipient',
  'recipient.ppnum',
  'recipient.message_id',
  'recipient.error_code',
  'summary',
  'summary.delivered',
  'summary.failed',
  'occurred_at',
] as const

/** What a descriptor says about events. */
export interface EventShape {
  /** The number of each field; `undefined` for one that is not there. */
  readonly numbers: { readonly [path in (typeof EVENT_FIELDS)[number]]: number | undefined }
  /** The event type for each number of the enum. */
  readonly types: ReadonlyMap<number, MessagingEventType>
}

/**
 * Reads an event. The result is the same as what `fromEvent` makes of the message as decoded by its descriptor.
 * @param now when it arrived, in milliseconds since the epoch, for an event without a readable time
 * @throws Unexpected if the bytes are not what the descriptor says
 */
export function readEvent(bytes: Buffer, { numbers, types }: EventShape, now: () => number): MessagingEvent {
  const reader = new ProtoReader(bytes)
  // Without a type on the wire it is unknown, whatever value of the enum is 0.
  let type = -1
  let eventId = ''
  let sendRequestId = ''
  let occurredAt = ''
  let recipient: Recipient | undefined
  let summary: Summary | undefined
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === numbers.event_id) eventId = reader.string()
    else if (field === numbers.send_request_id) sendRequestId = reader.string()
    else if (field === numbers.event_type) type = reader.uint31()
    else if (field === numbers.recipient) recipient = readRecipient(reader, numbers)
    else if (field === numbers.summary) summary = readSummary(reader, numbers)
    else if (field === numbers.occurred_at) occurredAt = reader.string()
    else reader.skip()
  }
  const event: Writable<MessagingEvent> = {
    eventId,
    sendRequestId,
    type: types.get(type) ?? 'unknown',
    occurredAt: toDate(occurredAt) ?? toUlidDate(eventId) ?? new Date(now()),
  }
  if (recipient !== undefined) event.recipient = recipient
  if (summary !== undefined) event.summary = summary
  return event
}

function readRecipient(reader: ProtoReader, numbers: EventShape['numbers']): Recipient {
  const outer = reader.enter()
  let ppnum = ''
  let messageId = ''
  let errorCode = ''
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === numbers['recipient.ppnum']) ppnum = reader.string()
    else if (field === numbers['recipient.message_id']) messageId = reader.string()
    else if (field === numbers['recipient.error_code']) errorCode = reader.string()
    else reader.skip()
  }
  reader.leave(outer)
  const recipient: Writable<Recipient> = { ppnum }
  if (messageId !== '') recipient.messageId = messageId
  if (errorCode !== '') recipient.errorCode = errorCode
  return recipient
}

function readSummary(reader: ProtoReader, numbers: EventShape['numbers']): Summary {
  const outer = reader.enter()
  let delivered = 0
  let failed = 0
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === numbers['summary.delivered']) delivered = reader.uint31()
    else if (field === numbers['summary.failed']) failed = reader.uint31()
    else reader.skip()
  }
  reader.leave(outer)
  return { delivered, failed }
}
