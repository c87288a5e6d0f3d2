import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type Database from 'libsql'
import { type MessageStore, openMessageStore } from '../src/messages/message-store.js'
import { recipientLines } from '../src/messages/recipients.js'
import { en } from '../src/texts/en.js'
import { openDatabase } from '../src/users.js'
import { acceptedSend, eventOf } from './live-support.js'

const [ANN, BEN, CAL, DAN] = ['12300000001', '12300000002', '12300000003', '12300000004'] as const
const DAY_MS = 86_400_000

let folder: string
let file: string
let database: Database.Database
let store: MessageStore
let now: Date
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'example-app-'))
  file = join(folder, 'example.db')
  database = openDatabase(file)
  now = new Date('2026-01-02T03:04:05Z')
  store = openMessageStore(database, () => now)
})
afterEach(() => {
  database.close()
  rmSync(folder, { recursive: true })
})

const feedOf = (accountId: number, after = 0, from = store) =>
  from.events.read({ accountId, after, upTo: from.events.place(), limit: 1_000 })
const wordsOf = (sendId: number, requestId: string, isOver = false) =>
  recipientLines({ ppnums: store.recipients.of(sendId), requestId, events: store.events, t: en, isOver }).map(
    ({ words }) => words,
  )

describe('the feed of events', () => {
  test('has each event once, however often it comes, at the place it came at first', () => {
    const { id, requestId } = acceptedSend(store, 1, [ANN])
    const event = eventOf(requestId, 'recipient_delivered', ANN)
    expect(store.events.store(event)).toBe(true)
    const other = eventOf(requestId, 'request_completed')
    expect(store.events.store(other)).toBe(true)
    for (let i = 0; i < 3; i += 1) expect(store.events.store(event)).toBe(false)
    expect(feedOf(1)).toMatchObject([
      { place: 1, sendId: id, eventId: event.eventId, type: 'recipient_delivered', ppnum: ANN },
      { place: 2, sendId: id, eventId: other.eventId, type: 'request_completed', ppnum: null },
    ])
    expect(feedOf(1, 1)).toHaveLength(1)
  })

  test('shows events that were faster than the answer to their send after whatever has been read by then', () => {
    const early = [
      eventOf('snd_fast', 'recipient_pending_consent', ANN),
      eventOf('snd_fast', 'recipient_delivered', BEN),
    ]
    for (const event of early) store.events.store(event)
    const read = store.events.place()
    expect(feedOf(1)).toEqual([])
    const { id } = acceptedSend(store, 1, [ANN, BEN], 'snd_fast')
    expect(feedOf(1, read).map(({ eventId }) => eventId)).toEqual(early.map(({ eventId }) => eventId))
    expect(store.sends.find(1, id)).toMatchObject({ delivered: 1, pendingConsent: 1, status: 'processing' })
    // And when they come again they are known.
    expect(store.events.store(early[0] ?? eventOf('', 'unknown'))).toBe(false)
  })

  test('keeps accounts apart, and takes an event of a kind it does not know', () => {
    const mine = acceptedSend(store, 1, [ANN])
    const theirs = acceptedSend(store, 2, [ANN])
    store.events.store(eventOf(mine.requestId, 'unknown', ANN))
    store.events.store(eventOf(theirs.requestId, 'recipient_delivered', ANN))
    expect(feedOf(1)).toMatchObject([{ type: 'unknown' }])
    expect(feedOf(2)).toMatchObject([{ type: 'recipient_delivered' }])
    expect(wordsOf(mine.id, mine.requestId)).toEqual(['On the way.'])
  })

  test('is one for two instances on one file', () => {
    const second = openDatabase(file)
    try {
      const other = openMessageStore(second)
      const { requestId } = acceptedSend(store, 1, [ANN, BEN])
      const event = eventOf(requestId, 'recipient_delivered', ANN)
      expect([other.events.store(event), store.events.store(event)]).toEqual([true, false])
      store.events.store(eventOf(requestId, 'recipient_delivered', BEN))
      expect(feedOf(1, 0, other)).toEqual(feedOf(1))
      expect(feedOf(1)).toHaveLength(2)
    } finally {
      second.close()
    }
  })
})

describe('how it stands with each', () => {
  test('is said in words, in the order they were written to', () => {
    const { id, requestId } = acceptedSend(store, 1, [DAN, CAL, BEN, ANN, '12300000005'])
    store.events.store(eventOf(requestId, 'recipient_delivered', ANN))
    store.events.store(eventOf(requestId, 'recipient_pending_consent', BEN))
    store.events.store(eventOf(requestId, 'recipient_pending_consent', CAL))
    store.events.store(eventOf(requestId, 'recipient_failed', DAN, 'DELIVERY_FAILED'))
    expect(wordsOf(id, requestId)).toEqual([
      'Could not be delivered.',
      'Waiting for consent. Ppoppo asks them, which can take about a day.',
      'Waiting for consent. Ppoppo asks them, which can take about a day.',
      'Delivered.',
      'On the way.',
    ])
    expect(store.sends.find(1, id)).toMatchObject({ delivered: 1, failed: 1, pendingConsent: 2 })
    store.events.store(eventOf(requestId, 'consent_granted', BEN))
    store.events.store(eventOf(requestId, 'consent_denied', CAL))
    expect(wordsOf(id, requestId).slice(1, 3)).toEqual(['Declined. Reach them another way.', 'Consented. On the way.'])
    expect(store.sends.find(1, id)).toMatchObject({ delivered: 1, failed: 2, pendingConsent: 0 })
    store.events.store(eventOf(requestId, 'recipient_delivered', BEN))
    store.events.store(eventOf(requestId, 'poll_response_received', ANN))
    expect(wordsOf(id, requestId, true)).toEqual([
      'Could not be delivered.',
      'Declined. Reach them another way.',
      'Consented. Delivered.',
      'Delivered and answered.',
      'No news of this one.',
    ])
    expect(store.sends.find(1, id)).toMatchObject({ delivered: 2, failed: 2, pendingConsent: 0, total: 5 })
  })

  test('does not go back when events come in another order', () => {
    const { id, requestId } = acceptedSend(store, 1, [BEN])
    for (const type of ['recipient_delivered', 'consent_granted', 'recipient_pending_consent'] as const) {
      store.events.store(eventOf(requestId, type, BEN))
      expect(wordsOf(id, requestId)).toEqual([expect.stringMatching(/^(Consented\. )?Delivered\.$/)])
    }
    store.events.store(eventOf(requestId, 'request_completed'))
    expect(store.sends.find(1, id)).toMatchObject({ delivered: 1, pendingConsent: 0, status: 'completed' })
  })

  test('is counted from whoever is further, the events or Ppoppo’s answer', () => {
    const { id, requestId } = acceptedSend(store, 1, [ANN, BEN, CAL])
    store.events.store(eventOf(requestId, 'recipient_delivered', ANN))
    const answer = { status: 'processing', total: 3, delivered: 2, pendingConsent: 1, failed: 0 } as const
    expect(store.sends.update(id, answer)).toMatchObject(answer)
    store.events.store(eventOf(requestId, 'recipient_delivered', BEN))
    expect(store.sends.find(1, id)).toMatchObject(answer)
    store.events.store(eventOf(requestId, 'recipient_pending_consent', CAL))
    store.events.store(eventOf(requestId, 'consent_denied', CAL))
    expect(store.sends.find(1, id)).toMatchObject({ delivered: 2, pendingConsent: 0, failed: 1 })
    store.events.store(eventOf(requestId, 'request_completed'))
    expect(store.sends.find(1, id)).toMatchObject({ status: 'completed' })
    // An answer that was under way for long takes nothing back.
    expect(store.sends.update(id, answer)).toMatchObject({ status: 'completed', failed: 1 })
  })
})

describe('what is kept', () => {
  test('of a message that was refused is no number and no word', () => {
    const { send } = store.sends.begin({
      accountId: 1,
      formId: 'a',
      template: 'note',
      ppnums: [ANN, BEN],
      message: 'Hi',
    })
    expect(store.recipients.of(send.id)).toEqual([ANN, BEN])
    expect(store.sends.messageOf(send.id)).toBe('Hi')
    store.sends.end(send.id, 'refused', 'not_found')
    expect(store.recipients.of(send.id)).toEqual([])
    expect(store.sends.messageOf(send.id)).toBeUndefined()
  })

  test('is a day for what is nobody’s here, thirty for deliveries, and the counts for good', () => {
    const { id, requestId } = acceptedSend(store, 1, [ANN, BEN])
    store.events.store(eventOf(requestId, 'recipient_delivered', ANN))
    store.events.store(eventOf('snd_of_another_app', 'recipient_delivered', CAL))
    const count = () => database.prepare('SELECT count(*) FROM delivery_events').raw().get()
    store.forgetOld()
    expect(count()).toEqual([2])
    now = new Date(now.getTime() + 2 * DAY_MS)
    store.forgetOld()
    expect(count()).toEqual([1])
    const place = store.events.place()
    now = new Date(now.getTime() + 29 * DAY_MS)
    store.forgetOld()
    expect(count()).toEqual([0])
    expect(store.recipients.of(id)).toEqual([])
    expect(store.sends.find(1, id)).toMatchObject({ total: 2, delivered: 1 })
    // Places are never given twice: a page that was open all the while would miss what comes.
    expect(store.events.place()).toBe(place)
    store.events.store(eventOf(requestId, 'recipient_delivered', BEN))
    expect(store.events.place()).toBe(place + 1)
    expect(JSON.stringify(database.prepare('SELECT * FROM sends').all())).not.toContain(ANN)
  })
})
