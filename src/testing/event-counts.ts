import type { MessagingEvent } from '../messaging/types/events.js'
import type { PollResults, SendRequest, SendStatus } from '../messaging/types/methods.js'
import type { PollDouble } from './messaging-double-types.js'

/** State of a send by its events. Without any, everybody got the message. */
export function statusOf(
  { id, recipients }: SendRequest & { readonly id: string },
  events: readonly MessagingEvent[],
): SendStatus {
  const total = recipients.length
  const own = events.filter(({ sendRequestId }) => sendRequestId === id)
  if (own.length === 0) return { id, status: 'completed', total, delivered: total, pendingConsent: 0, failed: 0 }
  const count = (...types: MessagingEvent['type'][]): number => own.filter(({ type }) => types.includes(type)).length
  const asked = count('recipient_pending_consent')
  return {
    id,
    status: count('request_completed') > 0 ? 'completed' : 'processing',
    total,
    delivered: count('recipient_delivered'),
    pendingConsent: Math.max(0, asked - count('consent_granted', 'consent_denied')),
    failed: count('recipient_failed', 'consent_denied'),
  }
}

/** Counts the answers to a poll. */
export function countAnswers(pollId: string, { question = '', responses }: PollDouble): PollResults {
  const counts = new Map<string, number>()
  for (const { selectedOption } of responses) counts.set(selectedOption, (counts.get(selectedOption) ?? 0) + 1)
  const results = [...counts].map(([optionText, count]) => ({
    optionText,
    count,
    percentage: (100 * count) / responses.length,
  }))
  return { pollId, question, results, totalResponses: responses.length }
}
