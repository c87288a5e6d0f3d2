/*
 * How a send is doing, said in words. Its events tell, as they come (live/); Ppoppo is asked besides, when a page is
 * opened and something may still change: an event stream that is held up somewhere takes nothing from the page then.
 */
import { isPpoppoError, type Messaging } from 'express-ppoppo'
import { OUTCOME_UNKNOWN } from './explain.js'
import type { Send, Sends } from './sends.js'
import { further } from './tally.js'

/** What a page says of one send. */
export interface Delivery {
  readonly id: number
  readonly headline: string
  readonly explanation?: string
  readonly total: number
  readonly delivered: number
  readonly pendingConsent: number
  readonly failed: number
  /** Neither delivered nor failed nor asked for consent yet. */
  readonly undecided: number
  /** Nothing here will change any more. */
  readonly isFinished: boolean
  /** There are counts to show. */
  readonly isAccepted: boolean
}

/** So long may a row be "sending" before we take it that the process that sent it is gone. */
const LOST_AFTER_MS = 2 * 60_000
/** A page that is looked at must not wait for long. */
const STATUS_DEADLINE_MS = 3_000

export function isFinished(send: Send): boolean {
  if (send.state === 'sending') return false
  if (send.state !== 'accepted') return true
  return (send.status === 'completed' || send.status === 'failed') && send.pendingConsent === 0
}

/**
 * The send as it is now. Remembers what it hears, so that a finished one is not asked about again.
 * @throws what `messaging.status` throws, but not `not_found`: what Ppoppo has forgotten stays as we knew it
 */
export async function refresh(send: Send, sends: Sends, messaging: Messaging): Promise<Send> {
  if (send.requestId === null || isFinished(send)) return send
  try {
    const { id: _, ...answer } = await messaging.status(send.requestId, { deadlineMs: STATUS_DEADLINE_MS })
    // Read again, since events may have come while we waited.
    return sends.update(send.id, further(send, answer)) ?? send
  } catch (error) {
    if (!isPpoppoError(error, 'not_found')) throw error
    return { ...send, state: 'unknown', explanation: 'Ppoppo no longer knows of it. These are the last counts we saw.' }
  }
}

export function describe(send: Send, now: Date = new Date()): Delivery {
  const { id, total, delivered, pendingConsent, failed } = send
  const isLost = send.state === 'sending' && now.getTime() - send.createdAt.getTime() > LOST_AFTER_MS
  const explanation = isLost ? OUTCOME_UNKNOWN : send.explanation
  return {
    id,
    headline: isLost ? 'It may have been sent.' : headline(send),
    ...(explanation !== null && { explanation }),
    total,
    delivered,
    pendingConsent,
    failed,
    undecided: Math.max(0, total - delivered - pendingConsent - failed),
    isFinished: isLost || isFinished(send),
    isAccepted: send.requestId !== null,
  }
}

function headline(send: Send): string {
  const { state, status, total, delivered, pendingConsent, failed } = send
  if (state === 'sending') return 'Being handed over to Ppoppo.'
  if (state === 'refused') return 'It was not sent.'
  if (state === 'unknown') return send.requestId === null ? 'It may have been sent.' : 'Nothing new to tell.'
  if (status === 'queued') return 'Accepted by Ppoppo, not yet on its way.'
  if (status === 'failed') return 'Ppoppo could not deliver this one.'
  if (pendingConsent > 0 && delivered + failed + pendingConsent >= total) {
    return `Waiting for ${people(pendingConsent)} to allow messages from this app.`
  }
  if (status !== 'completed' && delivered + failed < total) return 'On its way.'
  if (delivered === total) return total === 1 ? 'Delivered.' : 'Delivered to everybody.'
  return `Done: delivered to ${delivered} of ${total}.`
}

const people = (count: number): string => (count === 1 ? 'one person' : `${count} people`)
