import { PpoppoError } from '../errors.js'
import { parseJsonObject } from '../lib/guards.js'
import { ID_TOKEN_ALGORITHMS } from './discovery.js'
import { isTokenHash } from './token-hash.js'

/** A ULID: 26 characters of Crockford's base 32, the first at most 7. */
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/
const CLOCK_TOLERANCE_SECONDS = 60

/** What the checks need to know. */
export interface IdTokenExpectation {
  readonly clientId: string
  readonly accessToken: string
  readonly code: string
  readonly now: number
}

/**
 * The checks of an id_token that openid-client leaves to us: it has verified signature, `iss`, `aud`, `exp` and `nonce`.
 * @param idToken compact JWS, signature verified.
 * @returns `sub`, a ULID.
 * @throws `provider_response_invalid` naming the claim. Source: OIDC Core 3.1.3.7, 3.1.3.6 (`at_hash`), 3.3.2.11 (`c_hash`).
 */
export function verifyIdToken(idToken: string, expected: IdTokenExpectation): string {
  const [header, claims] = idToken.split('.').map((part) => parseJsonObject(Buffer.from(part, 'base64url').toString()))
  if (!header || !claims) throw invalid('its form')
  if (!ID_TOKEN_ALGORITHMS.includes(String(header['alg']))) throw invalid('"alg"')
  const { azp, aud, iat, at_hash: atHash, c_hash: codeHash, sub } = claims
  if (azp !== undefined && azp !== expected.clientId) throw invalid('"azp"')
  if (Array.isArray(aud) && aud.length > 1 && azp === undefined) throw invalid('"azp", which several audiences need')
  if (typeof iat !== 'number' || iat > expected.now / 1000 + CLOCK_TOLERANCE_SECONDS) throw invalid('"iat"')
  if (atHash !== undefined && !isTokenHash(atHash, expected.accessToken)) throw invalid('"at_hash"')
  if (codeHash !== undefined && !isTokenHash(codeHash, expected.code)) throw invalid('"c_hash"')
  if (typeof sub !== 'string' || !ULID.test(sub)) throw invalid('"sub", which must be a ULID')
  return sub
}

function invalid(what: string): PpoppoError {
  return new PpoppoError('provider_response_invalid', `The id_token of PAS does not verify: ${what}.`)
}
