import { DIGITS, TIME_LENGTH } from '../messaging/lib/ulid.js'

const COUNTER_LENGTH = 16

/** Ids in the form of a ULID that sort in the order they were made. */
export function createIds(): () => string {
  let count = 0
  return () => {
    count += 1
    return encode(Date.now(), TIME_LENGTH) + encode(count, COUNTER_LENGTH)
  }
}

function encode(value: number, length: number): string {
  let text = ''
  for (let rest = value; text.length < length; rest = Math.floor(rest / 32)) text = (DIGITS[rest % 32] ?? '0') + text
  return text
}
