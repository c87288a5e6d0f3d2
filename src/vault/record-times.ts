/** The times of a record, in milliseconds since the epoch. */
export interface RecordTimes {
  readonly createdAt: number
  readonly lastSeenAt: number
  readonly touchedAt: number
  readonly refreshedAt: number
  readonly absoluteExpiresAt: number
  readonly expiresAt: number
}

/** The members that a version before 0.2 wrote, in the order of {@link RecordTimes}. */
const FORMER_NAMES = ['c', 'l', 'i', 'f', 'x', 'e'] as const

/** Short: base 36, and all but the first as what they are after it. */
export function writeTimes(times: RecordTimes): string {
  const { createdAt, lastSeenAt, touchedAt, refreshedAt, absoluteExpiresAt, expiresAt } = times
  const others = [lastSeenAt, touchedAt, refreshedAt, absoluteExpiresAt, expiresAt]
  return [createdAt, ...others.map((time) => time - createdAt)].map((number) => number.toString(36)).join('.')
}

/** The times of a record, also of one that a version before 0.2 wrote; `undefined` if they are not as we write them. */
export function readTimes(record: Readonly<Record<string, unknown>>): RecordTimes | undefined {
  const { d: text } = record
  const former = FORMER_NAMES.map((name) => record[name])
  if (text === undefined) return former.every(Number.isSafeInteger) ? toTimes(former.map(Number)) : undefined
  const [created = Number.NaN, ...others] = String(text)
    .split('.')
    .map((number) => Number.parseInt(number, 36))
  const times = toTimes([created, ...others.map((after) => created + after)])
  return Object.values(times).every(Number.isSafeInteger) && writeTimes(times) === text ? times : undefined
}

function toTimes(numbers: readonly number[]): RecordTimes {
  const [createdAt = 0, lastSeenAt = 0, touchedAt = 0, refreshedAt = 0, absoluteExpiresAt = 0, expiresAt = 0] = numbers
  return { createdAt, lastSeenAt, touchedAt, refreshedAt, absoluteExpiresAt, expiresAt }
}
