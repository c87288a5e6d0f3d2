import { PpoppoError } from '../../../errors.js'
import { isName, isWholeNumber, NAME_RULE } from '../../../lib/guards.js'
import { parseStreamOptions, STREAM_OPTIONS } from '../../events/parse-options.js'
import type { ConsumeOptions, FanOutOptions } from '../../types/consumer.js'
import type { StreamOptions } from '../../types/events.js'
import { checkNames, pick, record } from '../../wire/validate.js'

/** {@link ConsumeOptions}, checked and with their defaults. */
export interface ConsumeSettings
  extends Pick<
    ConsumeOptions,
    'name' | 'handler' | 'after' | 'onHandlerError' | 'onDeadLetter' | 'onActive' | 'onStandby' | 'onStoreFault'
  > {
  readonly maxInFlight: number
  readonly leaseMs: number
  readonly drainMs: number
  readonly maxAttempts: number
  readonly handlerTimeoutMs: number
  readonly onCursorLost: 'fail' | 'latest' | 'earliest'
  readonly fanOut: Required<FanOutOptions> | undefined
  /** The options of the stream, except for where it begins. */
  readonly stream: StreamOptions
}

const NUMBERS = {
  maxInFlight: { otherwise: 64, least: 1, most: 10_000 },
  leaseMs: { otherwise: 15_000, least: 100, most: 3_600_000 },
  drainMs: { otherwise: 10_000, least: 0, most: 3_600_000 },
  maxAttempts: { otherwise: 5, least: 1, most: 1_000 },
  handlerTimeoutMs: { otherwise: 60_000, least: 1, most: 86_400_000 },
} as const
const FAN_OUT_NUMBERS = {
  maxLength: { otherwise: 10_000, least: 1, most: 1_000_000 },
  claimAfterMs: { otherwise: 90_000, least: 100, most: 86_400_000 },
} as const
const CALLBACKS = ['onHandlerError', 'onDeadLetter', 'onActive', 'onStandby', 'onStoreFault'] as const
const POLICIES = ['fail', 'latest', 'earliest'] as const
const NAMES = [
  'name',
  'handler',
  'onCursorLost',
  'fanOut',
  ...(Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]),
  ...CALLBACKS,
  ...STREAM_OPTIONS,
]

/** The options of `consume()`, checked. @throws `request_invalid` naming the option */
export function parseConsumeOptions(options: unknown): ConsumeSettings {
  const given = record(options, 'The options of consume()', 'consume({ name, handler })')
  checkNames(given, NAMES, '')
  const { onCursorLost = 'fail', handler } = given
  if (typeof handler !== 'function') throw invalid('handler', 'must be a function: (event) => ...')
  for (const name of CALLBACKS) assertCallback(name, given[name])
  const policy = POLICIES.find((name) => name === onCursorLost)
  if (policy === undefined) throw invalid('onCursorLost', `must be one of ${POLICIES.join(', ')}`)
  const checked = given as unknown as ConsumeOptions
  const { after, ...stream } = parseStreamOptions(given)
  const numbers = toNumbers(given, NUMBERS, '')
  const fanOut = toFanOut(given['fanOut'])
  if (fanOut && fanOut.claimAfterMs <= numbers.handlerTimeoutMs) {
    throw invalid('fanOut.claimAfterMs', `must be longer than "handlerTimeoutMs" (${numbers.handlerTimeoutMs})`)
  }
  return {
    name: parseConsumerName(given['name']),
    handler: checked.handler,
    ...(after === undefined ? {} : { after }),
    ...pick(checked, CALLBACKS),
    ...numbers,
    onCursorLost: policy,
    fanOut,
    stream,
  }
}

/** The name of a consumer, checked. @throws `request_invalid` */
export function parseConsumerName(name: unknown): string {
  if (isName(name)) return name
  throw invalid('name', NAME_RULE)
}

function toFanOut(value: unknown): ConsumeSettings['fanOut'] {
  if (value === undefined || value === false) return undefined
  const given = value === true ? {} : record(value, 'fanOut', 'true, or { maxLength, claimAfterMs }')
  checkNames(given, Object.keys(FAN_OUT_NUMBERS), 'fanOut.')
  return toNumbers(given, FAN_OUT_NUMBERS, 'fanOut.')
}

type Bounds = Readonly<Record<string, { readonly otherwise: number; readonly least: number; readonly most: number }>>

function toNumbers<B extends Bounds>(
  given: Readonly<Record<string, unknown>>,
  bounds: B,
  path: string,
): { readonly [name in keyof B]: number } {
  const entries = Object.entries(bounds).map(([name, { otherwise, least, most }]) => {
    const value = given[name] ?? otherwise
    if (!isWholeNumber(value, least, most))
      throw invalid(`${path}${name}`, `must be a whole number from ${least} to ${most}`)
    return [name, value]
  })
  return Object.fromEntries(entries) as { readonly [name in keyof B]: number }
}

function assertCallback(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw invalid(name, 'must be a function')
}

function invalid(name: string, reason: string): PpoppoError {
  return new PpoppoError('request_invalid', `consume: "${name}" ${reason}.`)
}
