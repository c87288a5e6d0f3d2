import { createHash } from 'node:crypto'
import { type JWTPayload, SignJWT } from 'jose'
import type { Fault } from '../faults/fault.js'
import { createUlid } from '../lib/ulid.js'
import { createSigningKey, type SigningKey, signJwt } from '../state/signing-keys.js'

const HOUR_SECONDS = 3600

/** The id_token with the flaw a fault asks for; `undefined` when the fault is not about the id_token. */
export async function flawedIdToken(
  fault: Fault | undefined,
  claims: JWTPayload,
  key: SigningKey,
): Promise<string | undefined> {
  switch (fault?.kind) {
    case 'alg-none':
      return `${base64url({ alg: 'none', typ: 'JWT' })}.${base64url(claims)}.`
    case 'alg-hs256':
      // The classic confusion: the published key, used as an HMAC secret.
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: key.kid })
        .sign(createHash('sha256').update(String(key.publicJwk.x)).digest())
    case 'foreign-key':
      return signJwt({ ...(await createSigningKey()), kid: key.kid }, claims, 'JWT')
    default: {
      const changed = changedClaims(fault, claims)
      return changed && signJwt(key, changed, 'JWT')
    }
  }
}

function changedClaims(fault: Fault | undefined, claims: JWTPayload): JWTPayload | undefined {
  const now = Math.floor(Date.now() / 1000)
  const audience = String(claims.aud)
  const { exp: _exp, ...withoutExp } = claims
  const { nonce: _nonce, ...withoutNonce } = claims
  const { azp: _azp, ...withoutAzp } = claims
  switch (fault?.kind) {
    case 'wrong-nonce':
      return { ...claims, nonce: 'not-the-nonce-that-was-sent' }
    case 'missing-nonce':
      return withoutNonce
    case 'wrong-aud':
      return { ...claims, aud: 'another_login_client', azp: 'another_login_client' }
    case 'extra-aud':
      return { ...withoutAzp, aud: [audience, 'another_login_client'] }
    case 'wrong-azp':
      return { ...claims, azp: 'another_login_client' }
    case 'wrong-iss':
      return { ...claims, iss: 'https://accounts.example.test' }
    case 'wrong-sub':
      return { ...claims, sub: createUlid() }
    case 'expired':
      return { ...claims, iat: now - 2 * HOUR_SECONDS, exp: now - HOUR_SECONDS }
    case 'missing-exp':
      return withoutExp
    case 'future-iat':
      return { ...claims, iat: now + HOUR_SECONDS, exp: now + 2 * HOUR_SECONDS }
    case 'wrong-at-hash':
      return { ...claims, at_hash: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }
    case 'wrong-c-hash':
      return { ...claims, c_hash: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }
    default:
      return undefined
  }
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
