import { LONGEST_TIMER_MS } from '../../lib/wait.js'
import { isSignal } from '../call/call-options.js'
import type { EventsOptions, StreamOptions } from '../types/events.js'
import { checkNames, invalid, parseId, pick, record } from '../wire/validate.js'

/** The names of {@link StreamOptions}. */
export const STREAM_OPTIONS: readonly (keyof StreamOptions)[] = [
  'sendRequestId',
  'after',
  'recycleMs',
  'staleAfterMs',
  'onConnected',
  'onDisconnected',
  'onResumed',
  'onStale',
]

const CALLBACKS = ['onConnected', 'onDisconnected', 'onResumed', 'onStale'] as const

/** The options of `events()`, checked. @throws `request_invalid` naming the option, also for an unknown one */
export function parseEventsOptions(options: unknown): EventsOptions {
  if (options === undefined) return {}
  if (isSignal(options)) throw invalid('signal', 'must be passed by name: { signal }')
  const given = record(options, 'The options', 'events({ sendRequestId, after, signal })')
  checkNames(given, [...STREAM_OPTIONS, 'signal'], '')
  const { signal } = given
  if (signal !== undefined && !isSignal(signal)) throw invalid('signal', 'must be an AbortSignal')
  return { ...parseStreamOptions(given), ...(signal === undefined ? {} : { signal }) }
}

/**
 * The options of the stream, checked; others are left out.
 * @throws `request_invalid` naming the option
 */
export function parseStreamOptions(given: Readonly<Record<string, unknown>>): StreamOptions {
  for (const name of ['sendRequestId', 'after'] as const) if (given[name] !== undefined) parseId(given[name], name)
  for (const name of ['recycleMs', 'staleAfterMs'] as const) assertMs(given[name], name)
  for (const name of CALLBACKS) {
    if (given[name] !== undefined && typeof given[name] !== 'function') throw invalid(name, 'must be a function')
  }
  return pick(given as StreamOptions, STREAM_OPTIONS)
}

function assertMs(value: unknown, name: string): void {
  if (value === undefined || (typeof value === 'number' && value > 0 && value <= LONGEST_TIMER_MS)) return
  throw invalid(name, `must be a positive number of milliseconds, ${LONGEST_TIMER_MS} at most`)
}
