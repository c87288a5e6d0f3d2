import { onAbort } from './on-abort.js'

/**
 * Ends a request early. It makes an `AbortSignal` only for a `fetch` that asks for one: to listen on a signal takes longer than
 * all else that a request needs here.
 */
export class Cancellation {
  readonly #listeners = new Set<() => void>()
  #controller: AbortController | undefined
  #isCancelled = false

  /** Aborted by `cancel`. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#isCancelled) this.#controller.abort()
    }
    return this.#controller.signal
  }

  cancel(): void {
    if (this.#isCancelled) return
    this.#isCancelled = true
    for (const listener of this.#listeners) listener()
    this.#controller?.abort()
  }

  /** Calls `listener` once it is cancelled; immediately if it already is. @returns a function that unsubscribes */
  onCancel(listener: () => void): () => void {
    if (this.#isCancelled) listener()
    else this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

/** A request, as far as its end is concerned. */
export interface WithSignal {
  readonly signal: AbortSignal
}

const cancellations = new WeakMap<object, Cancellation>()

/** A request that `cancellation` ends. Its `signal` is made when it is read. */
export function cancellable<T extends object>(request: T, cancellation: Cancellation): T & WithSignal {
  const complete = Object.defineProperty({ ...request }, 'signal', {
    get: () => cancellation.signal,
    enumerable: true,
    configurable: true,
  }) as T & WithSignal
  cancellations.set(complete, cancellation)
  return complete
}

/** Calls `listener` when a request is to end early. @returns a function that unsubscribes */
export function onCancelled(request: WithSignal, listener: () => void): () => void {
  return cancellations.get(request)?.onCancel(listener) ?? onAbort(request.signal, listener)
}
