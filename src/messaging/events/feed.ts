import { LONGEST_TIMER_MS } from '../../lib/wait.js'
import type { Caller } from '../call/caller.js'
import type { CallScope } from '../lib/scope.js'
import type { MessagingEvent, StreamOptions } from '../types/events.js'
import type { ServerClock } from './server-clock.js'
import { Subscription } from './subscription.js'

type Result = IteratorResult<MessagingEvent, undefined>
interface Waiter {
  readonly resolve: (result: Result) => void
  readonly reject: (reason: unknown) => void
}

const OVER: Result = { done: true, value: undefined }

/**
 * Events for as long as one reads. Written by hand rather than as an async generator, which would keep `return()`
 * waiting behind a `next()` that may wait for hours.
 */
export class Feed implements AsyncGenerator<MessagingEvent, undefined, undefined> {
  readonly #caller: Caller
  readonly #signal: AbortSignal | undefined
  readonly #subscription: Subscription
  #scope: CallScope | undefined
  #waiters: Waiter[] = []
  #isOver = false
  /** What ended it while nobody waited: for the next who asks. */
  #untold: { readonly reason: unknown } | undefined

  constructor(
    caller: Caller,
    options: StreamOptions,
    signal: AbortSignal | undefined,
    operation: string,
    clock: ServerClock,
  ) {
    this.#caller = caller
    this.#signal = signal
    const reader = {
      onReadable: () => this.#handOut(),
      onFault: (error: unknown) => this.#finish({ reason: error }),
    }
    this.#subscription = new Subscription(caller, options, operation, reader, clock)
  }

  /**
   * The next event; waits for it as long as it takes. The first call opens the stream.
   * @throws the signal's reason; `closed`; and failures that reopening cannot fix
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

  /** Ends it at once, on the server too, also while a `next()` waits, which then resolves as done. */
  return(): Promise<Result> {
    this.#finish()
    this.#untold = undefined
    return Promise.resolve(OVER)
  }

  /** Ends it as `return()` does. @throws what it is given */
  throw(error: unknown): Promise<Result> {
    this.#finish()
    this.#untold = undefined
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
      // A feed has no end of its own; this is the longest a scope can be given, and nothing waits for it.
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
    else this.#untold = failure
    for (const { resolve } of waiters) resolve(OVER)
  }

  #afterEnd(): Promise<Result> {
    const untold = this.#untold
    this.#untold = undefined
    return untold ? Promise.reject(untold.reason) : Promise.resolve(OVER)
  }
}
