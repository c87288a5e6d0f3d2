import { hash } from 'node:crypto'
import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  fetchUserInfo,
  refreshTokenGrant,
  skipSubjectCheck,
  tokenRevocation,
} from 'openid-client'
import type { RaiseEvent } from '../audit-events.js'
import type { AuthorizationParams } from '../config/authorization-params.js'
import type { Config } from '../config/options.js'
import { PpoppoError } from '../errors.js'
import type { Runtime } from '../lib/runtime.js'
import { assertUsable } from './assert-usable.js'
import { createDiscovery } from './discovery.js'
import { ProviderRefusal, SignInMismatch, toProviderError } from './faults.js'
import { createAskProvider } from './http.js'
import { toUserInfo, type UserInfo } from './profile.js'
import { promptOf } from './prompt.js'
import { PROMPTS, SENDS_ISSUER } from './read-answers.js'
import { createIdTokens } from './verify-id-tokens.js'

/** PAS, as far as the library needs it. Every call has a deadline, and throws only `PpoppoError`s without secrets. */
export interface Provider {
  /** Runs discovery if that has not been done yet. */
  find(): Promise<void>
  /** Checks that people can sign in: asks PAS now, unless it has just answered, and reads its keys. */
  check(): Promise<void>
  /** Checks that PAS answers, so that no browser is sent to a dead host; returns what builds the authorization URL. */
  prepareAuthorization(): Promise<(request: AuthorizationRequest) => URL>
  /** Whether the `iss` of an authorization response, or its absence, is valid (RFC 9207). */
  isExpectedIssuer(iss: string | undefined): Promise<boolean>
  /** Exchanges the code and verifies the id_token. */
  exchangeCode(request: CodeExchange): Promise<Grant & { readonly sub: string }>
  /**
   * Renews the tokens of a sign-in. An id_token in the answer must belong to that sign-in (OIDC Core 12.2).
   * @returns `'revoked'` if PAS answers `invalid_grant`: the refresh token is no longer valid.
   * @throws {@link SignInMismatch} if the id_token belongs to somebody else.
   */
  refresh(refreshToken: string, of: RefreshedSignIn): Promise<Grant | 'revoked'>
  /**
   * @returns `'rejected'` if PAS does not accept the access token (401).
   * @throws `subject_mismatch` when the answer is about somebody else (OIDC Core 5.3.2).
   */
  userinfo(accessToken: string, sub: string): Promise<UserInfo | 'rejected'>
  /** Revokes a token if PAS announces an endpoint for that (RFC 7009); otherwise does nothing. */
  revoke(token: string): Promise<void>
  /** The URL that ends the browser's session at PAS, if PAS announces one (RP-Initiated Logout 1.0). */
  endSessionUrl(): Promise<URL | undefined>
}

/** One authorization request. */
export interface AuthorizationRequest {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
  /** Further parameters; ours take precedence. */
  readonly params?: AuthorizationParams
  /** Parameters that a link asked for; `params` takes precedence. */
  readonly wishes?: AuthorizationParams
}

/** What the token endpoint needs for a code. */
export interface CodeExchange {
  readonly code: string
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
  /** If `max_age` was sent: the person must have signed in at PAS since this time, in milliseconds. */
  readonly seenSince?: number
}

/** The sign-in whose tokens are renewed. */
export interface RefreshedSignIn {
  readonly sub: string
  /** When the person signed in, milliseconds. */
  readonly createdAt: number
  /** The scopes granted so far, used if the answer names none. */
  readonly scopes: readonly string[]
}

/** Tokens as PAS granted them. */
export interface Grant {
  /** When PAS was asked, in milliseconds. The token's life counts from here, so a slow answer cannot extend it. */
  readonly askedAt: number
  readonly accessToken: string
  /** Absent if PAS does not rotate it: the old one stays valid. */
  readonly refreshToken?: string
  readonly expiresInMs: number
  readonly scopes: readonly string[]
}

const DOCUMENTED_LIFE_SECONDS = 3600
/** Sign-ins within this time share one request to PAS. */
const SEEN_LATELY_MS = 1_000

/** What the calls to PAS need. */
export interface ProviderParts {
  readonly config: Config
  readonly runtime: Runtime
  /** Aborts running calls and all later ones. */
  readonly closed: AbortSignal
  /** Reports faults of PAS that make no call fail. */
  readonly raise: RaiseEvent
}

export function createProvider({ config, runtime, closed, raise }: ProviderParts): Provider {
  const ask = createAskProvider({ fetch: config.fetch ?? runtime.fetch, issuer: config.issuer, closed })
  const discovered = createDiscovery({ config, ask, runtime })
  const idTokens = createIdTokens({ config, raise })
  const resource: Record<string, string> = config.resource === undefined ? {} : { resource: config.resource }
  /** Runs a call and turns whatever it throws into one of our errors. */
  async function call<T>(operation: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw toProviderError(operation, error)
    }
  }

  function toGrant(answer: TokenAnswer, askedAt: number, asked: readonly string[]): Grant {
    return {
      askedAt,
      accessToken: answer.access_token,
      ...(answer.refresh_token ? { refreshToken: answer.refresh_token } : {}),
      // Never 0, because every request would renew it. Rounded, because a record stores whole milliseconds.
      expiresInMs: Math.floor(Math.max(1, answer.expires_in ?? DOCUMENTED_LIFE_SECONDS) * 1000),
      // RFC 6749 5.1: if absent, the granted scopes are those that were asked for.
      scopes: answer.scope === undefined ? asked : answer.scope.split(' ').filter(Boolean),
    }
  }

  async function revoke(token: string): Promise<void> {
    const { clients, server } = await discovered()
    if (server.revocation_endpoint === undefined) return
    await call('revocation', () => tokenRevocation(clients.other, token))
  }

  return {
    revoke,

    async find() {
      await discovered()
    },

    async check() {
      await assertUsable(config.issuer, await discovered({ seenWithinMs: SEEN_LATELY_MS }))
    },

    async prepareAuthorization() {
      const { clients, server } = await discovered({ seenWithinMs: SEEN_LATELY_MS })
      return ({ state, nonce, codeVerifier, params = {}, wishes: { prompt, ...wishes } = {} }) =>
        buildAuthorizationUrl(clients.other, {
          ...wishes,
          ...promptOf(prompt, server[PROMPTS]),
          ...params,
          redirect_uri: config.redirectUri,
          scope: config.scope.join(' '),
          state,
          nonce,
          code_challenge: hash('sha256', codeVerifier, 'base64url'),
          code_challenge_method: 'S256',
          ...resource,
        })
    },

    async isExpectedIssuer(iss) {
      if (iss !== undefined) return iss === config.issuer
      const { server } = await discovered()
      return server[SENDS_ISSUER] !== true
    },

    async exchangeCode({ code, state, nonce, codeVerifier, seenSince }) {
      const { clients, keys } = await discovered()
      const current = new URL(config.redirectUri)
      current.search = new URLSearchParams({ code, state }).toString()
      const checks = { pkceCodeVerifier: codeVerifier, expectedState: state }
      const askedAt = runtime.now()
      const answer = await call('code exchange', () => authorizationCodeGrant(clients.token, current, checks, resource))
      const sub = await idTokens.verifySignIn(
        answer,
        { nonce, code, ...(seenSince === undefined ? {} : { seenSince }) },
        keys,
      )
      return { ...toGrant(answer, askedAt, config.scope), sub }
    },

    async refresh(refreshToken, signIn) {
      const { clients, keys } = await discovered()
      const askedAt = runtime.now()
      try {
        const answer = await call('refresh', () => refreshTokenGrant(clients.token, refreshToken, resource))
        try {
          await idTokens.verifyRefresh(answer, signIn, keys)
        } catch (error) {
          if (error instanceof SignInMismatch) {
            revoke(answer.refresh_token ?? refreshToken).catch(() =>
              raise({ type: 'revocation_failed', detail: 'after a refresh that was not about this sign-in' }),
            )
          }
          throw error
        }
        return toGrant(answer, askedAt, signIn.scopes)
      } catch (error) {
        if (error instanceof ProviderRefusal && error.oauthError === 'invalid_grant') return 'revoked'
        throw error
      }
    },

    async userinfo(accessToken, sub) {
      const { clients } = await discovered()
      try {
        const answer = await call('userinfo request', () =>
          fetchUserInfo(clients.userinfo, accessToken, skipSubjectCheck),
        )
        if (answer.sub !== sub) {
          throw new PpoppoError('subject_mismatch', 'userinfo of PAS is about another account than the id_token.')
        }
        return toUserInfo(answer)
      } catch (error) {
        if (error instanceof ProviderRefusal && error.httpStatus === 401) return 'rejected'
        throw error
      }
    },

    async endSessionUrl() {
      const { clients, server } = await discovered()
      if (server.end_session_endpoint === undefined) return undefined
      // `client_id` instead of `id_token_hint`: a token has no place in a page or a URL.
      return buildEndSessionUrl(clients.other, {
        client_id: config.clientId,
        post_logout_redirect_uri: config.homeUrl,
      })
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
