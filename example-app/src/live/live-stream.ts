/*
 * One open page. It reads the feed at its own pace: a batch is read when the one before has left, so a slow reader costs
 * one batch of memory and nothing else, and catching up after a break is the same code as following live.
 *
 * What it sends:
 *   progress     a send's headline and counts, as HTML from the template that drew the page
 *   delivery     one event, with its place in the feed as `id`; if it is about a recipient, with that recipient's state now
 *   recipients   the state of many at once: only if we cannot tell what the page has seen
 *   poll         a poll's results, as HTML
 */
import type { Request, Response } from 'express'
import type { PollResults } from 'express-ppoppo'
import { describe } from '../messages/delivery.js'
import type { StoredEvent } from '../messages/delivery-events.js'
import type { MessageStore } from '../messages/message-store.js'
import { recipientLine } from '../messages/recipients.js'
import type { Texts } from '../texts/texts.js'
import { textsOf } from '../texts/texts-of.js'
import type { Views } from '../views.js'
import type { Feed, FeedReader } from './feed.js'
import type { PollBoard, PollWatch } from './poll-board.js'
import { beginEventStream, formatEvent, formatHeartbeat, placeOf, type ServerEvent } from './server-sent-events.js'

export interface LiveParts {
  readonly store: MessageStore
  readonly feed: Feed
  readonly polls: PollBoard
  readonly views: Views
}

export interface LiveOptions {
  readonly accountId: number
  /** @default all sends of the account */
  readonly sendId?: number
  /** Resolves to `false` once the sign-in has ended. */
  readonly isStillSignedIn: () => Promise<boolean>
}

const BATCH = 200
/** Positions of the feed covered by one read, whoever's events they are. */
const WINDOW = 1_000
/** A reader that is further behind gets the current state instead of the events. */
const MOST_BEHIND = 10_000
/** Those on the list of sends. */
const SNAPSHOT = 20

export class LiveStream implements FeedReader {
  readonly #parts: LiveParts
  readonly #options: LiveOptions
  readonly #t: Texts
  readonly #res: Response
  readonly #leave: (() => void) | undefined
  #place: number
  #isFull = false
  /** It was full a heartbeat ago, and has not been empty since. */
  #isStuck = false
  #isOver = false
  #poll: PollWatch | undefined
  #results: PollResults | undefined

  constructor(parts: LiveParts, req: Request, res: Response, options: LiveOptions) {
    this.#parts = parts
    this.#options = options
    this.#t = textsOf(req)
    this.#res = res
    const newest = parts.store.events.place()
    const place = placeOf(req, newest)
    this.#place = place ?? newest
    res.on('close', () => this.#forget())
    res.on('drain', () => this.#drained())
    beginEventStream(res)
    this.#leave = parts.feed.join(this)
    if (this.#leave === undefined) this.end()
    else this.#begin(place !== undefined)
  }

  #begin(isPlaceKnown: boolean): void {
    if (!isPlaceKnown) this.#sendSnapshot()
    // From here on the browser knows where to resume, even if nothing else is sent.
    this.#write(formatHeartbeat(this.#place))
    this.#watchPoll()
    this.pump()
  }

  pump(): void {
    if (this.#isFull || this.#isOver) return
    const { events } = this.#parts.store
    const { accountId, sendId } = this.#options
    // The end first: what is stored while we read is for the next time.
    const end = events.place()
    if (end === this.#place) return
    if (end - this.#place > MOST_BEHIND) return this.#skipTo(end)
    const only = sendId === undefined ? {} : { sendId }
    const upTo = Math.min(end, this.#place + WINDOW)
    const batch = events.read({ accountId, ...only, after: this.#place, upTo, limit: BATCH })
    const last = batch.length === BATCH ? batch.at(-1) : undefined
    this.#sendBatch(batch)
    this.#place = last?.place ?? upTo
    // Others have their turn in between.
    if (this.#place < end) setImmediate(() => this.pump())
  }

  #skipTo(end: number): void {
    this.#place = end
    this.#sendSnapshot()
    this.#write(formatHeartbeat(end))
  }

  beat(): void {
    if (this.#isFull) {
      // It comes back with the last it has read, if anybody is there.
      if (this.#isStuck) this.#res.destroy()
      this.#isStuck = true
      return
    }
    this.#write(formatHeartbeat(this.#place))
    this.#options.isStillSignedIn().then(
      (isSignedIn) => isSignedIn || this.end(),
      () => {}, // the store does not answer: that is not signed out
    )
  }

  end(): void {
    const { socket } = this.#res
    this.#forget()
    this.#res.end()
    // Not kept for another request: a server that shuts down waits for idle connections, too.
    socket?.destroySoon()
  }

  #sendBatch(batch: readonly StoredEvent[]): void {
    // Before the events they are about: should the connection break in between, the events come again and bring them.
    for (const sendId of new Set(batch.map((event) => event.sendId))) this.#sendProgress(sendId)
    if (batch.some(({ type }) => type === 'poll_response_received')) this.#poll?.changed()
    for (const { place, sendId, requestId, eventId, type, ppnum, occurredAt } of batch) {
      // The state of now, which may be further along than this event.
      const latest = ppnum === null ? undefined : this.#parts.store.events.latest(requestId, ppnum)
      const recipient = ppnum === null ? {} : { recipient: recipientLine(ppnum, latest, this.#t) }
      this.#send({ name: 'delivery', place, data: { send: sendId, eventId, type, ...recipient, occurredAt } })
    }
  }

  #sendProgress(sendId: number): void {
    const { store, views } = this.#parts
    const send = store.sends.find(this.#options.accountId, sendId)
    if (send === undefined) return
    const delivery = describe(send, this.#t)
    const html = views.fragment('send-progress', { delivery, trouble: undefined }, this.#t)
    this.#send({ name: 'progress', data: { send: sendId, headline: delivery.headline, html } })
  }

  #sendSnapshot(): void {
    const { sends, events } = this.#parts.store
    const { accountId, sendId } = this.#options
    if (sendId === undefined) {
      for (const { id } of sends.newest(accountId, SNAPSHOT)) this.#sendProgress(id)
      return
    }
    this.#sendProgress(sendId)
    const { requestId } = sends.find(accountId, sendId) ?? { requestId: null }
    if (requestId === null) return
    const recipients = events.latestOfAll(requestId).map((latest) => recipientLine(latest.ppnum, latest, this.#t))
    this.#send({ name: 'recipients', data: { send: sendId, recipients } })
  }

  #watchPoll(): void {
    const { accountId, sendId } = this.#options
    if (sendId === undefined) return
    this.#poll = this.#parts.polls.watch(accountId, sendId, (results) => {
      this.#results = results
      this.#sendPoll()
    })
  }

  #sendPoll(): void {
    if (this.#results === undefined || this.#isFull || this.#isOver) return
    const html = this.#parts.views.fragment('poll-chart', { results: this.#results }, this.#t)
    this.#results = undefined
    this.#send({ name: 'poll', data: { send: this.#options.sendId, html } })
  }

  #send(event: ServerEvent): void {
    this.#write(formatEvent(event))
  }

  #write(text: string): void {
    // The rest of a batch is still written; the next one waits.
    if (!this.#res.write(text)) this.#isFull = true
  }

  #drained(): void {
    this.#isFull = false
    this.#isStuck = false
    this.#sendPoll()
    this.pump()
  }

  #forget(): void {
    this.#isOver = true
    this.#leave?.()
    this.#poll?.leave()
  }
}
