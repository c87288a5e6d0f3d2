import type { JsonObject } from '../../lib/json.js'
import type { PollConfig } from './parse-send.js'
import type { PcsState } from './pcs-state.js'
import { renderTemplate } from './render.js'
import type { Recipient, RecipientState, SendRequest, SendStatus } from './send-book.js'

/** A send request as it was received, and how far it is. */
export interface ReceivedSend {
  readonly id: string
  readonly templateId: string
  readonly status: SendStatus
  readonly acceptedAt: string
  readonly total: number
  readonly delivered: number
  readonly pendingConsent: number
  readonly failed: number
  readonly pollConfig?: PollConfig
  /** Empty once it is finished and a hundred thousand newer recipients needed the room. */
  readonly recipients: readonly ReceivedRecipient[]
  /** The whole request as it came over the wire; a state file does not keep it. */
  readonly requestBytes?: Uint8Array
}

export interface ReceivedRecipient {
  readonly ppnum: string
  /** What `google.protobuf.Struct` carried, as a plain object. */
  readonly vars: JsonObject
  readonly state: RecipientState
  readonly messageId?: string
}

/** A delivered message. */
export interface RenderedMessage {
  readonly messageId: string
  readonly sendRequestId: string
  readonly ppnum: string
  readonly text: string
}

export function describeSend({ sends }: PcsState, send: SendRequest): ReceivedSend {
  const { isDoomed: _isDoomed, recipients, ...facts } = send
  const requestBytes = sends.requestBytesOf(send)
  return {
    ...facts,
    recipients: recipients.map((recipient) => ({ ...recipient })),
    ...(requestBytes !== undefined && { requestBytes }),
  }
}

export function renderedMessages(state: PcsState): readonly RenderedMessage[] {
  return state.sends.all.flatMap((send) => send.recipients.flatMap((recipient) => rendered(state, send, recipient)))
}

/** Rendered when asked for: a template never changes. */
function rendered(state: PcsState, send: SendRequest, recipient: Recipient): readonly RenderedMessage[] {
  const template = state.templates.find(send.templateId)
  const { messageId, ppnum, vars } = recipient
  if (messageId === undefined || template === undefined) return []
  return [{ messageId, sendRequestId: send.id, ppnum, text: renderTemplate(template, vars) }]
}
