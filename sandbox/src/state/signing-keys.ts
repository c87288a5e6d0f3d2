import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import { createUlid } from '../lib/ulid.js'

/** One Ed25519 key with the id it is published under. */
export interface SigningKey {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly privateJwk: JWK
  readonly publicJwk: JWK
}

/** A fresh Ed25519 key; also used for signatures nobody should accept. */
export async function createSigningKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  const kid = createUlid()
  const about = { kid, alg: 'EdDSA', use: 'sig' }
  return {
    kid,
    privateKey,
    privateJwk: { ...(await exportJWK(privateKey)), ...about },
    publicJwk: { ...(await exportJWK(publicKey)), ...about },
  }
}

/** Signs a payload exactly as given; `iat` and `exp` are the caller's. */
export function signJwt(key: SigningKey, payload: JWTPayload, typ: string): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg: 'EdDSA', typ, kid: key.kid }).sign(key.privateKey)
}

/** The key that signs now, and the list `/.well-known/jwks.json` shows. */
export class KeyRing {
  #current: SigningKey
  #former: SigningKey[] = []

  constructor(first: SigningKey) {
    this.#current = first
  }

  static async create(): Promise<KeyRing> {
    return new KeyRing(await createSigningKey())
  }

  get current(): SigningKey {
    return this.#current
  }

  get publicJwks(): readonly JWK[] {
    return [this.#current, ...this.#former].map((key) => key.publicJwk)
  }

  /** Signs with a new key from now on. The former one leaves the JWKS unless `keepFormer`. */
  async rotate(options: { readonly keepFormer?: boolean } = {}): Promise<void> {
    const former = this.#current
    this.#current = await createSigningKey()
    this.#former = options.keepFormer === true ? [former, ...this.#former] : []
  }
}
