import { createHash } from 'node:crypto'
import { decodeJwt, type JWTPayload } from 'jose'
import type { SignInRecord } from '../state/ledger.js'
import type { Switches } from '../state/switches.js'

/**
 * `at_hash` and `c_hash` (OpenID Connect Core 3.1.3.6, 3.3.2.11): the left half of SHA-512, as the OpenID guide has it
 * for Ed25519, or the leftmost 128 bits of SHA-256, as PAS's own token engine is reported to make them.
 */
export function tokenHash(algorithm: Switches['idTokenHash'], token: string): string {
  const bytes = algorithm === 'sha512' ? 32 : 16
  return createHash(algorithm).update(token, 'ascii').digest().subarray(0, bytes).toString('base64url')
}

/** What an id_token comes with. */
export interface IssuedWith {
  readonly accessToken: string
  /** Of a code exchange; none at a refresh. */
  readonly code?: string
}

/** Claims that few id_tokens have. */
const MAY_BE_NULL = ['nbf', 'acr', 'amr', 'c_hash']

/** What oidc-provider put into its id_token, and what PAS adds. */
export function idTokenClaims(
  original: string,
  signIn: SignInRecord,
  { accessToken, code }: IssuedWith,
  switches: Pick<Switches, 'idTokenHash' | 'sendCodeHash' | 'sendNulls' | 'clockAheadSeconds'>,
): JWTPayload {
  const { idTokenHash, sendCodeHash, sendNulls, clockAheadSeconds } = switches
  const { nonce, iat = 0, exp = 0, ...claims } = decodeJwt(original)
  return {
    ...(sendNulls && Object.fromEntries(MAY_BE_NULL.map((claim) => [claim, null]))),
    ...claims,
    iat: iat + clockAheadSeconds,
    exp: exp + clockAheadSeconds,
    // OpenID Connect Core 12.2: a refreshed id_token should have no nonce.
    ...(nonce !== undefined && code !== undefined && { nonce }),
    azp: signIn.clientId,
    auth_time: signIn.authTime + clockAheadSeconds,
    at_hash: tokenHash(idTokenHash, accessToken),
    ...(sendCodeHash && code !== undefined && { c_hash: tokenHash(idTokenHash, code) }),
  }
}
