/** How an id_token may be signed: what its `alg` says, on which curve, and the hash for `at_hash` and `c_hash`. */
export interface SignatureAlgorithm {
  /** RFC 8037 3.1. */
  readonly alg: string
  /** RFC 8037 2: `crv` of the key. */
  readonly curve: 'Ed25519'
  /** The OpenID guide on token hashes: what Ed25519 itself hashes with. */
  readonly hash: 'sha512'
  /** Length of `at_hash` and `c_hash` in bytes: the left half of that hash (OIDC Core 3.1.3.6). */
  readonly tokenHashBytes: number
}

/** EdDSA and its newer name (RFC 9864) are one algorithm here, since Ed25519 is the only curve accepted. */
export const SIGNATURE_ALGORITHMS: readonly SignatureAlgorithm[] = [
  { alg: 'EdDSA', curve: 'Ed25519', hash: 'sha512', tokenHashBytes: 32 },
  { alg: 'Ed25519', curve: 'Ed25519', hash: 'sha512', tokenHashBytes: 32 },
]

/** The curves of keys that can verify an id_token. */
export const ACCEPTED_CURVES: readonly string[] = [...new Set(SIGNATURE_ALGORITHMS.map(({ curve }) => curve))]

/** @returns `undefined` for an algorithm that is not accepted */
export function algorithmOf(alg: unknown): SignatureAlgorithm | undefined {
  return SIGNATURE_ALGORITHMS.find((one) => one.alg === alg)
}
