import type { SignIn } from './record.js'

/** An access token is renewed at most this long before it expires. */
const EARLY_MS = 60_000

/** When a sign-in ends: its idle expiry (`idleMs` after the last touch) or its absolute one, whichever is earlier. */
export function expiryOf(signIn: Pick<SignIn, 'touchedAt' | 'absoluteExpiresAt'>, idleMs: number): number {
  return Math.min(signIn.touchedAt + idleMs, signIn.absoluteExpiresAt)
}

/**
 * Whether use must extend the idle expiry: a quarter of the idle time has passed since the last extension. This avoids
 * writing the record on every request; the idle time that is enforced is therefore 0.75 to 1.0 of `idleMs`.
 */
export function isTouchDue({ touchedAt }: Pick<SignIn, 'touchedAt'>, now: number, idleMs: number): boolean {
  return now - touchedAt >= idleMs / 4
}

/** Whether the access token should be renewed: a minute before it expires, or a quarter of its life if that is less. */
export function isRefreshDue({ tokens, refreshedAt }: Pick<SignIn, 'tokens' | 'refreshedAt'>, now: number): boolean {
  return now >= tokens.expiresAt - Math.min(EARLY_MS, Math.max(0, (tokens.expiresAt - refreshedAt) / 4))
}

/** Whether the access token has expired. */
export function hasExpired({ tokens }: Pick<SignIn, 'tokens'>, now: number): boolean {
  return now >= tokens.expiresAt
}
