import { PpoppoError } from '../../errors.js'
import { Disposers } from '../../lib/disposers.js'
import { onAbort } from '../../lib/on-abort.js'
import type { CallOptions } from '../types/methods.js'
import type { MessagingRuntime } from './runtime.js'

/** The open scopes of a client, so that its `close()` can end them. */
export type OpenScopes = Set<CallScope>

/**
 * The lifetime of one call including its retries. It ends with the deadline, with the app's signal, or when the client is
 * closed. Everything that waits within the call waits through {@link CallScope.wait}, and stops waiting when the scope ends.
 */
export class CallScope {
  /** Its whole lifetime, in milliseconds. */
  readonly deadlineMs: number
  readonly #runtime: MessagingRuntime
  readonly #deadlineAt: number
  readonly #listeners = new Set<(reason: unknown) => void>()
  readonly #open: OpenScopes
  readonly #unsubscribeFromSignal: () => void
  #ended: { readonly reason: unknown } | undefined

  /** @param options checked @throws the signal's reason if it is already aborted */
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

  /** Ends the scope: everything that waits within it rejects with `reason`. The first reason counts. */
  end(reason: unknown): void {
    if (this.#ended) return
    this.#ended = { reason }
    for (const listener of this.#listeners) listener(reason)
    this.#listeners.clear()
  }

  /** Calls `listener` when the scope is ended early, at once if it has been. @returns a function that unsubscribes */
  onEnd(listener: (reason: unknown) => void): () => void {
    if (this.#ended) listener(this.#ended.reason)
    else this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** @throws the reason, if the scope has ended early */
  throwIfEnded(): void {
    if (this.#ended) throw this.#ended.reason
  }

  /**
   * Waits for `work`. Rejects if the scope ends first, and with `deadline_exceeded` at the deadline.
   * @param what names the work in that error
   */
  async wait<T>(work: Promise<T>, what: string): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const disposers = new Disposers()
      const settle = (done: () => void): void => {
        disposers.dispose()
        done()
      }
      const onDeadline = (): void =>
        settle(() => reject(new PpoppoError('deadline_exceeded', `${what} took longer than the call's "deadlineMs".`)))
      disposers.add(this.#runtime.after(Math.max(0, this.remainingMs()), onDeadline))
      disposers.add(this.onEnd((reason) => settle(() => reject(reason))))
      work.then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error)),
      )
    })
  }

  /** Resolves after `ms`, or once `until` is aborted. Rejects when the scope ends first. */
  async pause(ms: number, until?: AbortSignal): Promise<void> {
    const disposers = new Disposers()
    const timer = new Promise<void>((resolve) => {
      disposers.add(this.#runtime.after(ms, resolve))
      if (until) disposers.add(onAbort(until, resolve))
    })
    try {
      await this.wait(timer, 'waiting')
    } finally {
      disposers.dispose()
    }
  }

  /** Must be called when the call is over: unsubscribes from the app's signal. */
  dispose(): void {
    this.#unsubscribeFromSignal()
    this.#open.delete(this)
    this.#listeners.clear()
  }
}
