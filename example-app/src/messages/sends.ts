/*
 * What we remember of messages we sent: one row per form that somebody submitted.
 *
 * The row is written BEFORE Ppoppo is asked, and that order is the point of this file:
 *  - The form's one-time id is UNIQUE per account, so a form that arrives twice (a double click, a reload, the back
 *    button) finds its row and is not sent again. Ppoppo's API has no idempotency key that would do this for us.
 *  - Should this process die between asking and hearing, the row says that something may have been sent.
 *
 * The numbers a message went to are not kept: nobody here needs them, and what is not there cannot leak.
 */
import type { SendReceipt, SendStatus, SendStatusValue } from 'express-ppoppo'
import type Database from 'libsql'
import { isSendRow, type SendRow } from './send-row.js'
import type { TemplateKey } from './templates.js'

/** `sending`: asked, and no answer yet. `unknown`: the answer never came. `refused`: surely not sent. */
export type SendState = 'sending' | 'accepted' | 'unknown' | 'refused'

export interface Send {
  readonly id: number
  readonly template: TemplateKey
  readonly state: SendState
  /** Ppoppo's id of it, once it is accepted. */
  readonly requestId: string | null
  /** Where we were told one; see pages/message-sent.ts. */
  readonly pollId: string | null
  /** Why it is `unknown` or `refused`, in words for the person who sent it. */
  readonly explanation: string | null
  readonly createdAt: Date
  /** As Ppoppo last told. */
  readonly status: SendStatusValue
  readonly total: number
  readonly delivered: number
  readonly pendingConsent: number
  readonly failed: number
}

export interface NewSend {
  readonly accountId: number
  readonly formId: string
  readonly template: TemplateKey
  readonly total: number
}

export interface Sends {
  /** The row of this form; `isNew` is true for exactly one of those who ask. */
  begin(send: NewSend): { readonly send: Send; readonly isNew: boolean }
  accept(id: number, receipt: SendReceipt): void
  end(id: number, state: 'unknown' | 'refused', explanation: string): void
  update(id: number, status: SendStatus): void
  setPollId(id: number, pollId: string): void
  /** `undefined` for one that is somebody else's, too. */
  find(accountId: number, id: number): Send | undefined
  /** Newest first, without those that were refused: the person was told at once. */
  newest(accountId: number, limit: number): readonly Send[]
  /** To how many people this account has written since then. */
  recipientsSince(accountId: number, since: Date): number
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS sends (
    id              INTEGER PRIMARY KEY,
    account_id      INTEGER NOT NULL,
    form_id         TEXT NOT NULL,
    template        TEXT NOT NULL,
    state           TEXT NOT NULL DEFAULT 'sending',
    request_id      TEXT,
    poll_id         TEXT,
    explanation     TEXT,
    created_at      TEXT NOT NULL,
    status          TEXT NOT NULL DEFAULT 'queued',
    total           INTEGER NOT NULL,
    delivered       INTEGER NOT NULL DEFAULT 0,
    pending_consent INTEGER NOT NULL DEFAULT 0,
    failed          INTEGER NOT NULL DEFAULT 0,
    UNIQUE (account_id, form_id)
  ) STRICT`

export function createSends(database: Database.Database, now: () => Date = () => new Date()): Sends {
  database.exec(SCHEMA)
  const insert = database.prepare(
    `INSERT INTO sends (account_id, form_id, template, total, created_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (account_id, form_id) DO NOTHING RETURNING *`,
  )
  const ofForm = database.prepare('SELECT * FROM sends WHERE account_id = ? AND form_id = ?')
  const ofId = database.prepare('SELECT * FROM sends WHERE account_id = ? AND id = ?')
  const ofAccount = database.prepare(
    `SELECT * FROM sends WHERE account_id = ? AND state <> 'refused' ORDER BY id DESC LIMIT ?`,
  )
  const sum = database.prepare(
    `SELECT coalesce(sum(total), 0) AS sum FROM sends WHERE account_id = ? AND created_at >= ? AND state <> 'refused'`,
  )
  const accepted = database.prepare(
    `UPDATE sends SET state = 'accepted', request_id = ?, status = ?, total = ? WHERE id = ?`,
  )
  const ended = database.prepare('UPDATE sends SET state = ?, explanation = ? WHERE id = ?')
  const counted = database.prepare(
    'UPDATE sends SET status = ?, total = ?, delivered = ?, pending_consent = ?, failed = ? WHERE id = ?',
  )
  const poll = database.prepare('UPDATE sends SET poll_id = ? WHERE id = ?')

  return {
    begin({ accountId, formId, template, total }) {
      const made: unknown = insert.get(accountId, formId, template, total, now().toISOString())
      return made === undefined
        ? { send: toSend(ofForm.get(accountId, formId)), isNew: false }
        : { send: toSend(made), isNew: true }
    },
    accept(id, { id: requestId, status, totalRecipients }) {
      accepted.run(requestId, status, totalRecipients, id)
    },
    end(id, state, explanation) {
      ended.run(state, explanation, id)
    },
    update(id, { status, total, delivered, pendingConsent, failed }) {
      counted.run(status, total, delivered, pendingConsent, failed, id)
    },
    setPollId(id, pollId) {
      poll.run(pollId, id)
    },
    find(accountId, id) {
      const row: unknown = ofId.get(accountId, id)
      return row === undefined ? undefined : toSend(row)
    },
    newest: (accountId, limit) => ofAccount.all(accountId, limit).map(toSend),
    recipientsSince(accountId, since) {
      const row: unknown = sum.get(accountId, since.toISOString())
      return typeof row === 'object' && row !== null && 'sum' in row ? Number(row.sum) : 0
    },
  }
}

function toSend(row: unknown): Send {
  if (!isSendRow(row)) throw new Error('the sends table is not the one this app made')
  return {
    id: row.id,
    template: row.template,
    state: row.state,
    requestId: row.request_id,
    pollId: row.poll_id,
    explanation: row.explanation,
    createdAt: new Date(row.created_at),
    ...countsOf(row),
  }
}

function countsOf(row: SendRow): Pick<Send, 'status' | 'total' | 'delivered' | 'pendingConsent' | 'failed'> {
  const { status, total, delivered, failed } = row
  return { status, total, delivered, pendingConsent: row.pending_consent, failed }
}
