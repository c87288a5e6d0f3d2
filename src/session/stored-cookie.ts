import type { Cookie } from 'express-session'

/** Settings of a cookie, as express-session writes them to JSON. */
type Settings = Readonly<Record<string, unknown>>

/** What a stored blob leaves out. Constants, and not the configured lifetime: the blob may outlive that. */
const LEFT_OUT: Settings = {
  originalMaxAge: 30 * 24 * 60 * 60_000,
  secure: false,
  httpOnly: true,
  path: '/',
  sameSite: 'lax',
}
/** Cookies are dated in whole seconds. */
const TOLERANCE_MS = 1_000

/**
 * The settings of a cookie as the blob stores them: without those that most sessions have, since each session takes
 * memory in Redis, and without the expiry if it follows from when the cookie was sent.
 * @param settings of the cookie, as it writes them to JSON
 * @param sentAt when it was last sent, in milliseconds since the epoch
 */
export function toStoredCookie(settings: Settings, sentAt: number | undefined): Settings {
  const expected = expiryOf(settings['originalMaxAge'], sentAt)
  const stored: Record<string, unknown> = {}
  // JSON leaves out what is undefined, and express-session restores `path` and `httpOnly`.
  for (const name of new Set([...Object.keys(LEFT_OUT), ...Object.keys(settings)])) {
    const value = settings[name]
    // An app that removed it wants none: no restriction, or a cookie until the browser is closed.
    if (value === undefined && (name === 'sameSite' || name === 'originalMaxAge')) stored[name] = null
    else if (name === 'expires' ? !isAbout(value, expected) : value !== LEFT_OUT[name]) stored[name] = value
  }
  return stored
}

/** The settings that {@link toStoredCookie} made shorter. Those of a version before 0.2 are complete. */
export function fromStoredCookie(stored: Settings, sentAt: number | undefined): Cookie {
  const settings: Record<string, unknown> = { ...LEFT_OUT, expires: null, ...stored }
  if (!('expires' in stored)) {
    const expected = expiryOf(settings['originalMaxAge'], sentAt)
    if (expected !== undefined) settings['expires'] = new Date(expected)
  }
  return settings as unknown as Cookie // `toCookie` makes a real one of it
}

function expiryOf(maxAge: unknown, sentAt: number | undefined): number | undefined {
  return typeof maxAge === 'number' && sentAt !== undefined ? sentAt + maxAge : undefined
}

function isAbout(expires: unknown, expected: number | undefined): boolean {
  if (expected === undefined || !(expires instanceof Date)) return false
  return Math.abs(expires.getTime() - expected) < TOLERANCE_MS
}
