import { LONGEST_TIMER_MS } from '../../lib/wait.js'
import type { Caller } from '../call/caller.js'
import type { CallScope } from '../lib/scope.js'
import type { EventsOptions, MessagingEvent, StreamOptions } from '../types/events.js'
import { refuseMore } from '../wire/validate.js'
import { parseEventsOptions } from './parse-options.js'
import { ServerClock } from './server-clock.js'
import { Subscription } from './subscription.js'

type Result = IteratorResult<MessagingEvent, undefined>
interface Waiter {
  readonly resolve: (result: Result) => void
  readonly reject: (reason: unknown) => void
}

const OVER: Result = { done: true, value: undefined }

/** The events of an app for as long as they are read; see {@link Messaging.events}. */
export function createEvents(
  caller: Caller,
): (options?: EventsOptions) => AsyncGenerator<MessagingEvent, undefined, undefined> {
  return function events(given, ...more: readonly unknown[]) {
    caller.assertOpen()
    refuseMore(more, 'events')
    const { signal, ...options } = parseEventsOptions(given)
    const operation = options.sendRequestId === undefined ? 'events' : `events of ${options.sendRequestId}`
    return createFeed({ caller, options, operation, ...(signal && { signal }) })
  }
}

/** What {@link createFeed} is made of. */
export interface FeedParts {
  readonly caller: Caller
  /** As `parseStreamOptions` checks them. They are not checked again, so `after` may be any id that the server sent. */
  readonly options: StreamOptions
  /** Names the reader in errors: `events`. */
  readonly operation: string
  /** Ends the feed. */
  readonly signal?: AbortSignal
  /** Learns the server's time. @default one of its own */
  readonly clock?: ServerClock
}

/**
 * Events over any number of streams; nothing is opened before the first `next()`. It ends by `return()`, by the signal (its
 * reason is thrown), by `close()` of the client, and by failures that a new stream cannot fix.
 */
export function createFeed(parts: FeedParts): AsyncGenerator<MessagingEvent, undefined, undefined> {
  return new Feed(parts)
}

/** Written by hand: an async generator would keep `return()` waiting behind a `next()` that may wait for hours. */
class Feed implements AsyncGenerator<MessagingEvent, undefined, undefined> {
  readonly #caller: Caller
  readonly #signal: AbortSignal | undefined
  readonly #subscription: Subscription
  #scope: CallScope | undefined
  #waiters: Waiter[] = []
  #isOver = false
  /** What ended it while nobody was waiting: the next `next()` rejects with it. */
  #unreported: { readonly reason: unknown } | undefined

  constructor({ caller, options, operation, signal, clock = new ServerClock(caller.runtime) }: FeedParts) {
    this.#caller = caller
    this.#signal = signal
    this.#subscription = new Subscription({
      caller,
      options,
      operation,
      clock,
      onReadable: () => this.#handOut(),
      onFault: (reason) => this.#finish({ reason }),
    })
  }

  /**
   * The next event; waits for it as long as it takes. The first call opens the stream.
   * @throws the signal's reason; `closed`; and failures that a new stream cannot fix
   */
  next(): Promise<Result> {
    if (this.#scope === undefined) this.#begin()
    if (this.#isOver) return this.#afterEnd()
    try {
      const event = this.#waiters.length === 0 ? this.#subscription.take() : undefined
      if (event !== undefined) return Promise.resolve({ done: false, value: event })
    } catch (error) {
      this.#finish({ reason: error })
      return this.#afterEnd()
    }
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
      this.#subscription.seek()
    })
  }

  /** Ends it at once, on the server too. A `next()` that is waiting resolves as done. */
  return(): Promise<Result> {
    this.#finish()
    this.#unreported = undefined
    return Promise.resolve(OVER)
  }

  /** Ends it as `return()` does. @throws what it is given */
  throw(error: unknown): Promise<Result> {
    this.#finish()
    this.#unreported = undefined
    return Promise.reject(error)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  #begin(): void {
    if (this.#isOver) return
    try {
      this.#caller.assertUsable()
      const options = this.#signal === undefined ? {} : { signal: this.#signal }
      // A feed has no deadline; a scope must have one, and nothing waits for this one.
      this.#scope = this.#caller.openScope(options, LONGEST_TIMER_MS)
      this.#scope.onEnd((reason) => this.#finish({ reason }))
    } catch (error) {
      this.#finish({ reason: error })
    }
  }

  #handOut(): void {
    while (this.#waiters.length > 0) {
      const event = this.#subscription.take()
      if (event === undefined) return this.#subscription.seek()
      this.#waiters.shift()?.resolve({ done: false, value: event })
    }
  }

  #finish(failure?: { readonly reason: unknown }): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#scope?.dispose()
    this.#subscription.dispose()
    const waiters = this.#waiters
    this.#waiters = []
    const first = failure && waiters.shift()
    if (first) first.reject(failure.reason)
    else this.#unreported = failure
    for (const { resolve } of waiters) resolve(OVER)
  }

  #afterEnd(): Promise<Result> {
    const failure = this.#unreported
    this.#unreported = undefined
    return failure ? Promise.reject(failure.reason) : Promise.resolve(OVER)
  }
}
