import type { SendManyProgress, SendManyRequest } from '../types/methods.js'

/** Calls `onProgress` in order, one call at a time, and not again after it has thrown. */
export class ProgressReporter {
  /** Resolves when everything reported so far has been delivered. */
  delivered: Promise<void> = Promise.resolve()
  #hasThrown = false
  readonly #onProgress: SendManyRequest['onProgress']
  readonly #onThrow: (cause: unknown) => void

  /** @param onThrow called once, with what `onProgress` threw or rejected with */
  constructor(onProgress: SendManyRequest['onProgress'], onThrow: (cause: unknown) => void) {
    this.#onProgress = onProgress
    this.#onThrow = onThrow
  }

  /** Queues a call of `onProgress`. @returns when that call and all earlier ones have ended */
  report(progress: SendManyProgress): Promise<void> {
    if (this.#onProgress === undefined) return this.delivered
    const onProgress = this.#onProgress
    this.delivered = this.delivered
      .then(() => (this.#hasThrown ? undefined : onProgress(progress)))
      .catch((cause: unknown) => {
        this.#hasThrown = true
        this.#onThrow(cause)
      })
    return this.delivered
  }
}
