const MONTHS: readonly string[] = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')
const MONTH = '([a-z]{3})'
const TIME = '(\\d\\d):(\\d\\d):(\\d\\d)'

/** The three forms of RFC 9110 5.6.7, the first also with a zone of RFC 5322. Groups: day, month, year, time, zone. */
const FIXED = new RegExp(`^[a-z]{3}, (\\d\\d?) ${MONTH} (\\d{4}) ${TIME} (gmt|utc|[+-]\\d{4})$`, 'i')
const RFC_850 = new RegExp(`^[a-z]{6,9}, (\\d\\d)-${MONTH}-(\\d\\d) ${TIME} (?:gmt|utc)$`, 'i')
const ASCTIME = new RegExp(`^[a-z]{3} ${MONTH} ([ \\d]\\d) ${TIME} (\\d{4})$`, 'i')
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i
/** No date in any of these forms is longer. */
const LONGEST_DATE = 40

/**
 * Parses an HTTP date (RFC 9110 5.6.7) in each of its three forms: `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94
 * 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`. Also takes what servers send instead: a numeric zone (RFC 5322), RFC 3339.
 * @returns milliseconds since the epoch; `undefined` if it is not a date
 */
export function toHttpDate(text: string): number | undefined {
  const date = text.trim()
  if (date.length > LONGEST_DATE) return undefined
  if (RFC_3339.test(date)) return toTime(Date.parse(date.toUpperCase()))
  const [, ...fixed] = FIXED.exec(date) ?? []
  if (fixed.length > 0) return beforeZone(fromParts(fixed), fixed.at(-1))
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

/** @param zone `+0900`; anything else is UTC */
function beforeZone(time: number | undefined, zone = ''): number | undefined {
  const [, sign, hours, minutes] = /^([+-])(\d\d)(\d\d)$/.exec(zone) ?? []
  const offsetMs = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000
  return time === undefined ? undefined : time - (sign === '-' ? -offsetMs : offsetMs)
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
