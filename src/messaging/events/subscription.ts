import { PpoppoError } from '../../errors.js'
import type { Caller } from '../call/caller.js'
import type { MessagingEvent, StreamOptions } from '../types/events.js'
import { fromEvent } from '../wire/convert-event.js'
import { failed, judgeEnd, NO_STREAK, type Streak } from './judge-end.js'
import { Link } from './link.js'
import { pauseMs } from './pause.js'
import { RecentIds } from './recent-ids.js'
import { Run } from './run.js'
import type { ServerClock } from './server-clock.js'
import { type AskedStream, toStreamError } from './stream-error.js'

/** Servers that promise each event at least once repeat the last ones, not old ones. */
const REMEMBERED_IDS = 4_096

/** What a subscription tells its reader. */
export interface Reader {
  /** There may be something to take. */
  onReadable(): void
  /** It is over: no stream can be opened any more. */
  onFault(error: unknown): void
}

/**
 * The events of an app over any number of streams, one after the other: each begins after the last event taken. A
 * stream is opened, and opened again, only for a reader that waits.
 */
export class Subscription {
  readonly #caller: Caller
  readonly #options: StreamOptions
  readonly #operation: string
  readonly #reader: Reader
  readonly #clock: ServerClock
  readonly #link: Link
  readonly #seen = new RecentIds(REMEMBERED_IDS)
  #cursor: string | undefined
  #run: Run | undefined
  #streak: Streak = NO_STREAK
  #pause = { since: 0, ms: 0 }
  #isOpening = false
  #isOver = false
  #wake: () => void = () => {}

  constructor(caller: Caller, options: StreamOptions, operation: string, reader: Reader, clock: ServerClock) {
    this.#clock = clock
    this.#caller = caller
    this.#options = options
    this.#operation = operation
    this.#reader = reader
    this.#cursor = options.after
    // A server whose cursor is inclusive sends it once more.
    if (options.after !== undefined) this.#seen.add(options.after)
    this.#link = new Link(options, options.staleAfterMs ?? 30_000, caller.runtime)
  }

  /** The next event, where one has come. */
  take(): MessagingEvent | undefined {
    const run = this.#run
    for (let wire = run?.read(); wire; wire = run?.read()) {
      const event = fromEvent(wire, this.#caller.runtime.now)
      const { eventId } = event
      // Nothing to go on after, and nothing to know it again by.
      if (eventId === '') return event
      if (!this.#seen.add(eventId)) continue
      this.#cursor = eventId
      run?.noteProgress()
      return event
    }
    return undefined
  }

  /** Somebody waits, and there is nothing to take: sees to it that there will be. */
  seek(): void {
    if (this.#run && this.#run.endedAt !== undefined) this.#settle(this.#run, this.#run.endedAt)
    if (this.#isOver || this.#run?.isConnected) return
    this.#link.seek()
    if (this.#run === undefined && !this.#isOpening) void this.#open()
  }

  /** Ends it, on the server too. */
  dispose(): void {
    this.#isOver = true
    this.#link.dispose()
    this.#run?.discard()
    this.#run = undefined
    this.#wake()
  }

  /** A stream has ended and all it brought is taken. */
  #settle(run: Run, endedAt: number): void {
    this.#run = undefined
    const end = run.toEnd()
    const { failure } = end
    if (failure) this.#caller.noteFailure(failure, run.token)
    const verdict = judgeEnd(end, this.#streak)
    if (verdict.next === 'reopen') {
      this.#streak = verdict.streak
      const { random } = this.#caller.runtime
      this.#pause = { since: endedAt, ms: pauseMs(verdict.wait, verdict.streak, failure?.retryAfterMs, random) }
    } else if (failure) {
      this.#reader.onFault(toStreamError(this.#caller, failure, this.#asked(), verdict.because))
    }
  }

  async #open(): Promise<void> {
    this.#isOpening = true
    try {
      while (!this.#isOver && this.#run === undefined) await this.#attempt()
    } catch (error) {
      this.#reader.onFault(error)
    } finally {
      this.#isOpening = false
    }
  }

  async #attempt(): Promise<void> {
    const { runtime, tokens } = this.#caller
    await this.#sitOut()
    if (this.#isOver) return
    try {
      const token = await tokens.token()
      if (!this.#isOver) this.#run = this.#begin(token)
    } catch (error) {
      if (!(error instanceof PpoppoError && tokens.mayPass(error))) throw error
      this.#link.noteError(error)
      this.#streak = failed(this.#streak)
      const ms = pauseMs('backoff', this.#streak, error.retryAfterMs, runtime.random)
      this.#pause = { since: runtime.monotonic(), ms }
    }
  }

  #begin(token: string): Run {
    const { runtime } = this.#caller
    const { sendRequestId, recycleMs = 600_000 } = this.#options
    const channel = this.#caller.channel()
    return new Run(
      {
        client: channel.client(),
        method: this.#caller.descriptor().method('streamSendRequestEvents'),
        request: {
          ...(sendRequestId === undefined ? {} : { send_request_id: sendRequestId }),
          ...(this.#cursor === undefined ? {} : { after_event_id: this.#cursor }),
        },
        hadCursor: this.#cursor !== undefined,
        hasAnswered: this.#caller.hasAnswered,
        token,
        recycleMs,
        runtime,
        isReady: () => channel.state() === 'ready',
      },
      {
        onReadable: () => this.#guard(() => this.#reader.onReadable()),
        onConnected: () => this.#guard(() => this.#onConnected()),
        onDate: (date) => this.#clock.note(date),
        onEnd: (run) => this.#guard(() => this.#onEnd(run)),
      },
    )
  }

  /** In callbacks of gRPC's nobody catches an exception: one that is not foreseen would end the process. */
  #guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#reader.onFault(error)
    }
  }

  #onConnected(): void {
    this.#caller.noteAnswer()
    this.#link.up(this.#cursor)
  }

  #onEnd(run: Run): void {
    const { failure, isPlanned } = run.toEnd()
    const after = this.#cursor === undefined ? {} : { after: this.#cursor }
    if (isPlanned) this.#link.down({ reason: 'recycled', ...after })
    else if (failure === undefined) this.#link.down({ reason: 'ended', ...after })
    else this.#link.down({ reason: 'failed', ...after, error: toStreamError(this.#caller, failure, this.#asked()) })
    this.#reader.onReadable()
  }

  #asked(): AskedStream {
    const { sendRequestId } = this.#options
    return {
      operation: this.#operation,
      ...(sendRequestId === undefined ? {} : { sendRequestId }),
      ...(this.#cursor === undefined ? {} : { cursor: this.#cursor }),
    }
  }

  /** What is left of the pause. */
  async #sitOut(): Promise<void> {
    const { since, ms: allMs } = this.#pause
    const ms = since + allMs - this.#caller.runtime.monotonic()
    if (ms <= 0) return
    await new Promise<void>((resolve) => {
      const cancel = this.#caller.runtime.after(ms, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
    this.#wake = () => {}
  }
}
