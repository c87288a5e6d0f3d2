/*
 * The state of a send, in words. It follows from the send's events as they arrive (live/). When a page is opened and
 * something may still change, Ppoppo is asked as well, so that a delayed event stream does not make the page stale.
 */
import { isPpoppoError, type Messaging } from 'express-ppoppo'
import { lookUp, type Texts } from '../texts/texts.js'
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

/** A row that is "sending" for longer belongs to a process that is gone. */
const LOST_AFTER_MS = 2 * 60_000
/** Somebody is waiting for the page. */
const STATUS_DEADLINE_MS = 3_000

export function isFinished(send: Send): boolean {
  if (send.state === 'sending') return false
  if (send.state !== 'accepted') return true
  return (send.status === 'completed' || send.status === 'failed') && send.pendingConsent === 0
}

/**
 * The send as it is now. The answer is stored, so that Ppoppo is not asked about a finished send again.
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
    return { ...send, state: 'unknown', explanation: 'forgotten' }
  }
}

export function describe(send: Send, t: Texts, now: Date = new Date()): Delivery {
  const { id, total, delivered, pendingConsent, failed } = send
  const isLost = send.state === 'sending' && now.getTime() - send.createdAt.getTime() > LOST_AFTER_MS
  const explanation = lookUp(t.troubles, isLost ? 'outcome_unknown' : send.explanation)
  return {
    id,
    headline: isLost ? t.headline.mayHaveBeenSent : headline(send, t),
    ...(explanation !== undefined && { explanation }),
    total,
    delivered,
    pendingConsent,
    failed,
    undecided: Math.max(0, total - delivered - pendingConsent - failed),
    isFinished: isLost || isFinished(send),
    isAccepted: send.requestId !== null,
  }
}

function headline(send: Send, { headline: words }: Texts): string {
  const { state, status, total, delivered, pendingConsent, failed } = send
  if (state === 'sending') return words.sending
  if (state === 'refused') return words.refused
  if (state === 'unknown') return send.requestId === null ? words.mayHaveBeenSent : words.nothingNew
  if (status === 'queued') return words.queued
  if (status === 'failed') return words.failed
  if (pendingConsent > 0 && delivered + failed + pendingConsent >= total) return words.waiting(pendingConsent)
  if (status !== 'completed' && delivered + failed < total) return words.onTheWay
  return delivered === total ? words.delivered(total) : words.done(delivered, total)
}
