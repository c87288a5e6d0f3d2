import type { PcsState } from './pcs-state.js'
import type { Poll } from './poll-book.js'
import { renderTemplate } from './render.js'
import type { Recipient, RecipientState, SendRequest } from './send-book.js'

/** A message to one person, as they see it, or would once it is delivered. */
export interface InboxMessage {
  readonly sendRequestId: string
  readonly ppnum: string
  readonly templateId: string
  /** With its placeholders filled. */
  readonly text: string
  readonly state: RecipientState
  /** RFC 3339. */
  readonly acceptedAt: string
  readonly poll?: InboxPoll
}

/** The poll in a message. */
export interface InboxPoll {
  readonly id: string
  readonly options: readonly string[]
  /** What this person has answered, oldest first. */
  readonly answers: readonly string[]
}

/** Which messages are wanted. */
export interface InboxQuery {
  /** Only those to this number. @default everybody's */
  readonly ppnum?: string
  /** @default 200 */
  readonly limit?: number
}

/** Messages, newest first. */
export function inboxOf(state: PcsState, { ppnum, limit = 200 }: InboxQuery = {}): readonly InboxMessage[] {
  const messages: InboxMessage[] = []
  for (const send of state.sends.all.toReversed()) {
    for (const recipient of send.recipients) {
      if (messages.length >= limit) return messages
      if (ppnum === undefined || recipient.ppnum === ppnum) messages.push(describe(state, send, recipient))
    }
  }
  return messages
}

function describe(state: PcsState, send: SendRequest, { ppnum, vars, state: recipientState }: Recipient): InboxMessage {
  const template = state.templates.find(send.templateId)
  const poll = state.polls.find(send.id)
  return {
    sendRequestId: send.id,
    ppnum,
    templateId: send.templateId,
    text: template === undefined ? '' : renderTemplate(template, vars),
    state: recipientState,
    acceptedAt: send.acceptedAt,
    ...(poll !== undefined && { poll: describePoll(poll, ppnum) }),
  }
}

function describePoll({ id, options, answers }: Poll, ppnum: string): InboxPoll {
  return { id, options, answers: answers.filter((answer) => answer.ppnum === ppnum).map(({ option }) => option) }
}
