/*
 * Delivery events, as Ppoppo sent them: the feed that keeps pages up to date.
 *
 * `id` is the place in the feed, and what a browser sends back as `Last-Event-ID`. It grows in the order in which rows
 * become visible, and everything in live/ rests on that: whoever has read up to a place has missed nothing before it. In
 * SQLite that is so, since one writes at a time. In a database with many writers a sequence alone does not give it (17
 * may become visible after 18): there, take the number under a lock, or read with a delay.
 *
 *  - Ppoppo's event id is UNIQUE. An event comes at least once, so it may come again; the second time nothing happens.
 *  - Events of sends that are not in our table are kept, too: an event can be faster than the answer to the send it is
 *    about. `claim` gives those a new place once the answer is there: no page could show them at their first one. What
 *    belongs to nobody here (another app on the same credentials) goes after a day; see retention.ts.
 */
import type { MessagingEvent, MessagingEventType } from 'express-ppoppo'
import type Database from 'libsql'
import { isStoredRow, type LatestRow, STEPS, type StoredRow, toLatest, toTally } from './event-rows.js'
import { member } from './row.js'
import type { Tally } from './tally.js'

/** An event of one of our sends. */
export interface StoredEvent {
  readonly place: number
  /** Our id of the send, and Ppoppo's. */
  readonly sendId: number
  readonly requestId: string
  readonly eventId: string
  readonly type: MessagingEventType
  /** Whom it is about, where it is about one. */
  readonly ppnum: string | null
  readonly occurredAt: string
}

/** What is wanted of the feed. */
export interface FeedQuery {
  readonly accountId: number
  /** @default events of all the account's sends */
  readonly sendId?: number
  readonly after: number
  readonly upTo: number
  readonly limit: number
}

export interface DeliveryEvents {
  /** @returns whether it is new */
  store(event: MessagingEvent): boolean
  /** Events of this send that are here already move to the end of the feed. Inside the transaction that makes it ours. */
  claim(requestId: string): void
  /** The end of the feed. */
  place(): number
  /** Ppoppo's id of the event that was stored last. */
  newestId(): string | undefined
  read(query: FeedQuery): readonly StoredEvent[]
  /** How far the recipients of a send are, counted; `undefined` where nothing is known. */
  tally(requestId: string): Tally | undefined
  /** The event that decides a recipient's state; for all recipients of a send, `latestOfAll`. */
  latest(requestId: string, ppnum: string): LatestRow | undefined
  latestOfAll(requestId: string): readonly LatestRow[]
}

// How far somebody is. Their events come in order, as a rule; should "allowed" arrive after "delivered", they still have it.
const STEP = `CASE type
  WHEN 'recipient_pending_consent' THEN ${STEPS.asked} WHEN 'consent_granted' THEN ${STEPS.allowed}
  WHEN 'consent_denied' THEN ${STEPS.failed} WHEN 'recipient_failed' THEN ${STEPS.failed}
  WHEN 'recipient_delivered' THEN ${STEPS.delivered} WHEN 'poll_response_received' THEN ${STEPS.answered} ELSE 0 END`

const LATEST = (where: string) => `
  SELECT ppnum, type, error_code, has_allowed FROM (
    SELECT ppnum, type, error_code, row_number() OVER (PARTITION BY ppnum ORDER BY ${STEP} DESC, id DESC) AS nth,
      max(type = 'consent_granted') OVER (PARTITION BY ppnum) AS has_allowed
    FROM delivery_events WHERE send_request_id = ? AND ${where} AND ${STEP} > 0
  ) WHERE nth = 1`

export interface DeliveryEventsParts {
  readonly database: Database.Database
  readonly now: () => Date
}

export function createDeliveryEvents({ database, now }: DeliveryEventsParts): DeliveryEvents {
  const insert = database.prepare(
    `INSERT INTO delivery_events (event_id, send_request_id, type, ppnum, error_code, occurred_at, stored_at)
     VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (event_id) DO NOTHING`,
  )
  const columns = 'event_id, send_request_id, type, ppnum, error_code, occurred_at, stored_at'
  const moveToEnd = database.prepare(
    `REPLACE INTO delivery_events (${columns}) SELECT ${columns} FROM delivery_events WHERE send_request_id = ? ORDER BY id`,
  )
  // Not max(id): that would go back when the newest events are deleted.
  const end = database.prepare(`SELECT seq FROM sqlite_sequence WHERE name = 'delivery_events'`)
  const newest = database.prepare('SELECT event_id FROM delivery_events ORDER BY id DESC LIMIT 1')
  // CROSS JOIN is a hint to SQLite: what is new first, and then whose it is.
  const ofFeed = database.prepare(
    `SELECT e.id, s.id AS send_id, e.send_request_id, e.event_id, e.type, e.ppnum, e.occurred_at
     FROM delivery_events e CROSS JOIN sends s ON s.request_id = e.send_request_id
     WHERE e.id > ? AND e.id <= ? AND s.account_id = ? AND (? IS NULL OR s.id = ?) ORDER BY e.id LIMIT ?`,
  )
  const latest = database.prepare(LATEST('ppnum = ?'))
  const latestOfAll = database.prepare(LATEST('ppnum IS NOT NULL'))
  const counted = database.prepare(
    `SELECT step, count(*) AS count FROM (
       SELECT max(${STEP}) AS step FROM delivery_events WHERE send_request_id = ? AND ppnum IS NOT NULL GROUP BY ppnum
     ) GROUP BY step`,
  )
  const completed = database.prepare(
    `SELECT 1 FROM delivery_events WHERE send_request_id = ? AND type = 'request_completed' LIMIT 1`,
  )

  return {
    store({ eventId, sendRequestId, type, recipient, occurredAt }) {
      const { ppnum = null, errorCode = null } = recipient ?? {}
      const stored = [occurredAt.toISOString(), now().toISOString()]
      return insert.run(eventId, sendRequestId, type, ppnum, errorCode, ...stored).changes > 0
    },
    claim: (requestId) => void moveToEnd.run(requestId),
    place: () => Number(member(end.get(), 'seq') ?? 0),
    newestId() {
      const id = member(newest.get(), 'event_id')
      return typeof id === 'string' ? id : undefined
    },
    read({ accountId, sendId = null, after, upTo, limit }) {
      return ofFeed.all(after, upTo, accountId, sendId, sendId, limit).map(toStored)
    },
    tally: (requestId) => toTally(counted.all(requestId), completed.get(requestId) !== undefined),
    latest: (requestId, ppnum) => latest.all(requestId, ppnum).map(toLatest)[0],
    latestOfAll: (requestId) => latestOfAll.all(requestId).map(toLatest),
  }
}

function toStored(row: unknown): StoredEvent {
  if (!isStoredRow(row)) throw new Error('the delivery_events table is not the one this app made')
  const { id: place, send_id: sendId, send_request_id: requestId, event_id: eventId, type, ppnum }: StoredRow = row
  return { place, sendId, requestId, eventId, type, ppnum, occurredAt: row.occurred_at }
}
