const MONTHS: readonly string[] = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')
const MONTH = '([a-z]{3})'
const TIME = '(\\d\\d):(\\d\\d):(\\d\\d)'

/** The forms of RFC 9110 5.6.7, and of RFC 3339 what is in UTC; parts in the order day, month, year, time. */
const FIXED = new RegExp(`^[a-z]{3}, (\\d\\d) ${MONTH} (\\d{4}) ${TIME} (?:gmt|utc)$`, 'i')
const RFC_850 = new RegExp(`^[a-z]{6,9}, (\\d\\d)-${MONTH}-(\\d\\d) ${TIME} (?:gmt|utc)$`, 'i')
const ASCTIME = new RegExp(`^[a-z]{3} ${MONTH} ([ \\d]\\d) ${TIME} (\\d{4})$`, 'i')
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/i
/** None of these is longer. */
const MOST_LETTERS = 40

/**
 * An HTTP date (RFC 9110 5.6.7), in each of its three forms: `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37
 * GMT`, `Sun Nov  6 08:49:37 1994`.
 * @returns milliseconds since the epoch; `undefined` for what is no date
 */
export function toHttpDate(text: string): number | undefined {
  const date = text.trim()
  if (date.length > MOST_LETTERS) return undefined
  if (RFC_3339.test(date)) return toTime(Date.parse(date))
  const [, ...fixed] = FIXED.exec(date) ?? []
  if (fixed.length > 0) return fromParts(fixed)
  const [, day, month, year, ...time] = RFC_850.exec(date) ?? []
  if (year !== undefined) return fromParts([day, month, String(toFullYear(Number(year))), ...time])
  const [, monthOf, dayOf, hour, minute, second, yearOf] = ASCTIME.exec(date) ?? []
  return monthOf === undefined ? undefined : fromParts([dayOf, monthOf, yearOf, hour, minute, second])
}

function fromParts([day, month = '', year, hour, minute, second]: readonly (string | undefined)[]): number | undefined {
  const index = MONTHS.indexOf(month.toLowerCase())
  if (index < 0) return undefined
  return toTime(Date.UTC(Number(year), index, Number(day), Number(hour), Number(minute), Number(second)))
}

/** A year that seems more than 50 years in the future is the most recent one in the past with these digits. */
function toFullYear(digits: number): number {
  const thisYear = new Date().getUTCFullYear()
  const year = thisYear - (thisYear % 100) + digits
  return year > thisYear + 50 ? year - 100 : year
}

function toTime(time: number): number | undefined {
  return Number.isNaN(time) ? undefined : time
}
