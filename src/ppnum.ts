import { PpoppoError } from './errors.js'

/** On the wire: 11 digits or more (*Sign-in reference*). Leading digits mean nothing. */
export const PPNUM: RegExp = /^[0-9]{11,}$/

/** Whether a value is a ppnum as on the wire: digits only, 11 or more. */
export function isPpnum(value: unknown): value is string {
  return typeof value === 'string' && PPNUM.test(value)
}

/**
 * Reads a ppnum as people write it: digits, with spaces or hyphens between them.
 * @returns the digits alone, as on the wire.
 * @throws `ppnum_invalid`
 *
 * @example parsePpnum('123-1234-5678') // '12312345678'
 */
export function parsePpnum(text: string): string {
  const digits = typeof text === 'string' ? text.trim().replaceAll(/(?<=[0-9])[ -](?=[0-9])/g, '') : ''
  if (!PPNUM.test(digits)) {
    throw new PpoppoError(
      'ppnum_invalid',
      'A ppnum has 11 digits or more, with spaces or hyphens at most between them: 123-1234-5678.',
    )
  }
  return digits
}

/**
 * Writes a ppnum for people: three digits, four, and the rest (the documents show `123-1234-5678`; how longer ones are
 * grouped is not published).
 * @throws `ppnum_invalid`
 *
 * @example formatPpnum('12312345678') // '123-1234-5678'
 */
export function formatPpnum(ppnum: string): string {
  const digits = parsePpnum(ppnum)
  return `${digits.slice(0, 3)}-${digits.slice(3, 7)}-${digits.slice(7)}`
}
