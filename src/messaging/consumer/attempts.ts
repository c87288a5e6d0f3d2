import { PpoppoError } from '../../errors.js'
import { onAbort } from '../../lib/on-abort.js'
import type { DeadLetter, EventHandler, HandlerContext } from '../consumer-types.js'
import type { MessagingEvent } from '../event-types.js'
import { tell } from '../events/tell.js'
import type { MessagingRuntime } from '../runtime.js'
import { pause } from './pause.js'
import type { ConsumeSettings } from './settings.js'
import type { Tenure } from './tenure.js'

const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 10_000
const LONGEST_ERROR = 500

/** What became of an event: handled, given up for now (it is another's), or given up for good. */
export type Outcome = 'handled' | 'abandoned' | DeadLetter

/** Under what an event is handled. */
export type EventTenure = Pick<Tenure, 'fence' | 'closing' | 'over' | 'mayBegin'>

export type AttemptSettings = Pick<
  ConsumeSettings,
  'handler' | 'maxAttempts' | 'handlerTimeoutMs' | 'onHandlerError' | 'onDeadLetter'
>

/**
 * Handles an event, again after a pause where that fails, until it is handled or given up.
 * @param first number of the first attempt
 */
export async function attempt(
  event: MessagingEvent,
  settings: AttemptSettings,
  tenure: EventTenure,
  runtime: MessagingRuntime,
  first = 1,
): Promise<Outcome> {
  for (let attempts = first; ; attempts++) {
    if (!tenure.mayBegin()) return 'abandoned'
    try {
      const handled = tryOnce(event, attempts, settings, tenure, runtime)
      // Most handlers of a dashboard are synchronous: no promise for those.
      if (handled !== undefined) await handled
      return 'handled'
    } catch (error) {
      if (tenure.over.aborted) return 'abandoned'
      if (attempts >= settings.maxAttempts) return giveUp(event, error, attempts, settings, runtime)
      await pause(
        runtime.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempts - first)),
        tenure.closing,
        runtime,
      )
    }
  }
}

async function giveUp(
  event: MessagingEvent,
  error: unknown,
  attempts: number,
  { onHandlerError, onDeadLetter }: AttemptSettings,
  runtime: MessagingRuntime,
): Promise<Outcome> {
  let last = error
  if (onHandlerError !== undefined) {
    try {
      await onHandlerError(error, event, { attempts })
      return 'handled'
    } catch (another) {
      last = another
    }
  }
  const letter = { event, error: textOf(last), attempts, failedAt: new Date(runtime.now()) }
  tell(onDeadLetter, letter)
  return letter
}

/** @returns nothing where the handler was done at once; rejects, or throws, when it fails or takes too long */
function tryOnce(
  event: MessagingEvent,
  attempt: number,
  { handler, handlerTimeoutMs }: AttemptSettings,
  tenure: EventTenure,
  runtime: MessagingRuntime,
): Promise<void> | undefined {
  const context = new AttemptContext(tenure.fence, attempt)
  const returned = (handler as EventHandler)(event, context)
  if (!isThenable(returned)) return undefined
  return new Promise((resolve, reject) => {
    const settle = (done: () => void): void => {
      cancel()
      letGo()
      done()
    }
    const cancel = runtime.after(handlerTimeoutMs, () => {
      const late = new PpoppoError('deadline_exceeded', `The handler took longer than ${handlerTimeoutMs} ms.`)
      context.end(late)
      settle(() => reject(late))
    })
    let letGo = (): void => {}
    // Nobody waits for it any more; what it comes to is not heard.
    letGo = onAbort(tenure.over, () => {
      context.end(tenure.over.reason)
      settle(() => reject(tenure.over.reason))
    })
    Promise.resolve(returned).then(
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

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** Name and message, not the stack and not what hangs on it: what is stored is read by people. */
function textOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return text.length > LONGEST_ERROR ? `${text.slice(0, LONGEST_ERROR)}...` : text
}
