import { isPlainObject } from '../../lib/guards.js'
import { LONGEST_TIMER_MS } from '../../lib/wait.js'
import type { CallOptions } from '../types/methods.js'
import { CALL_OPTIONS, checkNames, invalid, record } from '../wire/validate.js'

/** What `sendMany` asks of a send, beyond an app's options. It has checked the request. */
export interface SendContext {
  /** A larger encoded request fails with a `TooLargeError` before anything is sent. */
  readonly maxBytes: number
  /** Once aborted, no further attempt is started; one in flight may finish. */
  readonly noNewAttempts: AbortSignal
  /** Whether the send may have been accepted if it ended at this moment. Kept up to date by the client. */
  isInDoubt: boolean
}

/** Options of what makes many calls, and waits itself for as long as PCS asks: `sendMany`, `waitFor`. */
export const LONG_RUN_OPTIONS: readonly string[] = ['signal', 'deadlineMs']

/**
 * Checks the options of a call, before anything else is done: one that is not known would be an abort that does nothing.
 * @param names of the options there are @default all of `CallOptions`
 * @throws `request_invalid` with the name, and for a name that is not known
 */
export function parseCallOptions(options: unknown, names: readonly string[] = CALL_OPTIONS): CallOptions {
  if (options === undefined) return {}
  if (isSignal(options)) throw invalid('signal', 'must be passed by name: { signal }')
  const given = record(options, 'The options of a call', `{ ${names.join(', ')} }`)
  checkNames(given, names, '')
  const { signal, deadlineMs, rateLimit } = given
  if (signal !== undefined && !isSignal(signal)) throw invalid('signal', 'must be an AbortSignal')
  if (deadlineMs !== undefined && !isDuration(deadlineMs)) {
    throw invalid('deadlineMs', `must be a positive number of milliseconds, ${LONGEST_TIMER_MS} at most`)
  }
  if (rateLimit !== undefined && rateLimit !== 'wait' && rateLimit !== 'fail')
    throw invalid('rateLimit', 'must be "wait" or "fail"')
  return {
    ...(signal && { signal }),
    ...(deadlineMs !== undefined && { deadlineMs }),
    ...(rateLimit !== undefined && { rateLimit }),
  }
}

/** By its members: the signals of another realm, such as a test's, are signals, too. */
export function isSignal(value: unknown): value is AbortSignal {
  return isPlainObject(value) && typeof value['aborted'] === 'boolean' && 'addEventListener' in value
}

function isDuration(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= LONGEST_TIMER_MS
}
