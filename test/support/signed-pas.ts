import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { Runtime } from '../../src/lib/runtime.js'
import { systemRuntime } from '../../src/lib/runtime.js'

/** A PAS inside `fetch`: one person, one code, and id_tokens with the header and claims a test asks for. */
export interface SignedPas {
  /** Its fetch gives a whole `Response`, so that a test can read it, too. */
  readonly runtime: Runtime & { fetch(input: string | URL, init: RequestInit): Promise<Response> }
  readonly accessToken: string
  /** Over the right header of the next id_tokens. */
  header: Record<string, unknown>
  /** Over the right claims of the next id_tokens; `undefined` leaves one out. */
  claims: Record<string, unknown>
  /** Over the right key in the key set. */
  jwk: Record<string, unknown>
  /** Instead of an endpoint's answer. */
  instead: Record<string, () => Response | Promise<Response>>
  /** Every request: method and path. */
  readonly requests: string[]
}

export const ISSUER = 'https://pas.example'
export const SUB = '01ARZ3NDEKTSV4RRFFQ69G5FAV'

export const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A compact JWS by `key`, whatever its header says. */
export function signedJwt(header: object, claims: object, key: KeyObject): string {
  const input = `${base64url(header)}.${base64url(claims)}`
  return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`
}

export function createSignedPas({ clientId, nonce }: { clientId: string; nonce: string }): SignedPas {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const accessToken = 'an.access.token'
  const atHash = createHash('sha512').update(accessToken).digest().subarray(0, 32).toString('base64url')

  function idToken(): string {
    const iat = Math.floor(Date.now() / 1000)
    const claims = { iss: ISSUER, sub: SUB, aud: clientId, azp: clientId, iat, exp: iat + 300, nonce, at_hash: atHash }
    return signedJwt({ alg: 'EdDSA', kid: 'k1', ...pas.header }, { ...claims, ...pas.claims }, privateKey)
  }

  const answers: Record<string, () => unknown> = {
    '/.well-known/openid-configuration': () => ({
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/oauth/authorize`,
      token_endpoint: `${ISSUER}/oauth/token`,
      userinfo_endpoint: `${ISSUER}/oauth/userinfo`,
      jwks_uri: `${ISSUER}/.well-known/jwks.json`,
      id_token_signing_alg_values_supported: ['EdDSA', 'RS256', 'none'],
    }),
    '/.well-known/jwks.json': () => ({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', ...pas.jwk }] }),
    '/oauth/token': () => ({
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: null,
      scope: 'openid profile',
      id_token: idToken(),
    }),
    '/oauth/userinfo': () => ({ sub: SUB, ppnum: '77700000001', created_at: '2026-01-01T00:00:00Z' }),
  }

  const pas: SignedPas = {
    accessToken,
    header: {},
    claims: {},
    jwk: {},
    instead: {},
    requests: [],
    runtime: {
      ...systemRuntime,
      async fetch(input, init) {
        const { pathname } = new URL(input)
        pas.requests.push(`${init.method} ${pathname}`)
        const instead = pas.instead[pathname]
        if (instead) return instead()
        return Response.json(answers[pathname]?.() ?? {}, { status: answers[pathname] ? 200 : 404 })
      },
    },
  }
  return pas
}
