import { randomBytes } from 'node:crypto'

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** A new ULID: 48 bits of time, 80 random bits, in Crockford's base 32. */
export function createUlid(nowMs: number = Date.now()): string {
  let time = ''
  for (let rest = nowMs, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = CROCKFORD.charAt(rest % 32) + time
  let random = ''
  for (const byte of randomBytes(16)) random += CROCKFORD.charAt(byte % 32)
  return time + random
}

/** Whether a text is a ULID in its canonical upper-case form. */
export function isUlid(text: string): boolean {
  return /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(text)
}
