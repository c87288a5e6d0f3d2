import { createUlid } from '../../lib/ulid.js'
import type { EventType } from './event-log.js'
import type { PcsState } from './pcs-state.js'
import { openPoll, queueAnswer } from './poll-progress.js'
import { isFinished, type Recipient, type RecipientState, type SendRequest } from './send-book.js'
import { outcomeFor } from './test-numbers.js'

/** In how many steps the recipients of one request are decided. */
const STEPS = 4

/** What can become of a message to one person: of one under way the first three, of one that waits for consent the others. */
export const DECISIONS = ['deliver', 'fail', 'ask-consent', 'grant', 'deny'] as const
export type Decision = (typeof DECISIONS)[number]

type Effect = (state: PcsState, send: SendRequest, recipient: Recipient) => void

const EFFECTS: { readonly [D in Decision]: { readonly from: RecipientState; readonly apply: Effect } } = {
  deliver: { from: 'undecided', apply: deliver },
  fail: { from: 'undecided', apply: fail },
  'ask-consent': { from: 'undecided', apply: askConsent },
  grant: { from: 'pending_consent', apply: grant },
  deny: { from: 'pending_consent', apply: deny },
}

/** Starts a request: QUEUED, PROCESSING, a share of the recipients at each step, COMPLETED. */
export function beginProgress(state: PcsState, send: SendRequest): void {
  if (isFinished(send)) return
  state.schedule.later(state.switches.pcsStepMs, () => {
    if (isFinished(send)) return
    if (send.status === 'QUEUED') start(state, send)
    else if (!state.switches.pcsHold) decideSome(state, send)
    goOn(state, send)
  })
}

/** Somebody decides about one message now. @throws TypeError where there is nothing to decide */
export function decideOne(state: PcsState, send: SendRequest, ppnum: string, decision: Decision): void {
  const recipient = send.recipients.find((one) => one.ppnum === ppnum)
  if (recipient === undefined) throw new TypeError(`"ppnum" must be a recipient of ${send.id}`)
  const { from, apply } = EFFECTS[decision]
  if (recipient.state !== from)
    throw new TypeError(`"decision" must fit: the message to ${ppnum} is ${recipient.state}`)
  if (send.status === 'QUEUED') send.status = 'PROCESSING'
  apply(state, send, recipient)
  if (isDecided(send)) complete(state, send)
  state.changed()
}

function start(state: PcsState, send: SendRequest): void {
  send.status = 'PROCESSING'
  state.changed()
}

function goOn(state: PcsState, send: SendRequest): void {
  if (send.recipients.some((recipient) => recipient.state === 'undecided')) return beginProgress(state, send)
  if (isDecided(send)) return complete(state, send)
  settleLater(state, send)
}

function settleLater(state: PcsState, send: SendRequest): void {
  state.schedule.later(state.switches.pcsConsentMs, () => {
    if (isFinished(send)) return
    if (state.switches.pcsHold) return settleLater(state, send)
    for (const recipient of send.recipients) if (recipient.state === 'pending_consent') settle(state, send, recipient)
    complete(state, send)
  })
}

function decideSome(state: PcsState, send: SendRequest): void {
  const undecided = send.recipients.filter((recipient) => recipient.state === 'undecided')
  for (const recipient of undecided.slice(0, Math.ceil(send.total / STEPS))) decide(state, send, recipient)
  state.changed()
}

function decide(state: PcsState, send: SendRequest, recipient: Recipient): void {
  const outcome = send.isDoomed ? 'failed' : outcomeFor(recipient.ppnum)
  if (outcome === 'delivered') deliver(state, send, recipient)
  else if (outcome === 'failed') fail(state, send, recipient)
  else askConsent(state, send, recipient)
}

/** The person has answered whether this app may write to them. */
function settle(state: PcsState, send: SendRequest, recipient: Recipient): void {
  if (outcomeFor(recipient.ppnum) === 'consent-denied') deny(state, send, recipient)
  else grant(state, send, recipient)
}

function deliver(state: PcsState, send: SendRequest, recipient: Recipient): void {
  recipient.state = 'delivered'
  recipient.messageId = `msg_${createUlid()}`
  send.delivered += 1
  record(state, send, 'RECIPIENT_DELIVERED', { ppnum: recipient.ppnum, message_id: recipient.messageId })
  queueAnswer(state, send, recipient.ppnum)
}

function fail(state: PcsState, send: SendRequest, recipient: Recipient): void {
  recipient.state = 'failed'
  send.failed += 1
  record(state, send, 'RECIPIENT_FAILED', { ppnum: recipient.ppnum, error_code: 'DELIVERY_FAILED' })
}

function askConsent(state: PcsState, send: SendRequest, recipient: Recipient): void {
  recipient.state = 'pending_consent'
  send.pendingConsent += 1
  record(state, send, 'RECIPIENT_PENDING_CONSENT', { ppnum: recipient.ppnum })
}

function grant(state: PcsState, send: SendRequest, recipient: Recipient): void {
  send.pendingConsent -= 1
  record(state, send, 'CONSENT_GRANTED', { ppnum: recipient.ppnum })
  deliver(state, send, recipient)
}

/** A refusal counts as failed. */
function deny(state: PcsState, send: SendRequest, recipient: Recipient): void {
  send.pendingConsent -= 1
  recipient.state = 'consent_denied'
  send.failed += 1
  record(state, send, 'CONSENT_DENIED', { ppnum: recipient.ppnum, error_code: 'CONSENT_DENIED' })
}

function isDecided(send: SendRequest): boolean {
  return send.pendingConsent === 0 && send.recipients.every((recipient) => recipient.state !== 'undecided')
}

function complete(state: PcsState, send: SendRequest): void {
  send.status = send.isDoomed ? 'FAILED' : 'COMPLETED'
  const { delivered, failed } = send
  state.events.append({ send_request_id: send.id, event_type: 'REQUEST_COMPLETED', summary: { delivered, failed } })
  state.changed()
}

function record(
  state: PcsState,
  send: SendRequest,
  type: EventType,
  recipient: { readonly ppnum: string; readonly message_id?: string; readonly error_code?: string },
): void {
  state.events.append({ send_request_id: send.id, event_type: type, recipient })
}

/** A request has just been accepted: its poll opens, and it starts. */
export function launch(state: PcsState, send: SendRequest): void {
  openPoll(state, send)
  beginProgress(state, send)
  state.changed()
}
