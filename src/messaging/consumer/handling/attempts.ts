import { isTraced, traced } from '../../../channels.js'
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
const MAX_PAUSE_MS = 10_000
const MAX_ERROR_LENGTH = 500

/** What became of an event: handled, abandoned for another process to handle, or given up for good. */
export type Outcome = 'handled' | 'abandoned' | DeadLetter

/** The part of a {@link Tenure} that handling one event needs. */
export type EventTenure = Pick<Tenure, 'fence' | 'closing' | 'recalled' | 'over' | 'mayBegin' | 'noteBegin' | 'noteEnd'>

/** What {@link attempt} is made of. */
export interface AttemptParts {
  readonly event: MessagingEvent
  readonly settings: Pick<ConsumeSettings, 'handler' | 'maxAttempts' | 'handlerTimeoutMs' | 'onHandlerError'>
  readonly tenure: EventTenure
  readonly runtime: MessagingRuntime
  /** Number of the first attempt made here: earlier ones were made by processes that died. @default 1 */
  readonly firstAttempt?: number
  /** The first attempt has failed, and the process has survived it. */
  readonly onFirstFailure?: (() => void) | undefined
}

/** Calls the handler for an event, again after a pause if it fails, until the event is handled or given up. */
export function attempt(parts: AttemptParts): Promise<Outcome> {
  if (!isTraced('event')) return handle(parts)
  const { eventId, type, occurredAt } = parts.event
  const lagMs = occurredAt === undefined ? undefined : parts.runtime.now() - occurredAt.getTime()
  const context = { correlationId: eventId, operation: type, ...(lagMs !== undefined && { lagMs }) }
  const outcomeOf = (outcome: Outcome): string => (typeof outcome === 'string' ? outcome : 'dead_letter')
  return traced({ name: 'event', context, outcomeOf }, () => handle(parts))
}

async function handle(parts: AttemptParts): Promise<Outcome> {
  const { event, settings, tenure, runtime, firstAttempt = 1, onFirstFailure } = parts
  for (let attempts = firstAttempt; ; attempts++) {
    if (!tenure.mayBegin()) return 'abandoned'
    try {
      const context = new AttemptContext(tenure.fence, attempts)
      const handled = callApp(() => settings.handler(event, context), context, parts)
      // Many handlers are synchronous, and cost no promise then.
      if (handled !== undefined) await handled
      return 'handled'
    } catch (error) {
      // It was aborted, and may have failed because of that.
      if (tenure.recalled.aborted) return 'abandoned'
      if (attempts === firstAttempt) onFirstFailure?.()
      if (attempts >= settings.maxAttempts) return giveUp(parts, error, attempts)
      const maxMs = doubled(FIRST_PAUSE_MS, attempts - firstAttempt, MAX_PAUSE_MS)
      await pause(runtime.random() * maxMs, tenure.closing, runtime)
    }
  }
}

async function giveUp(parts: AttemptParts, error: unknown, attempts: number): Promise<Outcome> {
  const { event, settings, tenure, runtime } = parts
  const { onHandlerError } = settings
  let last = error
  if (onHandlerError !== undefined) {
    try {
      const context = new AttemptContext(tenure.fence, attempts)
      await callApp(() => onHandlerError(error, event, { attempts }), context, parts)
      return 'handled'
    } catch (another) {
      if (tenure.recalled.aborted) return 'abandoned'
      last = another
    }
  }
  return { event, error: explainFailure(last), attempts, failedAt: new Date(runtime.now()) }
}

/**
 * Calls code of the app. Rejects or throws if it fails, takes too long, or the tenure is over.
 * @returns nothing if it was synchronous
 */
function callApp(call: () => unknown, context: AttemptContext, parts: AttemptParts): Promise<void> | undefined {
  const returned = call()
  if (!isThenable(returned)) return undefined
  const { tenure, runtime } = parts
  const { handlerTimeoutMs } = parts.settings
  tenure.noteBegin()
  return new Promise((resolve, reject) => {
    const settle = (done: () => void): void => {
      cancel()
      for (const off of unsubscribe) off()
      done()
    }
    const end = (reason: unknown): void => {
      context.end(reason)
      settle(() => reject(reason))
    }
    const cancel = runtime.after(handlerTimeoutMs, () =>
      end(new PpoppoError('deadline_exceeded', `The handler took longer than ${handlerTimeoutMs} ms.`)),
    )
    const unsubscribe = [
      onAbort(tenure.recalled, () => context.end(tenure.recalled.reason)),
      // Its outcome no longer matters, only that it ends.
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

/** Creates its signal when the handler asks for it: nothing else here costs as much. */
class AttemptContext implements HandlerContext {
  readonly fence: number
  readonly attempt: number
  #controller: AbortController | undefined
  #ended: { readonly reason: unknown } | undefined

  constructor(fence: number, attempt: number) {
    this.fence = fence
    this.attempt = attempt
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#ended) this.#controller.abort(this.#ended.reason)
    return this.#controller.signal
  }

  end(reason: unknown): void {
    this.#ended = { reason }
    this.#controller?.abort(reason)
  }
}

/** Name and message, without the stack and other properties: people read what is stored. */
/** What a dead letter says about a failure, cut to 500 characters. */
export function explainFailure(error: unknown): string {
  const text = toText(error)
  return text.length > MAX_ERROR_LENGTH ? `${text.slice(0, MAX_ERROR_LENGTH)}...` : text
}

function toText(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  } catch {
    return 'something that cannot be printed'
  }
}
