import type { MessagingEvent } from '../../../../src/messaging/types/events.js'

/** The event at a place in a made-up stream; ids sort by place. @param sends how many sends the events belong to, in turn */
export function eventAt(place: number, sends = 1): MessagingEvent {
  return {
    eventId: `evt_${String(place).padStart(9, '0')}`,
    sendRequestId: `snd_${place % sends}`,
    type: 'recipient_delivered',
    recipient: { ppnum: '12345678901', messageId: `msg_${place}` },
    occurredAt: new Date(1_700_000_000_000 + place),
  }
}
