/*
 * The tables of messages, and all that reads or writes them: `sends`, whom they went to, the events about
 * them, and forms that were not sent yet.
 */
import type Database from 'libsql'
import { createDeliveryEvents, type DeliveryEvents } from './delivery-events.js'
import { createDrafts, DRAFTS_SCHEMA, type Drafts } from './drafts.js'
import { createRecipients, type Recipients } from './recipients.js'
import { createRetention } from './retention.js'
import { createSends, type Sends } from './sends.js'

export interface MessageStore {
  readonly sends: Sends
  readonly recipients: Recipients
  readonly events: DeliveryEvents
  readonly drafts: Drafts
  /** Deletes what is older than we keep it. */
  forgetOld(): void
}

// Tables of before are left as they are, so a new column would need a migration; a new table does not.
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS sends (
    id              INTEGER PRIMARY KEY,
    account_id      INTEGER NOT NULL,
    form_id         TEXT NOT NULL,
    template        TEXT NOT NULL,
    state           TEXT NOT NULL DEFAULT 'sending',
    request_id      TEXT,
    explanation     TEXT,
    created_at      TEXT NOT NULL,
    status          TEXT NOT NULL DEFAULT 'queued',
    total           INTEGER NOT NULL,
    delivered       INTEGER NOT NULL DEFAULT 0,
    pending_consent INTEGER NOT NULL DEFAULT 0,
    failed          INTEGER NOT NULL DEFAULT 0,
    UNIQUE (account_id, form_id)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS sends_of_request ON sends (request_id);
  CREATE TABLE IF NOT EXISTS send_recipients (
    id      INTEGER PRIMARY KEY,
    send_id INTEGER NOT NULL,
    ppnum   TEXT NOT NULL,
    UNIQUE (send_id, ppnum)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS send_messages (
    send_id INTEGER PRIMARY KEY,
    message TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS delivery_events (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id        TEXT NOT NULL UNIQUE,
    send_request_id TEXT NOT NULL,
    type            TEXT NOT NULL,
    ppnum           TEXT,
    error_code      TEXT,
    occurred_at     TEXT NOT NULL,
    stored_at       TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS delivery_events_of_send ON delivery_events (send_request_id, ppnum);
  ${DRAFTS_SCHEMA}`

export function openMessageStore(database: Database.Database, now: () => Date = () => new Date()): MessageStore {
  database.exec(SCHEMA)
  const events = createDeliveryEvents({ database, now })
  const recipients = createRecipients(database)
  const sends = createSends({ database, recipients, events, now })
  const drafts = createDrafts({ database, now })
  return { sends, recipients, events, drafts, forgetOld: createRetention({ database, sends, now }) }
}
