import { toHttpDate } from '../lib/http-date.js'
import { readRetryInfo } from './retry-info.js'

/** No server is waited for longer than this, whatever it asks. */
const MOST_MS = 86_400_000

/** What an answer asks to wait: `{}` where it asks to, and not readably for how long. */
export interface RetryHint {
  readonly afterMs?: number
}

/** Where to look for a hint. */
export interface HintSource {
  /** A header or trailer, where it is a text. */
  readonly text: (name: string) => string | undefined
  /** The trailer `grpc-status-details-bin`: a `google.rpc.Status`. */
  readonly statusDetails?: Uint8Array | undefined
  /** Milliseconds since the epoch. */
  readonly now: number
}

/**
 * What a server asks to wait, in whatever form: `retry-after-ms` (Ppoppo's Messaging reference), `retry-after` in seconds
 * or as a date (RFC 9110 10.2.3), `grpc-retry-pushback-ms` (gRFC A6), or a `google.rpc.RetryInfo`. The first that can be
 * read counts; one that cannot asks to wait all the same.
 * @returns `undefined` without a hint
 */
export function readRetryHint({ text, statusDetails, now }: HintSource): RetryHint | undefined {
  const milliseconds = text('retry-after-ms')
  const retryAfter = text('retry-after')
  const info = statusDetails && readRetryInfo(statusDetails)
  const afterMs =
    toRetryAfterMs(retryAfter, milliseconds, { now, date: text('date') }) ??
    toMs(text('grpc-retry-pushback-ms'), 1) ??
    toBounded(info?.delayMs)
  if (afterMs !== undefined) return { afterMs }
  // Not of a push-back that cannot be read: a negative one asks not to try again.
  return milliseconds === undefined && retryAfter === undefined && info === undefined ? undefined : {}
}

/**
 * `retry-after-ms` in milliseconds, else `retry-after` in seconds or as a date.
 * @param at our time, and what the answer says the server's is (`date`): a date is meant by the server's clock
 * @returns milliseconds; `undefined` without a hint, or where it cannot be read or has passed
 */
export function toRetryAfterMs(
  retryAfter: string | undefined,
  milliseconds?: string,
  at: { readonly now: number; readonly date?: string | undefined } = { now: Date.now() },
): number | undefined {
  return toMs(milliseconds, 1) ?? toMs(retryAfter, 1_000) ?? untilDate(retryAfter, at)
}

function toMs(text: string | undefined, unitMs: number): number | undefined {
  if (text === undefined || !/^\s{0,9}\d{1,15}(\.\d{1,6})?\s{0,9}$/.test(text)) return undefined
  return toBounded(Math.ceil(Number(text) * unitMs))
}

function untilDate(
  text: string | undefined,
  { now, date }: { now: number; date?: string | undefined },
): number | undefined {
  const until = text === undefined ? undefined : toHttpDate(text)
  const from = (date === undefined ? undefined : toHttpDate(date)) ?? now
  return until !== undefined && until > from ? toBounded(until - from) : undefined
}

function toBounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.min(MOST_MS, ms)
}
