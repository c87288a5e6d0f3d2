import { hash, timingSafeEqual } from 'node:crypto'
import type { PpoppoError } from '../errors.js'
import { ClockDifference, idTokenFault } from './faults.js'
import { type Jws, parseJws } from './jws.js'
import { algorithmOf, SIGNATURE_ALGORITHMS } from './signature-algorithms.js'

/** Length in bytes of a decoded `at_hash` or `c_hash` -> the hash function whose first bytes it is. */
const HASH_BY_LENGTH: ReadonlyMap<number, string> = new Map([
  ...SIGNATURE_ALGORITHMS.map(({ hash, tokenHashBytes }) => [tokenHashBytes, hash] as const),
  // What PAS's own token engine is reported to issue: the leftmost 128 bits of SHA-256.
  [16, 'sha256'],
])

/** How far PAS's clock and ours may differ, for `exp`, `nbf`, `iat` and `auth_time`. */
export const CLOCK_TOLERANCE_SECONDS = 60

/** A ULID: 26 characters of Crockford's base 32; the first is at most 7. */
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/

/** What every id_token is checked against. */
export interface IdTokenExpectation {
  readonly issuer: string
  readonly clientId: string
  readonly accessToken: string
  /** The current time that the token's times are compared with, in milliseconds since the epoch. */
  readonly now: number
}

/** What the id_token of a sign-in is also checked against (OIDC Core 3.1.3.7). */
export interface SignInExpectation extends IdTokenExpectation {
  readonly nonce: string
  readonly code: string
  /** If `max_age` was sent: the person must have signed in at PAS since this time, in milliseconds. */
  readonly seenSince?: number
}

/** What the id_token of a refresh is also checked against (OIDC Core 12.2). */
export interface RefreshExpectation extends IdTokenExpectation {
  readonly sub: string
  /** When the person signed in, milliseconds. */
  readonly signedInAt: number
}

type Claims = Jws['payload']

/**
 * Checks an id_token of the code exchange, except for its signature. A claim that is `null` counts as absent.
 * @returns the parsed token, and `sub`, a ULID.
 * @throws `provider_response_invalid` naming the claim; {@link ClockDifference} if only the clocks disagree.
 */
export function checkSignInToken(idToken: string, expected: SignInExpectation): { jws: Jws; sub: string } {
  const jws = parsed(idToken)
  const { payload } = jws
  checkParties(payload, expected)
  if (payload['nonce'] !== expected.nonce) throw idTokenFault('"nonce"')
  checkHash(payload, 'at_hash', expected.accessToken)
  checkHash(payload, 'c_hash', expected.code)
  const { sub } = payload
  if (typeof sub !== 'string' || !ULID.test(sub)) throw idTokenFault('"sub", which must be a ULID')
  checkTimes(payload, expected.now)
  checkAuthTime(payload, expected.seenSince)
  return { jws, sub }
}

/**
 * Checks an id_token that came with a refresh, except for its signature. It should have no `nonce`; if it has one, it
 * is not compared, because the nonce of the sign-in is not kept.
 * @throws the same errors as {@link checkSignInToken}.
 */
export function checkRefreshToken(idToken: string, expected: RefreshExpectation): Jws {
  const jws = parsed(idToken)
  const { payload } = jws
  checkParties(payload, expected)
  checkHash(payload, 'at_hash', expected.accessToken)
  if (payload['sub'] !== expected.sub) throw idTokenFault('"sub", which is not the person who signed in')
  checkTimes(payload, expected.now)
  const { auth_time: authTime } = payload
  if (typeof authTime === 'number' && authTime > expected.signedInAt / 1000 + CLOCK_TOLERANCE_SECONDS) {
    throw idTokenFault('"auth_time", which is later than the sign-in')
  }
  return jws
}

function parsed(idToken: string): Jws {
  const jws = parseJws(idToken)
  if (!jws) throw idTokenFault('its form')
  const { alg, crit, kid } = jws.header
  if (!algorithmOf(alg))
    throw idTokenFault(`"alg", which must be ${SIGNATURE_ALGORITHMS.map((one) => one.alg).join(' or ')}`)
  // RFC 7515 4.1.11: a token whose critical extensions we do not understand must be rejected.
  if (crit !== undefined) throw idTokenFault('"crit"')
  if (kid !== undefined && typeof kid !== 'string') throw idTokenFault('"kid"')
  return jws
}

function checkParties({ iss, aud, azp }: Claims, { issuer, clientId }: IdTokenExpectation): void {
  if (iss !== issuer) throw idTokenFault('"iss"')
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  if (!audiences.includes(clientId)) throw idTokenFault('"aud"')
  if (azp !== undefined && azp !== clientId) throw idTokenFault('"azp"')
  if (audiences.length > 1 && azp === undefined) throw idTokenFault('"azp", which several audiences need')
}

function checkHash(claims: Claims, name: 'at_hash' | 'c_hash', token: string): void {
  const hash = claims[name]
  if (hash !== undefined && !isTokenHash(hash, token)) throw idTokenFault(`"${name}"`)
}

/** Runs last, so that a token with another fault is not blamed on a clock. */
function checkTimes(claims: Claims, nowMs: number): void {
  const now = Math.floor(nowMs / 1000)
  const iat = timeOf(claims, 'iat')
  const exp = timeOf(claims, 'exp')
  if (iat === undefined) throw idTokenFault('"iat"')
  if (exp === undefined) throw idTokenFault('"exp"')
  for (const [name, time] of [
    ['iat', iat],
    ['nbf', timeOf(claims, 'nbf')],
    ['auth_time', timeOf(claims, 'auth_time')],
  ] as const) {
    if (time !== undefined && time > now + CLOCK_TOLERANCE_SECONDS) throw new ClockDifference(name, time - now)
  }
  if (exp <= now - CLOCK_TOLERANCE_SECONDS) throw expired(iat, now)
}

/** OIDC Core 3.1.3.7 (13). */
function checkAuthTime(claims: Claims, seenSince: number | undefined): void {
  if (seenSince === undefined) return
  const time = timeOf(claims, 'auth_time')
  if (time === undefined) throw idTokenFault('"auth_time", which a request with max_age needs')
  if (time < Math.floor(seenSince / 1000) - CLOCK_TOLERANCE_SECONDS) {
    throw idTokenFault('"auth_time", which is older than max_age allows')
  }
}

/** For a token that arrives expired: an old `iat` points to a clock behind ours; with a recent one, `exp` is wrong. */
function expired(iat: number, now: number): PpoppoError {
  return iat < now - CLOCK_TOLERANCE_SECONDS ? new ClockDifference('exp', iat - now) : idTokenFault('"exp"')
}

function timeOf(claims: Claims, name: string): number | undefined {
  const time = claims[name]
  if (time === undefined) return undefined
  if (typeof time !== 'number' || !Number.isFinite(time) || time < 0) throw idTokenFault(`"${name}"`)
  return time
}

/**
 * Whether `hash` is the `at_hash` or `c_hash` of `token` (OIDC Core 3.1.3.6, 3.3.2.11): the left half of its SHA-512,
 * or the leftmost 128 bits of its SHA-256. Both are in use for Ed25519, and the length says which it is.
 * @param claim as in the id_token; anything but unpadded base64url of 16 or 32 bytes never matches.
 */
function isTokenHash(claim: unknown, token: string): boolean {
  if (typeof claim !== 'string') return false
  const given = Buffer.from(claim, 'base64url')
  const algorithm = HASH_BY_LENGTH.get(given.length)
  // Buffer skips characters that are not base64url, and accepts several spellings of the same bytes.
  if (algorithm === undefined || given.toString('base64url') !== claim) return false
  const expected = hash(algorithm, token, 'buffer').subarray(0, given.length)
  return timingSafeEqual(given, expected)
}
