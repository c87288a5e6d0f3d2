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

/** ULIDs that never go back: within one millisecond, or when the clock does, the random part counts up instead. */
export function createUlidSequence(after = ''): (nowMs: number) => string {
  let last = after
  return (nowMs) => {
    const fresh = createUlid(nowMs)
    last = fresh.slice(0, 10) > last.slice(0, 10) ? fresh : successorOf(last)
    return last
  }
}

function successorOf(ulid: string): string {
  const lastNonMax = ulid.search(/[^Z]Z*$/)
  const next = CROCKFORD.charAt(CROCKFORD.indexOf(ulid.charAt(lastNonMax)) + 1)
  return ulid.slice(0, lastNonMax) + next + '0'.repeat(ulid.length - lastNonMax - 1)
}

/** Whether a text is a ULID in its canonical upper-case form. */
export function isUlid(text: string): boolean {
  return /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(text)
}
