import { createHash } from 'node:crypto'
import { decodeJwt, type JWTPayload } from 'jose'
import type { SignInRecord } from './ledger.js'

/** Left half of SHA-512, for EdDSA with Ed25519 (OpenID Connect Core 3.1.3.6). */
export function accessTokenHash(accessToken: string): string {
  return createHash('sha512').update(accessToken, 'ascii').digest().subarray(0, 32).toString('base64url')
}

/** What oidc-provider put into its id_token, and what PAS adds. */
export function idTokenClaims(
  original: string,
  signIn: SignInRecord,
  accessToken: string,
  isRefresh: boolean,
): JWTPayload {
  const { nonce, ...claims } = decodeJwt(original)
  return {
    ...claims,
    // OpenID Connect Core 12.2: a refreshed id_token should have no nonce.
    ...(nonce !== undefined && !isRefresh && { nonce }),
    azp: signIn.clientId,
    auth_time: signIn.authTime,
    at_hash: accessTokenHash(accessToken),
  }
}
