/* Rows of the `delivery_events` table, and the checks for them: rows are `unknown` until then. */
import type { MessagingEventType } from 'express-ppoppo'
import { member } from './row.js'
import type { Tally } from './tally.js'

export interface StoredRow {
  readonly id: number
  readonly send_id: number
  readonly send_request_id: string
  readonly event_id: string
  readonly type: MessagingEventType
  readonly ppnum: string | null
  readonly occurred_at: string
}

/** The event that decides a recipient's state. */
export interface LatestRow {
  readonly ppnum: string
  readonly type: MessagingEventType
  readonly errorCode: string | null
  /** They were asked whether this app may write to them, and said yes. */
  readonly hasAllowed: boolean
}

/** How far somebody is with a message: the further one counts. */
export const STEPS = { asked: 1, allowed: 2, failed: 3, delivered: 4, answered: 5 } as const

const TYPES: readonly unknown[] = [
  'recipient_delivered',
  'recipient_failed',
  'recipient_pending_consent',
  'consent_granted',
  'consent_denied',
  'request_completed',
  'poll_response_received',
  'unknown',
] satisfies MessagingEventType[]

const isType = (value: unknown): value is MessagingEventType => TYPES.includes(value)
const isTextOrNull = (value: unknown): value is string | null => value === null || typeof value === 'string'

export function isStoredRow(row: unknown): row is StoredRow {
  return (
    ['id', 'send_id'].every((name) => typeof member(row, name) === 'number') &&
    ['send_request_id', 'event_id', 'occurred_at'].every((name) => typeof member(row, name) === 'string') &&
    isType(member(row, 'type')) &&
    isTextOrNull(member(row, 'ppnum'))
  )
}

export function toLatest(row: unknown): LatestRow {
  const [ppnum, type, errorCode] = ['ppnum', 'type', 'error_code'].map((name) => member(row, name))
  if (typeof ppnum !== 'string' || !isType(type) || !isTextOrNull(errorCode)) {
    throw new Error('the delivery_events table is not the one this app made')
  }
  return { ppnum, type, errorCode, hasAllowed: member(row, 'has_allowed') === 1 }
}

/** From "so many people are at this step" to the counts a page shows. */
export function toTally(rows: readonly unknown[], isCompleted: boolean): Tally | undefined {
  if (rows.length === 0 && !isCompleted) return undefined
  const counts = new Map(rows.map((row) => [member(row, 'step'), Number(member(row, 'count'))]))
  const at = (step: number) => counts.get(step) ?? 0
  return {
    delivered: at(STEPS.delivered) + at(STEPS.answered),
    failed: at(STEPS.failed),
    pendingConsent: at(STEPS.asked),
    allowed: at(STEPS.allowed),
    isCompleted,
  }
}
