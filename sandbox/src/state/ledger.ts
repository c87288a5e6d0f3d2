import { BoundedMap } from '../lib/bounded-map.js'

const LIMIT = 10_000

/** What one finished sign-in was about; codes and tokens point to it by grant id. */
export interface SignInRecord {
  readonly sub: string
  readonly clientId: string
  readonly authTime: number
  /** RFC 8707, as sent to the authorization endpoint, byte for byte. */
  readonly resource?: string
}

/** What userinfo needs to know about an access token. */
export interface AccessTokenRecord {
  readonly sub: string
  readonly grantId: string
  readonly scopes: ReadonlySet<string>
  expiresAtMs: number
}

/** A token of the External API client, for the messaging service only. */
export interface ExternalTokenRecord {
  readonly clientId: string
  expiresAtMs: number
}

/** A string that must never turn up in a log, a page or a readable store. */
export interface IssuedToken {
  readonly kind: 'code' | 'access_token' | 'refresh_token' | 'id_token'
  readonly value: string
  readonly sub: string
}

/** Remembers what was issued, so that userinfo can answer, users can be revoked, and tests can look for leaks. */
export class Ledger {
  readonly #signIns = new BoundedMap<string, SignInRecord>(LIMIT)
  readonly #accessTokens = new BoundedMap<string, AccessTokenRecord>(LIMIT)
  readonly #externalTokens = new BoundedMap<string, ExternalTokenRecord>(LIMIT)
  readonly #issued = new BoundedMap<string, IssuedToken>(LIMIT)

  recordSignIn(grantId: string, record: SignInRecord): void {
    this.#signIns.set(grantId, record)
  }

  signIn(grantId: string): SignInRecord | undefined {
    return this.#signIns.get(grantId)
  }

  recordAccessToken(token: string, record: AccessTokenRecord): void {
    this.#accessTokens.set(token, record)
  }

  recordIssued(token: IssuedToken): void {
    this.#issued.set(`${token.kind} ${token.value}`, token)
  }

  /** `undefined` for a token that is unknown, expired or revoked: the three look the same from outside. */
  liveAccessToken(token: string): AccessTokenRecord | undefined {
    const record = this.#accessTokens.get(token)
    return record !== undefined && record.expiresAtMs > Date.now() ? record : undefined
  }

  accessToken(token: string): AccessTokenRecord | undefined {
    return this.#accessTokens.get(token)
  }

  expireAccessTokens(matches: (record: AccessTokenRecord) => boolean = () => true): void {
    for (const record of this.#accessTokens.values()) if (matches(record)) record.expiresAtMs = 0
  }

  recordExternalToken(token: string, record: ExternalTokenRecord): void {
    this.#externalTokens.set(token, record)
  }

  externalToken(token: string): ExternalTokenRecord | undefined {
    return this.#externalTokens.get(token)
  }

  expireExternalToken(token: string): void {
    const record = this.#externalTokens.get(token)
    if (record !== undefined) record.expiresAtMs = 0
  }

  expireExternalTokens(): void {
    for (const record of this.#externalTokens.values()) record.expiresAtMs = 0
  }

  get issued(): readonly IssuedToken[] {
    return [...this.#issued.values()]
  }

  forgetIssued(): void {
    this.#issued.clear()
  }
}
