import { createHash, timingSafeEqual } from 'node:crypto'
import { SIGNATURE_ALGORITHMS } from './signature-algorithms.js'

/** Length in bytes of a decoded `at_hash` or `c_hash` -> the hash function whose first bytes it is. */
const HASH_BY_LENGTH: ReadonlyMap<number, string> = new Map([
  ...SIGNATURE_ALGORITHMS.map(({ hash, tokenHashBytes }) => [tokenHashBytes, hash] as const),
  // What PAS's own token engine is reported to issue: the leftmost 128 bits of SHA-256.
  [16, 'sha256'],
])

/**
 * Whether `hash` is the `at_hash` or `c_hash` of `token` (OIDC Core 3.1.3.6, 3.3.2.11): the left half of its SHA-512,
 * or the leftmost 128 bits of its SHA-256. Both are in use for Ed25519, and the length says which it is.
 * @param hash as in the id_token; anything but unpadded base64url of 16 or 32 bytes never matches.
 */
export function isTokenHash(hash: unknown, token: string): boolean {
  if (typeof hash !== 'string') return false
  const given = Buffer.from(hash, 'base64url')
  const algorithm = HASH_BY_LENGTH.get(given.length)
  // Buffer skips characters that are not base64url, and accepts several spellings of the same bytes.
  if (algorithm === undefined || given.toString('base64url') !== hash) return false
  const expected = createHash(algorithm).update(token, 'utf8').digest().subarray(0, given.length)
  return timingSafeEqual(given, expected)
}
