/** What can be changed about the messaging service while it runs. */
export interface PcsSwitches {
  /** Life of a `client_credentials` token. @default 3600 */
  externalTokenTtlSeconds: number
  /** A send takes one step each this many milliseconds: PROCESSING, then a quarter of its recipients. @default 200 */
  pcsStepMs: number
  /** How long a person takes to grant or deny consent. @default 3000 */
  pcsConsentMs: number
  /** Messages, requests for consent and polls wait until somebody decides, on the inbox page or by code. @default false */
  pcsHold: boolean
  /** Time between answers to a poll. @default 1000 */
  pcsPollAnswerMs: number
  /** A stream without a cursor begins with the oldest event, or with the next one. @default 'all' */
  pcsStreamStart: 'all' | 'new'
  /** The answer to a cursor that is not in the log. @default 'not-found' */
  pcsUnknownCursor: 'not-found' | 'out-of-range' | 'from-start'
  /** Calls a minute. @default 6000 */
  pcsRatePerMinute: number
  /** Messages a month; `null` is no limit. @default 10000000 */
  pcsMonthlyLimit: number | null
  /** Which trailers say how long to wait once the rate limit is reached. @default 'both' */
  pcsRetryHint: 'both' | 'ms' | 'seconds' | 'none'
  /** Their value; `null` is the real time. @default null */
  pcsRetryAfterMs: number | null
  /** Whether they are sent for the monthly quota, too. @default false */
  pcsQuotaHint: boolean
  /** Anything but `active` is refused: PERMISSION_DENIED, for `not-approved` FAILED_PRECONDITION. @default 'active' */
  pcsAppState: 'active' | 'suspended' | 'ip-not-allowed' | 'scope-missing' | 'not-approved'
}

export const defaultPcsSwitches: Readonly<PcsSwitches> = {
  externalTokenTtlSeconds: 3600,
  pcsStepMs: 200,
  pcsConsentMs: 3000,
  pcsHold: false,
  pcsPollAnswerMs: 1000,
  pcsStreamStart: 'all',
  pcsUnknownCursor: 'not-found',
  pcsRatePerMinute: 6000,
  pcsMonthlyLimit: 10_000_000,
  pcsRetryHint: 'both',
  pcsRetryAfterMs: null,
  pcsQuotaHint: false,
  pcsAppState: 'active',
}

const isWhole = (value: unknown, least: number): boolean => Number.isSafeInteger(value) && Number(value) >= least
const positive = (value: unknown) => (isWhole(value, 1) ? undefined : 'a positive whole number')
const milliseconds = (value: unknown) =>
  isWhole(value, 0) && Number(value) < 2 ** 31 ? undefined : 'a whole number of milliseconds'
const trueOrFalse = (value: unknown) => (typeof value === 'boolean' ? undefined : 'true or false')
const orNull = (check: (value: unknown) => string | undefined) => (value: unknown) => {
  const complaint = value === null ? undefined : check(value)
  return complaint && `null or ${complaint}`
}
const oneOf =
  <T extends string>(...known: readonly T[]) =>
  (value: unknown) =>
    known.some((one) => one === value) ? undefined : `one of ${known.join(', ')}`

/** What each switch takes, where it is given something else. */
export const pcsSwitchFaults: {
  readonly [S in keyof PcsSwitches]: (value: unknown) => string | undefined
} = {
  externalTokenTtlSeconds: (value) => positive(value) && 'a positive whole number of seconds',
  pcsStepMs: milliseconds,
  pcsConsentMs: milliseconds,
  pcsHold: trueOrFalse,
  pcsPollAnswerMs: milliseconds,
  pcsStreamStart: oneOf<PcsSwitches['pcsStreamStart']>('all', 'new'),
  pcsUnknownCursor: oneOf<PcsSwitches['pcsUnknownCursor']>('not-found', 'out-of-range', 'from-start'),
  pcsRatePerMinute: positive,
  pcsMonthlyLimit: orNull(positive),
  pcsRetryHint: oneOf<PcsSwitches['pcsRetryHint']>('both', 'ms', 'seconds', 'none'),
  pcsRetryAfterMs: orNull(milliseconds),
  pcsQuotaHint: trueOrFalse,
  pcsAppState: oneOf<PcsSwitches['pcsAppState']>(
    'active',
    'suspended',
    'ip-not-allowed',
    'scope-missing',
    'not-approved',
  ),
}
