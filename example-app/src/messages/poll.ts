/*
 * The results of a poll that was sent.
 *
 * How does one learn the id of a poll? Ppoppo's documentation asks for a `poll_id` and does not say where it comes from:
 * neither the answer to a send nor its status has one. The sandbox finds a poll by the id of its send, so that is what we
 * ask with. Where Ppoppo does not know it by that name, the page says that results cannot be shown. We take no id that
 * somebody types: nothing would prove that the poll is theirs.
 */
import { isPpoppoError, type Messaging, type PollResults } from 'express-ppoppo'
import type { Send } from './sends.js'

const DEADLINE_MS = 3_000

/** `unknown-id`: Ppoppo knows no poll by the id of the send. */
export type PollView = { readonly state: 'known'; readonly results: PollResults } | { readonly state: 'unknown-id' }

/** There is one to ask about. */
export function hasPoll({ template, requestId }: Send): boolean {
  return template === 'poll' && requestId !== null
}

/** @returns `undefined` for a send without a poll. @throws what `messaging.polls.results` throws, but not `not_found` */
export async function pollOf(send: Send, messaging: Messaging): Promise<PollView | undefined> {
  if (!hasPoll(send) || send.requestId === null) return undefined
  try {
    const results = await messaging.polls.results(send.requestId, { deadlineMs: DEADLINE_MS })
    return { state: 'known', results }
  } catch (error) {
    if (!isPpoppoError(error, 'not_found')) throw error
    return { state: 'unknown-id' }
  }
}
