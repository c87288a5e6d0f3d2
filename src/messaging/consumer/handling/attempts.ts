import { PpoppoError } from '../../../errors.js'
import { isThenable } from '../../../lib/guards.js'
import { onAbort } from '../../../lib/on-abort.js'
import { doubled } from '../../lib/backoff.js'
import { pause } from '../../lib/pause.js'
import type { MessagingRuntime } from '../../lib/runtime.js'
import type { DeadLetter, HandlerContext } from '../../types/consumer.js'
import type { MessagingEvent } from '../../types/events.js'
import type { ConsumeSettings } from '../term/settings.js'
import type { Tenure } from '../term/tenure.js'

const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 10_000
const LONGEST_ERROR = 500

/** What became of an event: handled, given up for now (it is another's), or given up for good. */
export type Outcome = 'handled' | 'abandoned' | DeadLetter

/** Under what an event is handled. */
export type EventTenure = Pick<Tenure, 'fence' | 'closing' | 'recalled' | 'over' | 'mayBegin' | 'noteBegin' | 'noteEnd'>

export type AttemptSettings = Pick<ConsumeSettings, 'handler' | 'maxAttempts' | 'handlerTimeoutMs' | 'onHandlerError'>

/**
 * Handles an event, again after a pause where that fails, until it is handled or given up.
 * @param first number of the first attempt
 * @param onFirstFailure called when the first attempt has failed: the process is still there
 */
export async function attempt(
  event: MessagingEvent,
  settings: AttemptSettings,
  tenure: EventTenure,
  runtime: MessagingRuntime,
  first = 1,
  onFirstFailure: () => void = () => {},
): Promise<Outcome> {
  for (let attempts = first; ; attempts++) {
    if (!tenure.mayBegin()) return 'abandoned'
    try {
      const context = new AttemptContext(tenure.fence, attempts)
      const handled = callApp(() => settings.handler(event, context), context, settings, tenure, runtime)
      // Most handlers of a dashboard are synchronous: no promise for those.
      if (handled !== undefined) await handled
      return 'handled'
    } catch (error) {
      // Told to end, it may have failed of that.
      if (tenure.recalled.aborted) return 'abandoned'
      if (attempts === first) onFirstFailure()
      if (attempts >= settings.maxAttempts) return giveUp(event, error, attempts, settings, tenure, runtime)
      const longestMs = doubled(FIRST_PAUSE_MS, attempts - first, LONGEST_PAUSE_MS)
      await pause(runtime.random() * longestMs, tenure.closing, runtime)
    }
  }
}

async function giveUp(
  event: MessagingEvent,
  error: unknown,
  attempts: number,
  settings: AttemptSettings,
  tenure: EventTenure,
  runtime: MessagingRuntime,
): Promise<Outcome> {
  const { onHandlerError } = settings
  let last = error
  if (onHandlerError !== undefined) {
    try {
      const context = new AttemptContext(tenure.fence, attempts)
      await callApp(() => onHandlerError(error, event, { attempts }), context, settings, tenure, runtime)
      return 'handled'
    } catch (another) {
      if (tenure.recalled.aborted) return 'abandoned'
      last = another
    }
  }
  return { event, error: textOf(last), attempts, failedAt: new Date(runtime.now()) }
}

/**
 * Calls code of the app. Rejects, or throws, when that fails, takes too long, or the tenure is over.
 * @returns nothing where it was done at once
 */
function callApp(
  call: () => unknown,
  context: AttemptContext,
  { handlerTimeoutMs }: AttemptSettings,
  tenure: EventTenure,
  runtime: MessagingRuntime,
): Promise<void> | undefined {
  const returned = call()
  if (!isThenable(returned)) return undefined
  tenure.noteBegin()
  return new Promise((resolve, reject) => {
    const settle = (done: () => void): void => {
      cancel()
      for (const off of release) off()
      done()
    }
    const end = (reason: unknown): void => {
      context.end(reason)
      settle(() => reject(reason))
    }
    const cancel = runtime.after(handlerTimeoutMs, () =>
      end(new PpoppoError('deadline_exceeded', `The handler took longer than ${handlerTimeoutMs} ms.`)),
    )
    const release = [
      onAbort(tenure.recalled, () => context.end(tenure.recalled.reason)),
      // Nobody waits for its outcome any more, only for its end.
      onAbort(tenure.over, () => end(tenure.over.reason)),
    ]
    Promise.resolve(returned)
      .finally(() => tenure.noteEnd())
      .then(
        () => settle(resolve),
        (error: unknown) => settle(() => reject(error)),
      )
  })
}

/** A signal costs more than all else here, so it is made when a handler asks for it. */
class AttemptContext implements HandlerContext {
  readonly fence: number
  readonly attempt: number
  #own: AbortController | undefined
  #ended: { readonly reason: unknown } | undefined

  constructor(fence: number, attempt: number) {
    this.fence = fence
    this.attempt = attempt
  }

  get signal(): AbortSignal {
    this.#own ??= new AbortController()
    if (this.#ended) this.#own.abort(this.#ended.reason)
    return this.#own.signal
  }

  end(reason: unknown): void {
    this.#ended = { reason }
    this.#own?.abort(reason)
  }
}

/** Name and message, not the stack and not what hangs on it: what is stored is read by people. */
function textOf(error: unknown): string {
  const text = toText(error)
  return text.length > LONGEST_ERROR ? `${text.slice(0, LONGEST_ERROR)}...` : text
}

function toText(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  } catch {
    return 'something that cannot be printed'
  }
}
