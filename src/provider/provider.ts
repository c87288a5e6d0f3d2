import { createHash } from 'node:crypto'
import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  fetchUserInfo,
  refreshTokenGrant,
  skipSubjectCheck,
  tokenRevocation,
} from 'openid-client'
import { PpoppoError } from '../errors.js'
import type { Runtime } from '../lib/runtime.js'
import type { Config } from '../options.js'
import { createDiscovery } from './discovery.js'
import { ProviderRefusal, toProviderError } from './faults.js'
import { createProviderFetch } from './http.js'
import { verifyIdToken } from './id-token.js'
import { toUserInfo, type UserInfo } from './profile.js'

/** PAS, as far as the library needs it. Every call has a deadline, and throws only `PpoppoError`s without secrets. */
export interface Provider {
  /** Finds PAS, where that has not been done. */
  find(): Promise<void>
  /** Sees that PAS is there, and gives what makes the URL the browser goes to: nobody is sent to a dead host. */
  prepareAuthorization(): Promise<(request: AuthorizationRequest) => URL>
  /** Whether the `iss` of an authorization response, or its absence, is right (RFC 9207). */
  isExpectedIssuer(iss: string | undefined): Promise<boolean>
  /** Exchanges the code and verifies the id_token. */
  exchangeCode(request: CodeExchange): Promise<Grant & { readonly sub: string }>
  /**
   * @param scopes what was granted so far, where the answer names none.
   * @returns `'revoked'` where PAS says `invalid_grant`: the refresh token is dead.
   */
  refresh(refreshToken: string, scopes: readonly string[]): Promise<Grant | 'revoked'>
  /**
   * @returns `'rejected'` where PAS does not take the access token (401).
   * @throws `subject_mismatch` when the answer is about somebody else (OIDC Core 5.3.2).
   */
  userinfo(accessToken: string, sub: string): Promise<UserInfo | 'rejected'>
  /** Revokes a token where PAS announces how (RFC 7009); else does nothing. */
  revoke(token: string): Promise<void>
  /** Where the browser goes to end its session at PAS, where PAS announces that (RP-Initiated Logout 1.0). */
  endSessionUrl(): Promise<URL | undefined>
}

/** One authorization request. */
export interface AuthorizationRequest {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

/** What the token endpoint needs for a code. */
export interface CodeExchange {
  readonly code: string
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

/** Tokens as PAS granted them. */
export interface Grant {
  readonly accessToken: string
  /** Absent where PAS does not rotate: the old one stays valid. */
  readonly refreshToken?: string
  readonly expiresInMs: number
  readonly scopes: readonly string[]
}

const DOCUMENTED_LIFE_SECONDS = 3600
/** Logins within this time share one look at PAS. */
const SEEN_LATELY_MS = 1_000

export function createProvider(config: Config, runtime: Runtime, closed: AbortSignal): Provider {
  const discovered = createDiscovery(config, createProviderFetch(runtime, config.issuer, closed), runtime)
  const resource: Record<string, string> = config.resource === undefined ? {} : { resource: config.resource }

  /** Runs a call and turns whatever it throws into one of our errors. */
  async function call<T>(operation: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw toProviderError(operation, error)
    }
  }

  function toGrant(answer: TokenAnswer, asked: readonly string[]): Grant {
    return {
      accessToken: answer.access_token,
      ...(answer.refresh_token ? { refreshToken: answer.refresh_token } : {}),
      // Never 0: every request would renew it.
      expiresInMs: Math.max(1, answer.expires_in ?? DOCUMENTED_LIFE_SECONDS) * 1000,
      // RFC 6749 5.1: absent means as asked.
      scopes: answer.scope === undefined ? asked : answer.scope.split(' ').filter(Boolean),
    }
  }

  return {
    async find() {
      await discovered()
    },

    async prepareAuthorization() {
      const { client } = await discovered({ seenWithinMs: SEEN_LATELY_MS })
      return ({ state, nonce, codeVerifier }) =>
        buildAuthorizationUrl(client, {
          redirect_uri: config.redirectUri,
          scope: config.scope.join(' '),
          state,
          nonce,
          code_challenge: createHash('sha256').update(codeVerifier, 'ascii').digest('base64url'),
          code_challenge_method: 'S256',
          ...resource,
        })
    },

    async isExpectedIssuer(iss) {
      if (iss !== undefined) return iss === config.issuer
      const { server } = await discovered()
      return server.authorization_response_iss_parameter_supported !== true
    },

    async exchangeCode({ code, state, nonce, codeVerifier }) {
      const { exchange } = await discovered()
      const current = new URL(config.redirectUri)
      current.search = new URLSearchParams({ code, state }).toString()
      const checks = {
        pkceCodeVerifier: codeVerifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      }
      const answer = await call('code exchange', () =>
        exchange((client) => authorizationCodeGrant(client, current, checks, resource)),
      )
      const expected = { clientId: config.clientId, accessToken: answer.access_token, code, now: runtime.now() }
      return { ...toGrant(answer, config.scope), sub: verifyIdToken(answer.id_token ?? '', expected) }
    },

    async refresh(refreshToken, scopes) {
      const { client } = await discovered()
      try {
        return toGrant(await call('refresh', () => refreshTokenGrant(client, refreshToken, resource)), scopes)
      } catch (error) {
        if (error instanceof ProviderRefusal && error.oauthError === 'invalid_grant') return 'revoked'
        throw error
      }
    },

    async userinfo(accessToken, sub) {
      const { client } = await discovered()
      try {
        const answer = await call('userinfo request', () => fetchUserInfo(client, accessToken, skipSubjectCheck))
        if (answer.sub !== sub) {
          throw new PpoppoError('subject_mismatch', 'userinfo of PAS is about another account than the id_token.')
        }
        return toUserInfo(answer)
      } catch (error) {
        if (error instanceof ProviderRefusal && error.httpStatus === 401) return 'rejected'
        throw error
      }
    },

    async revoke(token) {
      const { client, server } = await discovered()
      if (server.revocation_endpoint === undefined) return
      await call('revocation', () => tokenRevocation(client, token))
    },

    async endSessionUrl() {
      const { client, server } = await discovered()
      if (server.end_session_endpoint === undefined) return undefined
      // `client_id` instead of `id_token_hint`: a token has no place in a page or a URL.
      return buildEndSessionUrl(client, { client_id: config.clientId, post_logout_redirect_uri: config.homeUrl })
    },
  }
}

interface TokenAnswer {
  readonly access_token: string
  readonly refresh_token?: string | undefined
  readonly expires_in?: number | undefined
  readonly scope?: string | undefined
}

/** The scopes in `asked` that are not in `granted`. */
export function missingScopes(asked: readonly string[], granted: readonly string[]): readonly string[] {
  return asked.filter((scope) => !granted.includes(scope))
}
