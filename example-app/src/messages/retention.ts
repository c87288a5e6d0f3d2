/*
 * What is deleted, and when. Numbers and texts are personal data: they are kept for as long as somebody may want to look
 * at a delivery, and no longer. The counts stay, as part of what a person has sent.
 */
import type Database from 'libsql'
import type { Sends } from './sends.js'

const DAY_MS = 86_400_000
const KEEP_DAYS = 30
/** Events of sends that are nobody's here: of another app on the same credentials, or of the worker. */
const KEEP_UNCLAIMED_DAYS = 1
/** What somebody typed and did not send. */
const KEEP_DRAFTS_DAYS = 1

export interface RetentionParts {
  readonly database: Database.Database
  readonly sends: Pick<Sends, 'keepCountsBefore'>
  readonly now: () => Date
}

export function createRetention({ database, sends, now }: RetentionParts): () => void {
  const oldEvents = database.prepare('DELETE FROM delivery_events WHERE stored_at < ?')
  const unclaimedEvents = database.prepare(
    `DELETE FROM delivery_events WHERE stored_at < ?
     AND NOT EXISTS (SELECT 1 FROM sends WHERE request_id = delivery_events.send_request_id)`,
  )
  const oldRecipients = database.prepare(
    'DELETE FROM send_recipients WHERE send_id IN (SELECT id FROM sends WHERE created_at < ?)',
  )
  const oldMessages = database.prepare(
    'DELETE FROM send_messages WHERE send_id IN (SELECT id FROM sends WHERE created_at < ?)',
  )
  const oldDrafts = database.prepare('DELETE FROM drafts WHERE saved_at < ?')
  return database.transaction(() => {
    const before = (days: number) => new Date(now().getTime() - days * DAY_MS).toISOString()
    sends.keepCountsBefore(new Date(before(KEEP_DAYS)))
    oldEvents.run(before(KEEP_DAYS))
    unclaimedEvents.run(before(KEEP_UNCLAIMED_DAYS))
    oldRecipients.run(before(KEEP_DAYS))
    oldMessages.run(before(KEEP_DAYS))
    oldDrafts.run(before(KEEP_DRAFTS_DAYS))
  }).immediate
}
