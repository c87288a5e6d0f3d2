import { PpoppoError } from '../../errors.js'
import type { Caller } from '../call/caller.js'
import { pause } from '../lib/pause.js'
import type { MessagingEvent, StreamOptions } from '../types/events.js'
import { Link } from './link.js'
import { RecentIds } from './recent-ids.js'
import { failed, judgeEnd, NO_STREAK, pauseMs, type Streak } from './reopen-policy.js'
import { Run } from './run.js'
import type { ServerClock } from './server-clock.js'
import { type AskedStream, toStreamError } from './stream-error.js'

/** Servers that deliver each event at least once repeat the most recent ones, not old ones. */
const REMEMBERED_IDS = 4_096

/** What {@link Subscription} is made of. */
export interface SubscriptionParts {
  readonly caller: Caller
  readonly options: StreamOptions
  /** Names the reader in errors. */
  readonly operation: string
  readonly clock: ServerClock
  /** There may be something to take. */
  onReadable(): void
  /** It is over: no stream can be opened any more. */
  onFault(error: unknown): void
}

/**
 * The events of an app over any number of streams, one after the other, each opened behind the last event that was taken. A
 * stream is opened, and opened again, only while the reader is waiting.
 */
export class Subscription {
  readonly #parts: SubscriptionParts
  readonly #link: Link
  readonly #seen = new RecentIds(REMEMBERED_IDS)
  readonly #over = new AbortController()
  #cursor: string | undefined
  #run: Run | undefined
  #streak: Streak = NO_STREAK
  #pause = { since: 0, ms: 0 }
  #isOpening = false

  constructor(parts: SubscriptionParts) {
    const { caller, options } = parts
    this.#parts = parts
    this.#cursor = options.after
    // A server with an inclusive cursor sends that event again.
    if (options.after !== undefined) this.#seen.add(options.after)
    this.#link = new Link({ callbacks: options, staleAfterMs: options.staleAfterMs ?? 30_000, runtime: caller.runtime })
  }

  /** The next event, if one has arrived. */
  take(): MessagingEvent | undefined {
    const run = this.#run
    for (let event = run?.read(); event; event = run?.read()) {
      const { eventId } = event
      // It is no position to resume behind, and a duplicate cannot be recognized.
      if (eventId === '') return event
      if (!this.#seen.add(eventId)) continue
      this.#cursor = eventId
      run?.noteProgress()
      return event
    }
    return undefined
  }

  /** The reader is waiting and there is nothing to take: opens a stream if there is none. */
  seek(): void {
    if (this.#run && this.#run.endedAt !== undefined) this.#settle(this.#run, this.#run.endedAt)
    if (this.#isOver() || this.#run?.isConnected) return
    this.#link.seek()
    if (this.#run === undefined && !this.#isOpening) void this.#open()
  }

  /** Ends it, on the server too. */
  dispose(): void {
    this.#over.abort()
    this.#link.dispose()
    this.#run?.discard()
    this.#run = undefined
  }

  /** A stream has ended, and everything it brought has been taken. */
  #settle(run: Run, endedAt: number): void {
    this.#run = undefined
    const end = run.toEnd()
    const { failure } = end
    if (failure) this.#parts.caller.noteFailure(failure, run.token)
    const verdict = judgeEnd(end, this.#streak)
    if (verdict.next === 'reopen') {
      this.#streak = verdict.streak
      const { random } = this.#parts.caller.runtime
      this.#pause = { since: endedAt, ms: pauseMs(verdict.wait, verdict.streak, failure?.retryAfterMs, random) }
    } else if (failure) {
      this.#parts.onFault(toStreamError(this.#parts.caller, failure, this.#asked(), verdict.because))
    }
  }

  async #open(): Promise<void> {
    this.#isOpening = true
    try {
      while (!this.#isOver() && this.#run === undefined) await this.#attempt()
    } catch (error) {
      this.#parts.onFault(error)
    } finally {
      this.#isOpening = false
    }
  }

  async #attempt(): Promise<void> {
    const { runtime, tokens } = this.#parts.caller
    await this.#waitOut()
    if (this.#isOver()) return
    try {
      const token = await tokens.token()
      if (!this.#isOver()) this.#run = this.#begin(token)
    } catch (error) {
      if (!(error instanceof PpoppoError && tokens.mayPass(error))) throw error
      this.#link.noteError(error)
      this.#streak = failed(this.#streak)
      const ms = pauseMs('backoff', this.#streak, error.retryAfterMs, runtime.random)
      this.#pause = { since: runtime.monotonic(), ms }
    }
  }

  #begin(token: string): Run {
    const { caller, options, clock, onReadable } = this.#parts
    const { sendRequestId, recycleMs = 600_000 } = options
    const channel = caller.channel()
    return new Run({
      client: channel.client(),
      method: caller.descriptor().method('streamSendRequestEvents'),
      decode: caller.descriptor().eventDecoder(),
      request: {
        ...(sendRequestId === undefined ? {} : { send_request_id: sendRequestId }),
        ...(this.#cursor === undefined ? {} : { after_event_id: this.#cursor }),
      },
      hadCursor: this.#cursor !== undefined,
      hasAnswered: caller.hasAnswered,
      token,
      recycleMs,
      runtime: caller.runtime,
      isReady: () => channel.state() === 'ready',
      onReadable: () => this.#guard(onReadable),
      onConnected: () => this.#guard(() => this.#onConnected()),
      onDate: (date) => clock.note(date),
      onEnd: (run) => this.#guard(() => this.#onEnd(run)),
    })
  }

  /** Nothing catches an exception in a callback of grpc-js: an unforeseen one would end the process. */
  #guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#parts.onFault(error)
    }
  }

  #onConnected(): void {
    this.#parts.caller.noteAnswer()
    this.#link.up(this.#cursor)
  }

  #onEnd(run: Run): void {
    const { failure, isPlanned } = run.toEnd()
    const after = this.#cursor === undefined ? {} : { after: this.#cursor }
    if (isPlanned) this.#link.down({ reason: 'recycled', ...after })
    else if (failure === undefined) this.#link.down({ reason: 'ended', ...after })
    else
      this.#link.down({ reason: 'failed', ...after, error: toStreamError(this.#parts.caller, failure, this.#asked()) })
    this.#parts.onReadable()
  }

  #asked(): AskedStream {
    const { sendRequestId } = this.#parts.options
    return {
      operation: this.#parts.operation,
      ...(sendRequestId === undefined ? {} : { sendRequestId }),
      ...(this.#cursor === undefined ? {} : { cursor: this.#cursor }),
    }
  }

  /** Waits for the rest of the pause. */
  async #waitOut(): Promise<void> {
    const { runtime } = this.#parts.caller
    const ms = this.#pause.since + this.#pause.ms - runtime.monotonic()
    if (ms > 0) await pause(ms, this.#over.signal, runtime)
  }

  #isOver(): boolean {
    return this.#over.signal.aborted
  }
}
