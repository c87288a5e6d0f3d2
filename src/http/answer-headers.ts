import type { Response } from 'express'
import type { Config } from '../config/options.js'

/** For all our answers, whatever their type: no content sniffing, and only this site may read them. Pages add more. */
export function secureAnswer(res: Response): void {
  res.set({ 'X-Content-Type-Options': 'nosniff', 'Cross-Origin-Resource-Policy': 'same-origin' })
}

/**
 * A 401 says how to sign in (RFC 9110 15.5.2). The scheme is our own, so no browser asks for a user name and password.
 *
 * @example // WWW-Authenticate: Ppoppo realm="https://app.example", login="https://app.example/auth/login"
 */
export function challenge(res: Response, { origin, mountPath }: Pick<Config, 'origin' | 'mountPath'>): void {
  res.append('WWW-Authenticate', `Ppoppo realm="${origin}", login="${origin}${mountPath}/login"`)
}
