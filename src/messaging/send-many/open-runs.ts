import type { PpoppoError } from '../../errors.js'
import type { SendManyRun } from './run.js'

/** The runs of `sendMany` that are under way, so that `close()` can end them in good order. */
export class OpenRuns {
  readonly #running = new Map<SendManyRun, Promise<void>>()
  #closing: PpoppoError | undefined

  /** @throws `closed` once they are being ended */
  assertOpen(): void {
    if (this.#closing) throw this.#closing
  }

  /** Runs `work`, which is over when `run` is. */
  async track(run: SendManyRun, work: () => Promise<void>): Promise<void> {
    const working = work()
    this.#running.set(run, working)
    try {
      await working
    } finally {
      this.#running.delete(run)
    }
  }

  /** As an abort does: nothing more is begun, and what is under way may take its grace. Resolves when all have ended. */
  async end(error: PpoppoError): Promise<void> {
    this.#closing ??= error
    for (const run of this.#running.keys()) run.end({ by: 'close', error })
    await Promise.allSettled(this.#running.values())
  }
}
