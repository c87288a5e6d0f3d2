/*
 * The results of a poll that was sent.
 *
 * How does one learn the id of a poll? Ppoppo's documentation asks for a `poll_id` and does not say where it comes from:
 * neither the answer to a send nor its status has one. The sandbox finds a poll by the id of its send, too, so that is
 * what we try first. Where Ppoppo does not know it by that name, the page says so and takes the id from the person.
 */
import { isPpoppoError, type Messaging, type PollResults } from 'express-ppoppo'
import type { Send } from './sends.js'

const DEADLINE_MS = 3_000

export type PollView =
  | { readonly state: 'known'; readonly results: PollResults }
  | { readonly state: 'unknown-id'; readonly triedId: string | null }

/** There is one to ask about. */
export function hasPoll({ template, requestId }: Send): boolean {
  return template === 'poll' && requestId !== null
}

/** @returns `undefined` for a send without a poll. @throws what `messaging.polls.results` throws, but not `not_found` */
export async function pollOf(send: Send, messaging: Messaging): Promise<PollView | undefined> {
  if (!hasPoll(send) || send.requestId === null) return undefined
  try {
    const results = await messaging.polls.results(send.pollId ?? send.requestId, { deadlineMs: DEADLINE_MS })
    return { state: 'known', results }
  } catch (error) {
    if (!isPpoppoError(error, 'not_found')) throw error
    return { state: 'unknown-id', triedId: send.pollId }
  }
}
