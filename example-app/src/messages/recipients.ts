/*
 * The recipients of a message: their numbers, and the state that follows from the newest event about each.
 *
 * A page that shows delivery to each person needs the numbers, so they are kept, and only for that: as long as somebody
 * may want to look (see retention.ts), and not at all where nothing was sent. No other table of this app has them, apart
 * from the events themselves.
 */
import { formatPpnum } from 'express-ppoppo'
import type Database from 'libsql'
import type { Texts } from '../texts/texts.js'
import type { DeliveryEvents } from './delivery-events.js'
import type { LatestRow } from './event-rows.js'
import { member } from './row.js'

/** For the page: a state for its colour, and words for whoever reads it. */
export interface RecipientLine {
  readonly ppnum: string
  /** As people write it. */
  readonly shown: string
  readonly state: RecipientState
  readonly words: string
}

export type RecipientState = 'on-its-way' | 'pending' | 'delivered' | 'failed'

export interface Recipients {
  add(sendId: number, ppnums: readonly string[]): void
  remove(sendId: number): void
  /** In the order they were written in. */
  of(sendId: number): readonly string[]
}

export function createRecipients(database: Database.Database): Recipients {
  // One statement for up to a thousand.
  const insert = database.prepare(
    'INSERT INTO send_recipients (send_id, ppnum) SELECT ?, value FROM json_each(?) ORDER BY key',
  )
  const ofSend = database.prepare('SELECT ppnum FROM send_recipients WHERE send_id = ? ORDER BY id')
  const remove = database.prepare('DELETE FROM send_recipients WHERE send_id = ?')
  return {
    add: (sendId, ppnums) => void insert.run(sendId, JSON.stringify(ppnums)),
    remove: (sendId) => void remove.run(sendId),
    of: (sendId) =>
      ofSend.all(sendId).map((row) => {
        const ppnum = member(row, 'ppnum')
        if (typeof ppnum === 'string') return ppnum
        throw new Error('the send_recipients table is not the one this app made')
      }),
  }
}

/** What the lines about a send are made from. */
export interface RecipientLinesParts {
  readonly ppnums: readonly string[]
  /** Ppoppo's id of the send. */
  readonly requestId: string | null
  readonly events: Pick<DeliveryEvents, 'latestOfAll'>
  readonly t: Texts
  /** Nothing more will be heard of it. */
  readonly isOver: boolean
}

/** Everybody a send went to. */
export function recipientLines(parts: RecipientLinesParts): readonly RecipientLine[] {
  const { ppnums, requestId, events, t, isOver } = parts
  const known = requestId === null ? [] : events.latestOfAll(requestId)
  const latest = new Map(known.map((event) => [event.ppnum, event]))
  return ppnums.map((ppnum) => recipientLine(ppnum, latest.get(ppnum), t, isOver))
}

export function recipientLine(ppnum: string, latest: LatestRow | undefined, t: Texts, isOver = false): RecipientLine {
  // From an event it may be anything, and a page is no place to fall over it.
  const shown = /^\d{11,}$/.test(ppnum) ? formatPpnum(ppnum) : ppnum
  return { ppnum, shown, ...describeLatest(latest, t.recipient, isOver) }
}

function describeLatest(
  latest: LatestRow | undefined,
  words: Texts['recipient'],
  isOver: boolean,
): Pick<RecipientLine, 'state' | 'words'> {
  const consented = latest?.hasAllowed ? `${words.consented} ` : ''
  switch (latest?.type) {
    case 'recipient_delivered':
      return { state: 'delivered', words: consented + words.delivered }
    // Who answers a poll has it.
    case 'poll_response_received':
      return { state: 'delivered', words: consented + words.answered }
    case 'recipient_pending_consent':
      return { state: 'pending', words: words.waiting }
    case 'consent_granted':
      return { state: 'on-its-way', words: words.granted }
    case 'consent_denied':
      return { state: 'failed', words: words.denied }
    // The error code is for the operator of the app, and is in the table.
    case 'recipient_failed':
      return { state: 'failed', words: words.failed }
    default:
      return { state: 'on-its-way', words: isOver ? words.unknown : words.onTheWay }
  }
}
