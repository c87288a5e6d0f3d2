import type { Response } from 'express'
import type { Config } from '../config/options.js'

/** For all our answers, whatever their type: no content sniffing, and only this site may read them. Pages add more. */
export function secureAnswer(res: Response): void {
  res.set({ 'X-Content-Type-Options': 'nosniff', 'Cross-Origin-Resource-Policy': 'same-origin' })
}

/**
 * A 401 says how to sign in (RFC 9110 15.5.2). The scheme is our own, so no browser asks for a user name and password.
 *
 * @param missing scopes that the sign-in lacks, named as RFC 6750 does for tokens
 * @example // WWW-Authenticate: Ppoppo realm="https://app.example", login="https://app.example/auth/login"
 */
export function challenge(
  res: Response,
  { origin, mountPath }: Pick<Config, 'origin' | 'mountPath'>,
  missing: readonly string[] = [],
): void {
  const lack = missing.length === 0 ? '' : `, error="insufficient_scope", scope="${missing.join(' ')}"`
  res.append('WWW-Authenticate', `Ppoppo realm="${origin}", login="${origin}${mountPath}/login"${lack}`)
}
