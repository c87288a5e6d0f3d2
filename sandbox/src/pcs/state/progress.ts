import { createUlid } from '../../lib/ulid.js'
import type { EventType } from './event-log.js'
import type { PcsState } from './pcs-state.js'
import { openPoll, queueAnswer } from './poll-progress.js'
import { isFinished, type Recipient, type SendRequest } from './send-book.js'
import { outcomeFor } from './test-numbers.js'

/** In how many steps the recipients of one request are worked off. */
const STEPS = 4

/** Sets a request on its way: QUEUED, PROCESSING, a share of the recipients at each step, COMPLETED. */
export function beginProgress(state: PcsState, send: SendRequest): void {
  if (isFinished(send)) return
  state.schedule.later(state.switches.pcsStepMs, () => {
    if (send.status === 'QUEUED') send.status = 'PROCESSING'
    else decideSome(state, send)
    state.changed()
    goOn(state, send)
  })
}

function goOn(state: PcsState, send: SendRequest): void {
  if (send.recipients.some((recipient) => recipient.state === 'undecided')) return beginProgress(state, send)
  if (send.pendingConsent === 0) return complete(state, send)
  state.schedule.later(state.switches.pcsConsentMs, () => {
    for (const recipient of send.recipients) if (recipient.state === 'pending_consent') settle(state, send, recipient)
    complete(state, send)
    state.changed()
  })
}

function decideSome(state: PcsState, send: SendRequest): void {
  const undecided = send.recipients.filter((recipient) => recipient.state === 'undecided')
  for (const recipient of undecided.slice(0, Math.ceil(send.total / STEPS))) decide(state, send, recipient)
}

function decide(state: PcsState, send: SendRequest, recipient: Recipient): void {
  const outcome = send.isDoomed ? 'failed' : outcomeFor(recipient.ppnum)
  if (outcome === 'delivered') return deliver(state, send, recipient)
  if (outcome === 'failed') {
    recipient.state = 'failed'
    send.failed += 1
    return record(state, send, 'RECIPIENT_FAILED', { ppnum: recipient.ppnum, error_code: 'DELIVERY_FAILED' })
  }
  recipient.state = 'pending_consent'
  send.pendingConsent += 1
  record(state, send, 'RECIPIENT_PENDING_CONSENT', { ppnum: recipient.ppnum })
}

/** The person has answered whether this app may write to them. A refusal counts as failed. */
function settle(state: PcsState, send: SendRequest, recipient: Recipient): void {
  send.pendingConsent -= 1
  if (outcomeFor(recipient.ppnum) === 'consent-then-delivered') {
    record(state, send, 'CONSENT_GRANTED', { ppnum: recipient.ppnum })
    return deliver(state, send, recipient)
  }
  recipient.state = 'consent_denied'
  send.failed += 1
  record(state, send, 'CONSENT_DENIED', { ppnum: recipient.ppnum, error_code: 'CONSENT_DENIED' })
}

function deliver(state: PcsState, send: SendRequest, recipient: Recipient): void {
  recipient.state = 'delivered'
  recipient.messageId = `msg_${createUlid()}`
  send.delivered += 1
  record(state, send, 'RECIPIENT_DELIVERED', { ppnum: recipient.ppnum, message_id: recipient.messageId })
  queueAnswer(state, send, recipient.ppnum)
}

function complete(state: PcsState, send: SendRequest): void {
  send.status = send.isDoomed ? 'FAILED' : 'COMPLETED'
  const { delivered, failed } = send
  state.events.append({ send_request_id: send.id, event_type: 'REQUEST_COMPLETED', summary: { delivered, failed } })
}

function record(
  state: PcsState,
  send: SendRequest,
  type: EventType,
  recipient: { readonly ppnum: string; readonly message_id?: string; readonly error_code?: string },
): void {
  state.events.append({ send_request_id: send.id, event_type: type, recipient })
}

/** A request has just been accepted: its poll opens, and it sets off. */
export function launch(state: PcsState, send: SendRequest): void {
  openPoll(state, send)
  beginProgress(state, send)
  state.changed()
}
