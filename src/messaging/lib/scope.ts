import { PpoppoError } from '../../errors.js'
import { onAbort } from '../../lib/on-abort.js'
import type { CallOptions } from '../types/calls.js'
import type { MessagingRuntime } from './runtime.js'

/** Ends the scopes that are open; what `close()` of a client does. */
export type OpenScopes = Set<CallScope>

/**
 * The time in which one call of the app lives, repeats included: it ends by the deadline, by the app's signal, or when
 * the client is closed. Whatever waits inside waits through {@link CallScope.wait}, and lets go when it ends.
 */
export class CallScope {
  /** All of its time, in milliseconds. */
  readonly deadlineMs: number
  readonly #runtime: MessagingRuntime
  readonly #deadlineAt: number
  readonly #listeners = new Set<(reason: unknown) => void>()
  readonly #open: OpenScopes
  readonly #unsubscribeFromSignal: () => void
  #ended: { readonly reason: unknown } | undefined

  /** @param options checked @throws the signal's reason where it is aborted already */
  constructor(runtime: MessagingRuntime, options: CallOptions, defaultDeadlineMs: number, open: OpenScopes) {
    const deadlineMs = options.deadlineMs ?? defaultDeadlineMs
    options.signal?.throwIfAborted()
    this.deadlineMs = deadlineMs
    this.#runtime = runtime
    this.#deadlineAt = runtime.monotonic() + deadlineMs
    this.#open = open
    open.add(this)
    const { signal } = options
    this.#unsubscribeFromSignal = signal ? onAbort(signal, () => this.end(signal.reason)) : () => {}
  }

  /** Milliseconds until the deadline; negative after it. */
  remainingMs(): number {
    return this.#deadlineAt - this.#runtime.monotonic()
  }

  /** Ends it: everything that waits inside is rejected with `reason`. The first reason counts. */
  end(reason: unknown): void {
    if (this.#ended) return
    this.#ended = { reason }
    for (const listener of this.#listeners) listener(reason)
    this.#listeners.clear()
  }

  /** Calls `listener` when the scope is ended early. @returns what takes that back */
  onEnd(listener: (reason: unknown) => void): () => void {
    if (this.#ended) listener(this.#ended.reason)
    else this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** @throws the reason, where it has ended early */
  throwIfEnded(): void {
    if (this.#ended) throw this.#ended.reason
  }

  /** What `work` resolves to. Rejects when the scope ends first, and with `deadline_exceeded` at the deadline. */
  async wait<T>(work: Promise<T>, what: string): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const cancelTimer = this.#runtime.after(Math.max(0, this.remainingMs()), () => {
        settle(() => reject(new PpoppoError('deadline_exceeded', `${what} took longer than the call's "deadlineMs".`)))
      })
      let off = (): void => {}
      const settle = (done: () => void): void => {
        cancelTimer()
        off()
        done()
      }
      // Not before `settle`: on a scope that has ended it is called at once.
      off = this.onEnd((reason) => settle(() => reject(reason)))
      work.then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error)),
      )
    })
  }

  /** Resolves after `ms`, or once `until` is aborted. Rejects when the scope ends first. */
  async pause(ms: number, until?: AbortSignal): Promise<void> {
    let cancel = (): void => {}
    let release = (): void => {}
    const timer = new Promise<void>((resolve) => {
      cancel = this.#runtime.after(ms, resolve)
      if (until) release = onAbort(until, resolve)
    })
    try {
      await this.wait(timer, 'waiting')
    } finally {
      cancel()
      release()
    }
  }

  /** To be called when the call is over: lets go of the app's signal. */
  dispose(): void {
    this.#unsubscribeFromSignal()
    this.#open.delete(this)
    this.#listeners.clear()
  }
}
