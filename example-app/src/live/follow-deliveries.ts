/*
 * From Ppoppo's event stream into our table.
 *
 * Every instance starts this. The library lets one of them read the stream at a time, fails over to another, and loses no
 * event. An event may therefore arrive twice, and the table takes each once. What is left to us is what to do when the
 * consumer stops.
 */
import { type Consumer, isPpoppoError, type Messaging } from 'express-ppoppo'
import type { Campaigns } from 'express-ppoppo/campaigns'
import type { MessageStore } from '../messages/message-store.js'
import type { Feed } from './feed.js'

/** Whoever shares this name and a Redis shares the work, and so must share the database. */
const NAME = 'example-app'
/** People are watching: take over quickly from an instance that was killed. */
const LEASE_MS = 5_000
/** More than an hour, with the pauses in between: a database outage must not turn events into dead letters. */
const MOST_ATTEMPTS = 1_000
const PAUSE_MS = 30_000

export interface FollowParts {
  readonly messaging: Messaging
  readonly store: MessageStore
  readonly feed: Feed
  /** An event may prove that a chunk with an unknown outcome was sent. */
  readonly campaigns?: Pick<Campaigns, 'learn'> | undefined
  readonly log?: (error: unknown) => void
  /** Before it is tried again. @default 30_000 */
  readonly pauseMs?: number
}

/** What is stopped before the library and the database are closed. */
export interface Following {
  stop(): Promise<void>
}

export function followDeliveries({
  messaging,
  store: { events },
  feed,
  campaigns,
  log = console.error,
  pauseMs = PAUSE_MS,
}: FollowParts): Following {
  let consumer: Consumer | undefined
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  const handler: Parameters<Messaging['consume']>[0]['handler'] = async (event) => {
    if (events.store(event)) feed.nudge()
    await campaigns?.learn(event)
  }

  function begin(): void {
    try {
      const after = events.newestId()
      consumer = messaging.consume({
        name: NAME,
        handler,
        leaseMs: LEASE_MS,
        maxAttempts: MOST_ATTEMPTS,
        // Should Redis have lost our place in the stream, the table still knows it.
        ...(after !== undefined && { after }),
        // Should Ppoppo no longer know it, whatever it still has is better than nothing. We know each event we had.
        onCursorLost: 'earliest',
      })
    } catch (error) {
      return failed(error)
    }
    consumer.closed.catch(failed)
    replay()
  }

  /** Events that could not be stored even so are dead letters: they are tried again. */
  function replay(): void {
    messaging.deadLetters(NAME).replay(handler).catch(log)
  }

  /*
   * The app is suspended, its secret is wrong, ... Only people can fix that, so it is reported loudly. We do not exit: one
   * signs in, sends and reads what is known without it, and a process that ends and is started again, over and over,
   * takes that from everybody. So we try again after a while, which also picks up the fix.
   */
  function failed(error: unknown): void {
    // Set up without messages, perhaps on purpose: the page about messages says what is missing.
    if (isPpoppoError(error, 'messaging_not_configured') || isStopped) return
    log(new Error(`Stopped following deliveries; retrying in ${pauseMs / 1_000} s`, { cause: error }))
    timer = setTimeout(begin, pauseMs)
  }

  begin()
  return {
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await consumer?.stop()
    },
  }
}
