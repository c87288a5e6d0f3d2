import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { parseJsonObject } from '../lib/guards.js'
import { ACCEPTED_CURVES, algorithmOf } from './signature-algorithms.js'

/** A parsed JWS in compact form, not yet verified. */
export interface Jws {
  readonly header: Readonly<Record<string, unknown>>
  readonly payload: Readonly<Record<string, unknown>>
  /** The signing input (RFC 7515 5.1). */
  readonly input: string
  readonly signature: Buffer
}

/** A published key. Nothing is known about its members yet. */
export type Jwk = Readonly<Record<string, unknown>>

/** @returns `undefined` if it is not a JWS of two JSON objects. A member that is `null` counts as absent. */
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

/** Whether `key` has an accepted curve and is meant for verifying signatures (RFC 7517 4, RFC 8037 2). */
export function isUsableKey({ kty, crv, use, key_ops: operations, alg }: Jwk): boolean {
  return (
    kty === 'OKP' &&
    ACCEPTED_CURVES.some((curve) => curve === crv) &&
    (use === undefined || use === 'sig') &&
    (operations === undefined || (Array.isArray(operations) && operations.includes('verify'))) &&
    (alg === undefined || algorithmOf(alg)?.curve === crv)
  )
}

/** Whether `key` is meant for the signature of a JWS with this header. */
export function isKeyFor({ alg, kid }: Jws['header'], key: Jwk): boolean {
  return isUsableKey(key) && algorithmOf(alg)?.curve === key['crv'] && (kid === undefined || kid === key['kid'])
}

/** Keys that have been read: each verifies many signatures. */
const imported = new WeakMap<Jwk, KeyObject>()

/** Whether the signature was made with this key; `false` for a key that cannot be read. */
export function isSignedBy({ input, signature }: Jws, jwk: Jwk): boolean {
  const { crv, x } = jwk
  if (typeof x !== 'string') return false
  try {
    const key = imported.get(jwk) ?? createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: String(crv), x } })
    imported.set(jwk, key)
    return verify(null, Buffer.from(input), key, signature)
  } catch {
    return false
  }
}

function withoutNulls(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null))
}
