import type { SendManyProgress, SendManyRequest } from '../types/calls.js'

/** Calls `onProgress`, one call at a time, in order; after one that threw no more. */
export class ProgressTeller {
  /** Resolves when all that was to be told so far has been. */
  told: Promise<void> = Promise.resolve()
  #isThrough = false
  readonly #onProgress: SendManyRequest['onProgress']
  readonly #onThrow: (cause: unknown) => void

  constructor(onProgress: SendManyRequest['onProgress'], onThrow: (cause: unknown) => void) {
    this.#onProgress = onProgress
    this.#onThrow = onThrow
  }

  tell(progress: SendManyProgress): Promise<void> {
    if (this.#onProgress === undefined) return this.told
    const onProgress = this.#onProgress
    this.told = this.told
      .then(() => (this.#isThrough ? undefined : onProgress(progress)))
      .catch((cause: unknown) => {
        this.#isThrough = true
        this.#onThrow(cause)
      })
    return this.told
  }
}
