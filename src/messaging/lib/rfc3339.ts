/** A time as RFC 3339 writes it, with any offset and any fraction. @returns milliseconds since the epoch; NaN for any other text */
export function parseRfc3339(text: string): number {
  const ms = parseUtc(text)
  return Number.isNaN(ms) ? parseAny(text) : ms
}

const [ZERO, DOT, DASH, COLON, T, Z] = [48, 46, 45, 58, 84, 90]
const SECONDS_END = 19

const HOUR_END = 13
/** The hour that was read last, such as `2026-11-30T09`, and when it began: the events of a stream come one after another. */
let lastHour = 'none'
let lastHourMs = Number.NaN

/** In UTC, as servers usually write it. Without a regular expression, since every event has a time. @returns NaN if in doubt */
function parseUtc(text: string): number {
  const end = endOfUtc(text)
  if (end < SECONDS_END || text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON) return Number.NaN
  const minute = twoDigits(text, 14)
  const second = twoDigits(text, 17)
  if (!(minute <= 59 && second <= 59)) return Number.NaN
  if (!text.startsWith(lastHour)) {
    const hourMs = parseHour(text)
    if (Number.isNaN(hourMs)) return hourMs
    lastHour = text.slice(0, HOUR_END)
    lastHourMs = hourMs
  }
  return lastHourMs + minute * 60_000 + second * 1_000 + toMs(text, end)
}

/** @returns NaN if in doubt */
function parseHour(text: string): number {
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH || text.charCodeAt(10) !== T) return Number.NaN
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2)
  const month = twoDigits(text, 5)
  const day = twoDigits(text, 8)
  const hour = twoDigits(text, 11)
  // `Date.UTC` takes a year below 100 for one of the last century, and 30 February for 2 March.
  if (!(year >= 1_000 && month >= 1 && month <= 12 && day >= 1 && hour <= 23)) return Number.NaN
  const ms = Date.UTC(year, month - 1, day, hour)
  return new Date(ms).getUTCDate() === day ? ms : Number.NaN
}

/** Where `Z` or `+00:00` begins; -1 if neither is there. */
function endOfUtc(text: string): number {
  if (text.charCodeAt(text.length - 1) === Z) return text.length - 1
  return text.endsWith('+00:00') ? text.length - 6 : -1
}

function digit(text: string, at: number): number {
  const value = text.charCodeAt(at) - ZERO
  return value >= 0 && value <= 9 ? value : Number.NaN
}

function twoDigits(text: string, at: number): number {
  return digit(text, at) * 10 + digit(text, at + 1)
}

/** The fraction of the second, cut to milliseconds. @param end where it ends @returns NaN if it is not one */
function toMs(text: string, end: number): number {
  if (end === SECONDS_END) return 0
  if (text.charCodeAt(SECONDS_END) !== DOT || end === SECONDS_END + 1) return Number.NaN
  let ms = 0
  let unit = 100
  for (let at = SECONDS_END + 1; at < end; at++) {
    ms += digit(text, at) * unit
    unit = unit === 100 ? 10 : unit === 10 ? 1 : 0
  }
  return ms
}

function parseAny(text: string): number {
  const parts = /^(\d{4}-\d\d-\d\d)([Tt ]\d\d:\d\d:)(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.exec(text)
  if (!parts) return Number.NaN
  const [, day = '', time = '', second = '', fraction = '', zone = ''] = parts
  // `Date` would read 30 February as 2 March.
  if (day.slice(-2) > '28' && new Date(`${day}T00:00:00Z`).getUTCDate() !== Number(day.slice(-2))) return Number.NaN
  // A leap second, which `Date` does not support.
  return Date.parse(`${day}${time}${second === '60' ? '59' : second}${fraction}${zone}`.toUpperCase())
}
