/** Crockford's base 32, in which a ULID is written. */
export const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** How many of its digits are the time. */
export const TIME_LENGTH = 10

/** The time in a ULID, whose first ten of 26 digits to the base 32 are milliseconds since the epoch. @returns nothing for another text */
export function toUlidDate(text: string): Date | undefined {
  if (!/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/i.test(text)) return undefined
  let ms = 0
  for (const digit of text.slice(0, TIME_LENGTH).toUpperCase()) ms = ms * DIGITS.length + DIGITS.indexOf(digit)
  return new Date(ms)
}
