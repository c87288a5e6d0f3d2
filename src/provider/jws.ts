import { createPublicKey, verify } from 'node:crypto'
import { parseJsonObject } from '../lib/guards.js'

/** EdDSA and its newer name (RFC 9864): one algorithm, since Ed25519 is the only curve taken. Nothing else is. */
export const SIGNATURE_ALGORITHMS: readonly unknown[] = ['EdDSA', 'Ed25519']

/** A JWS in its compact form, taken apart and not yet verified. */
export interface Jws {
  readonly header: Readonly<Record<string, unknown>>
  readonly payload: Readonly<Record<string, unknown>>
  /** What is signed. */
  readonly input: string
  readonly signature: Buffer
}

/** A published key; which members it has is for whoever reads it to find out. */
export type Jwk = Readonly<Record<string, unknown>>

/** @returns `undefined` for what is no JWS of two JSON objects. A member that is `null` counts as absent. */
export function parseJws(text: string): Jws | undefined {
  const parts = text.split('.')
  const [first = '', second = '', third = ''] = parts
  if (parts.length !== 3 || !parts.every((part) => /^[\w-]*$/.test(part))) return undefined
  const [header, payload] = [first, second].map((part) =>
    parseJsonObject(Buffer.from(part, 'base64url').toString('utf8')),
  )
  if (!header || !payload) return undefined
  return {
    header: withoutNulls(header),
    payload: withoutNulls(payload),
    input: `${first}.${second}`,
    signature: Buffer.from(third, 'base64url'),
  }
}

/** Whether `key` is meant for the signature of a JWS with this header (RFC 7517 4, RFC 8037 2). */
export function isKeyFor(header: Jws['header'], key: Jwk): boolean {
  const { kty, crv, use, key_ops: operations, alg, kid } = key
  return (
    kty === 'OKP' &&
    crv === 'Ed25519' &&
    (use === undefined || use === 'sig') &&
    (operations === undefined || (Array.isArray(operations) && operations.includes('verify'))) &&
    (alg === undefined || SIGNATURE_ALGORITHMS.includes(alg)) &&
    (header['kid'] === undefined || header['kid'] === kid)
  )
}

/** Whether the signature is by this Ed25519 key. A key that is none has signed nothing. */
export function isSignedBy({ input, signature }: Jws, { x }: Jwk): boolean {
  if (typeof x !== 'string') return false
  try {
    const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } })
    return verify(null, Buffer.from(input), key, signature)
  } catch {
    return false
  }
}

function withoutNulls(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null))
}
