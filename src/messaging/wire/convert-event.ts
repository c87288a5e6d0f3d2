/* Delivery events, wire -> public: by hand and leniently, like all responses. */
import { isPlainObject } from '../../lib/guards.js'
import { toUlidDate } from '../lib/ulid.js'
import type { MessagingEvent, MessagingEventType } from '../types/events.js'
import { toDate, toNumber, toText } from './convert.js'
import { isValueNamed } from './rpcs.js'

type Wire = Readonly<Record<string, unknown>>
type Writable<Shape> = { -readonly [Name in keyof Shape]: Shape[Name] }

const TYPES = {
  RECIPIENT_DELIVERED: 'recipient_delivered',
  RECIPIENT_FAILED: 'recipient_failed',
  RECIPIENT_PENDING_CONSENT: 'recipient_pending_consent',
  CONSENT_GRANTED: 'consent_granted',
  CONSENT_DENIED: 'consent_denied',
  REQUEST_COMPLETED: 'request_completed',
  POLL_RESPONSE_RECEIVED: 'poll_response_received',
} as const satisfies Readonly<Record<string, MessagingEventType>>

/** Cache of enum value names: at most as many as the descriptor's enum has values, plus those below. */
const typeOf = new Map<string, MessagingEventType>(Object.entries(TYPES))

/**
 * An event of the stream. Values that the descriptor does not know become `'unknown'`, absent or `''`.
 * @param now when it arrived, in milliseconds since the epoch, for an event without a readable time
 */
export function fromEvent(wire: Wire, now: () => number = Date.now): MessagingEvent {
  const { recipient, summary } = wire
  const eventId = toText(wire['event_id'])
  // Member by member: spreading optional members takes twice as long, and this runs for every event.
  const event: Writable<MessagingEvent> = {
    eventId,
    sendRequestId: toText(wire['send_request_id']),
    type: toEventType(wire['event_type']),
    occurredAt: toDate(wire['occurred_at']) ?? toUlidDate(eventId) ?? new Date(now()),
  }
  if (isPlainObject(recipient)) event.recipient = fromRecipient(recipient)
  if (isPlainObject(summary)) {
    event.summary = { delivered: toNumber(summary['delivered']), failed: toNumber(summary['failed']) }
  }
  return event
}

function fromRecipient(wire: Wire): NonNullable<MessagingEvent['recipient']> {
  const recipient: Writable<NonNullable<MessagingEvent['recipient']>> = { ppnum: toText(wire['ppnum']) }
  const messageId = toText(wire['message_id'])
  const errorCode = toText(wire['error_code'])
  if (messageId !== '') recipient.messageId = messageId
  if (errorCode !== '') recipient.errorCode = errorCode
  return recipient
}

/** @param value the name of an enum value; one that the descriptor does not know arrives as a number */
export function toEventType(value: unknown): MessagingEventType {
  if (typeof value !== 'string') return 'unknown'
  const known = typeOf.get(value)
  if (known !== undefined) return known
  const type = Object.entries(TYPES).find(([wireName]) => isValueNamed(value, wireName))?.[1] ?? 'unknown'
  typeOf.set(value, type)
  return type
}
