import { toHttpDate } from '../../lib/http-date.js'

/** The longest wait, whatever the server asks for. */
const MAX_MS = 86_400_000
/** `3`, `1.5`, `3s` (a `google.protobuf.Duration` in JSON), `250ms`. */
const NUMBER = /^\s{0,9}(\d{1,15}(?:\.\d{1,9})?|\.\d{1,9}) ?(s|ms)?\s{0,9}$/i
/** From the first on, a number is a time in seconds since 1970; from the second on, one in milliseconds. */
const [FIRST_TIME, FIRST_TIME_MS] = [1e9, 1e12]
/** When a request limit resets: the fields of Envoy, of GitHub, and of the IETF draft. */
const RESETS = ['ratelimit', 'x-ratelimit'].map((name) => ({ reset: `${name}-reset`, remaining: `${name}-remaining` }))

/** How long a response asks to wait; `{}` if it asks to, but the time cannot be read. */
export interface RetryHint {
  readonly afterMs?: number
}

/** Where to look for a hint. */
export interface HintSource {
  /** A header or trailer, if it is a string. */
  readonly text: (name: string) => string | undefined
  /** The trailer `grpc-status-details-bin`: a `google.rpc.Status`. */
  readonly statusDetails?: Uint8Array | undefined
  /** Milliseconds since the epoch. */
  readonly now: number
}

/**
 * How long a server asks to wait, in whatever form: `retry-after-ms` (Ppoppo's Messaging reference), `retry-after` in seconds
 * or as a date (RFC 9110 10.2.3), `grpc-retry-pushback-ms` (gRFC A6), a `google.rpc.RetryInfo`, or the time at which a
 * limit that is used up resets (`ratelimit-reset`). The first readable one counts; an unreadable one still asks to wait.
 * @returns `undefined` without a hint
 */
export function readRetryHint({ text, statusDetails, now }: HintSource): RetryHint | undefined {
  const milliseconds = text('retry-after-ms')
  const retryAfter = text('retry-after')
  const info = statusDetails && readRetryInfo(statusDetails)
  const at = { now, date: text('date') }
  const reset = resetOf(text)
  const afterMs =
    toRetryAfterMs(retryAfter, milliseconds, at) ??
    toMs(text('grpc-retry-pushback-ms'), 1, at) ??
    toBounded(info?.delayMs) ??
    toRetryAfterMs(reset, undefined, at)
  if (afterMs !== undefined) return { afterMs }
  // An unreadable push-back does not count: a negative one asks not to retry.
  return [milliseconds, retryAfter, info, reset].every((hint) => hint === undefined) ? undefined : {}
}

/** When the limit that is used up resets. A limit with something left did not reject the call. */
function resetOf(text: HintSource['text']): string | undefined {
  const used = RESETS.find(({ reset, remaining }) => text(reset) !== undefined && Number(text(remaining) ?? 0) === 0)
  return used && text(used.reset)
}

/**
 * `retry-after-ms` in milliseconds, else `retry-after` in seconds or as a date.
 * @param at our time, and the server's (`date`): a date refers to the server's clock
 * @returns milliseconds; `undefined` without a hint, or if it cannot be read or has passed
 */
export function toRetryAfterMs(
  retryAfter: string | undefined,
  milliseconds?: string,
  at: At = { now: Date.now() },
): number | undefined {
  return toMs(milliseconds, 1, at) ?? toMs(retryAfter, 1_000, at) ?? untilDate(retryAfter, at)
}

/** The current time: ours, and the server's. */
interface At {
  readonly now: number
  readonly date?: string | undefined
}

function toMs(text: string | undefined, unitMs: number, at: At): number | undefined {
  const [, number, unit] = NUMBER.exec(text ?? '') ?? []
  if (number === undefined) return undefined
  const value = Number(number)
  if (unit === undefined && unitMs === 1_000 && value >= FIRST_TIME)
    return untilTime(value < FIRST_TIME_MS ? value * 1_000 : value, at)
  return toBounded(Math.ceil(value * (unit === undefined ? unitMs : unit.toLowerCase() === 's' ? 1_000 : 1)))
}

function untilDate(text: string | undefined, at: At): number | undefined {
  const until = text === undefined ? undefined : toHttpDate(text)
  return until === undefined ? undefined : untilTime(until, at)
}

function untilTime(until: number, { now, date }: At): number | undefined {
  const from = (date === undefined ? undefined : toHttpDate(date)) ?? now
  return until > from ? toBounded(until - from) : undefined
}

function toBounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.min(MAX_MS, ms)
}

/** Longer details are not read. */
const MAX_BYTES = 16_384
const RETRY_INFO = /(^|\/)google\.rpc\.RetryInfo$/

interface Field {
  readonly number: number
  /** Of a length-delimited field. */
  readonly bytes: Uint8Array
  /** Of a varint. */
  readonly value: number
}

/**
 * The `google.rpc.RetryInfo` in a `google.rpc.Status` (the trailer `grpc-status-details-bin`), read by hand: it is three
 * messages deep, and needs no descriptor.
 * @returns `undefined` if there is none; without `delayMs` if it contains no time
 */
export function readRetryInfo(status: Uint8Array): { readonly delayMs?: number } | undefined {
  if (status.length > MAX_BYTES) return undefined
  try {
    for (const { bytes: any } of fields(status, 3)) {
      const [typeUrl] = fields(any, 1)
      if (!typeUrl || !RETRY_INFO.test(Buffer.from(typeUrl.bytes).toString())) continue
      const [info] = fields(any, 2)
      const [delay] = info ? fields(info.bytes, 1) : []
      if (!delay) return {}
      const [seconds, nanos] = [1, 2].map((number) => [...fields(delay.bytes, number)].at(-1)?.value ?? 0)
      const delayMs = Math.ceil((seconds ?? 0) * 1_000 + (nanos ?? 0) / 1e6)
      // A negative duration is read as a 64-bit number far above any sensible one.
      return Number.isSafeInteger(delayMs) ? { delayMs } : {}
    }
  } catch {
    // Truncated, or something else: no hint.
  }
  return undefined
}

/** The fields of a message with a given number. @throws RangeError if the bytes are not a message */
function* fields(message: Uint8Array, wanted: number): Generator<Field> {
  const reader = { message, at: 0 }
  while (reader.at < message.length) {
    const tag = readVarint(reader)
    const field = { number: Math.floor(tag / 8), ...readValue(reader, tag % 8) }
    if (field.number === wanted) yield field
  }
}

interface Reader {
  readonly message: Uint8Array
  at: number
}

/** @param wireType 0 varint, 1 and 5 fixed, 2 length-delimited; groups are not read */
function readValue(reader: Reader, wireType: number): Omit<Field, 'number'> {
  const none = { bytes: new Uint8Array(0), value: 0 }
  if (wireType === 0) return { ...none, value: readVarint(reader) }
  const length = wireType === 2 ? readVarint(reader) : wireType === 1 ? 8 : wireType === 5 ? 4 : Number.NaN
  const end = reader.at + length
  if (!(end <= reader.message.length)) throw new RangeError('cut short')
  const bytes = reader.message.subarray(reader.at, end)
  reader.at = end
  return { ...none, bytes }
}

function readVarint(reader: Reader): number {
  let value = 0
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = reader.message[reader.at]
    if (byte === undefined) break
    reader.at += 1
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return value
  }
  throw new RangeError('no varint')
}
