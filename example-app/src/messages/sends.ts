/*
 * What we remember of messages we sent: one row per form that somebody submitted.
 *
 * The row is written BEFORE Ppoppo is asked, and that order is the point of this file:
 *  - The form's one-time id is UNIQUE per account, so a form that arrives twice (a double click, a reload, the back
 *    button) finds its row and is not sent again. Ppoppo's API has no idempotency key that would do this for us.
 *  - Should this process die between asking and hearing, the row says that something may have been sent.
 *
 * Counts are what Ppoppo last answered when asked, or what its events have told since: see tally.ts.
 */
import type { SendReceipt } from 'express-ppoppo'
import type Database from 'libsql'
import type { TroubleKey } from '../texts/texts.js'
import type { DeliveryEvents } from './delivery-events.js'
import type { Recipients } from './recipients.js'
import { member } from './row.js'
import { isSendRow, type SendRow, type SendState } from './send-row.js'
import { type Counts, withTally } from './tally.js'
import type { TemplateKey } from './templates.js'

export interface Send extends Counts {
  readonly id: number
  readonly template: TemplateKey
  readonly state: SendState
  /** Ppoppo's id of it, once it is accepted. */
  readonly requestId: string | null
  /** Why it is `unknown` or `refused`: the key of words in texts/. */
  readonly explanation: string | null
  readonly createdAt: Date
}

export interface NewSend {
  readonly accountId: number
  readonly formId: string
  readonly template: TemplateKey
  /** Each once. */
  readonly ppnums: readonly string[]
  /** What was written. */
  readonly message: string
}

export interface SendsParts {
  readonly database: Database.Database
  readonly recipients: Recipients
  readonly events: Pick<DeliveryEvents, 'claim' | 'tally'>
  readonly now?: () => Date
}

export interface Sends {
  /** The row of this form; `isNew` is true for exactly one of those who ask. */
  begin(send: NewSend): { readonly send: Send; readonly isNew: boolean }
  accept(id: number, receipt: SendReceipt): void
  end(id: number, state: 'unknown' | 'refused', explanation: TroubleKey): void
  /** What was written; `undefined` once it is no longer kept. */
  messageOf(id: number): string | undefined
  /** @returns the send as it is now, events counted */
  update(id: number, counts: Counts): Send | undefined
  /** `undefined` for one that is somebody else's, too. */
  find(accountId: number, id: number): Send | undefined
  /** What a form was sent as; `undefined` where it was not, or was refused. */
  findByForm(accountId: number, formId: string): Send | undefined
  /** Newest first, without those that were refused: the person was told at once. */
  newest(accountId: number, limit: number): readonly Send[]
  /** To how many people this account has written since then. */
  recipientsSince(accountId: number, since: Date): number
  /** Writes down what events have told of sends made before then, whose events may now go. */
  keepCountsBefore(before: Date): void
}

export function createSends({ database, recipients, events, now = () => new Date() }: SendsParts): Sends {
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
    'UPDATE sends SET status = ?, total = ?, delivered = ?, pending_consent = ?, failed = ? WHERE id = ? RETURNING *',
  )
  const withRecipients = database.prepare(
    'SELECT * FROM sends WHERE created_at < ? AND id IN (SELECT send_id FROM send_recipients)',
  )

  const written = database.prepare('INSERT INTO send_messages (send_id, message) VALUES (?, ?)')
  const writtenFor = database.prepare('SELECT message FROM send_messages WHERE send_id = ?')
  const unwritten = database.prepare('DELETE FROM send_messages WHERE send_id = ?')

  const toSend = (row: unknown): Send => {
    const send = fromRow(row)
    const isDecided = send.delivered + send.failed >= send.total && send.status === 'completed'
    return send.requestId === null || isDecided ? send : { ...send, ...withTally(send, events.tally(send.requestId)) }
  }
  // `immediate`: two instances that begin at once wait for one another, instead of one of them failing half-way.
  const begin = database.transaction(({ accountId, formId, template, ppnums, message }: NewSend) => {
    const made: unknown = insert.get(accountId, formId, template, ppnums.length, now().toISOString())
    if (made === undefined) return { send: toSend(ofForm.get(accountId, formId)), isNew: false }
    const send = toSend(made)
    recipients.add(send.id, ppnums)
    written.run(send.id, message)
    return { send, isNew: true }
  })
  const accept = database.transaction((id: number, { id: requestId, status, totalRecipients }: SendReceipt) => {
    accepted.run(requestId, status, totalRecipients, id)
    events.claim(requestId)
  })
  const end = database.transaction((id: number, state: 'unknown' | 'refused', explanation: TroubleKey) => {
    ended.run(state, explanation, id)
    if (state !== 'refused') return
    recipients.remove(id)
    unwritten.run(id)
  })

  const update = (id: number, { status, total, delivered, pendingConsent, failed }: Counts): Send | undefined => {
    const row: unknown = counted.get(status, total, delivered, pendingConsent, failed, id)
    return row === undefined ? undefined : toSend(row)
  }

  return {
    begin: (send) => begin.immediate(send),
    accept: (id, receipt) => accept.immediate(id, receipt),
    end: (id, state, explanation) => end.immediate(id, state, explanation),
    update,
    messageOf(id) {
      const message = member(writtenFor.get(id), 'message')
      return typeof message === 'string' ? message : undefined
    },
    find(accountId, id) {
      const row: unknown = ofId.get(accountId, id)
      return row === undefined ? undefined : toSend(row)
    },
    findByForm(accountId, formId) {
      const row: unknown = ofForm.get(accountId, formId)
      const send = row === undefined ? undefined : toSend(row)
      return send?.state === 'refused' ? undefined : send
    },
    newest: (accountId, limit) => ofAccount.all(accountId, limit).map(toSend),
    recipientsSince(accountId, since) {
      return Number(member(sum.get(accountId, since.toISOString()), 'sum') ?? 0)
    },
    keepCountsBefore(before) {
      for (const send of withRecipients.all(before.toISOString()).map(toSend)) update(send.id, send)
    },
  }
}

function fromRow(row: unknown): Send {
  if (!isSendRow(row)) throw new Error('the sends table is not the one this app made')
  return {
    id: row.id,
    template: row.template,
    state: row.state,
    requestId: row.request_id,
    explanation: row.explanation,
    createdAt: new Date(row.created_at),
    ...countsOf(row),
  }
}

function countsOf(row: SendRow): Counts {
  const { status, total, delivered, failed } = row
  return { status, total, delivered, pendingConsent: row.pending_consent, failed }
}
