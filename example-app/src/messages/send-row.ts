/* A row of the `sends` table, and the check for one: rows are `unknown` until then. */
import type { SendStatusValue } from 'express-ppoppo'
import { member } from './row.js'
import { isTemplateKey, type TemplateKey } from './templates.js'

/** `sending`: asked, and no answer yet. `unknown`: the answer never came. `refused`: surely not sent. */
export type SendState = 'sending' | 'accepted' | 'unknown' | 'refused'

export interface SendRow {
  readonly id: number
  readonly template: TemplateKey
  readonly state: SendState
  readonly request_id: string | null
  readonly explanation: string | null
  readonly created_at: string
  readonly status: SendStatusValue
  readonly total: number
  readonly delivered: number
  readonly pending_consent: number
  readonly failed: number
}

const TEXTS_OR_NULL = ['request_id', 'explanation']
const NUMBERS = ['id', 'total', 'delivered', 'pending_consent', 'failed']
const STATES: readonly unknown[] = ['sending', 'accepted', 'unknown', 'refused'] satisfies SendState[]
const STATUSES: readonly unknown[] = [
  'queued',
  'processing',
  'completed',
  'failed',
  'unknown',
] satisfies SendStatusValue[]

export function isSendRow(row: unknown): row is SendRow {
  const value = (name: string): unknown => member(row, name)
  return (
    isTemplateKey(value('template')) &&
    typeof value('created_at') === 'string' &&
    TEXTS_OR_NULL.every((name) => value(name) === null || typeof value(name) === 'string') &&
    NUMBERS.every((name) => typeof value(name) === 'number') &&
    STATES.includes(value('state')) &&
    STATUSES.includes(value('status'))
  )
}
