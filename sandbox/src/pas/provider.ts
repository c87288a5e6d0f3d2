import { randomBytes } from 'node:crypto'
import type { Adapter, Configuration, Provider } from 'oidc-provider'
import { PATHS, SCOPES } from '../endpoints.js'
import { createUlid } from '../lib/ulid.js'
import { CONTENT_SECURITY_POLICY } from '../pages/layout.js'
import { renderMessagePage } from '../pages/message-page.js'
import type { SandboxState } from '../state/sandbox-state.js'
import { choosePerson, openGrant, signInPolicy } from './authorize.js'
import type { Context } from './middleware.js'
import type { OidcModule } from './oidc-module.js'

const TEN_YEARS_SECONDS = 10 * 365 * 24 * 3600

/** What {@link createProvider} is made of. */
export interface ProviderParts {
  readonly state: SandboxState
  readonly oidc: OidcModule
}

/** oidc-provider, told to be PAS: its rules, its paths, its error codes. */
export function createProvider({ state, oidc }: ProviderParts): Provider {
  const provider = new oidc.Provider(state.issuer, configurationFor(state, oidc))
  const { Client, RefreshToken } = provider
  // oidc-provider documents this override for redirect URIs that are not a fixed list.
  Client.prototype.redirectUriAllowed = function redirectUriAllowed(redirectUri: string): boolean {
    return state.clients.isRedirectAllowed(this.clientId, redirectUri)
  }
  // Each provider has its own models, so this affects no other sandbox.
  Object.defineProperty(RefreshToken.prototype, 'generateTokenId', { value: () => `rt_${createUlid()}` })
  provider.on('grant.revoked', (_ctx, grantId) => {
    state.ledger.expireAccessTokens((token) => token.grantId === grantId)
  })
  return provider
}

function configurationFor(state: SandboxState, oidc: OidcModule): Configuration {
  const { switches, people } = state
  return {
    adapter: (model) => (model === 'Client' ? clientAdapter(state) : state.storage.adapter(model)),
    jwks: { keys: [state.keys.current.privateJwk] },
    routes: { authorization: PATHS.authorize, token: PATHS.token },
    scopes: [...SCOPES],
    responseTypes: ['code'],
    clientAuthMethods: ['none'],
    enabledJWA: { idTokenSigningAlgValues: ['EdDSA'] },
    clientDefaults: { id_token_signed_response_alg: 'EdDSA', token_endpoint_auth_method: 'none' },
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      resourceIndicators: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      dPoP: { enabled: false },
      rpInitiatedLogout: { enabled: false },
    },
    extraParams: { resource: null, person: choosePerson(state, oidc) },
    interactions: { policy: signInPolicy(oidc), url: () => '/sign-in' },
    loadExistingGrant: (ctx) => openGrant(state, ctx),
    findAccount: (_ctx, sub) => {
      const person = people.bySub(sub)
      return person && { accountId: sub, claims: () => ({ sub }) }
    },
    issueRefreshToken: () => true,
    expiresWithSession: () => false,
    rotateRefreshToken: () => switches.refreshTokenAnswer === 'rotate',
    ttl: {
      AuthorizationCode: () => switches.codeTtlSeconds,
      AccessToken: () => switches.accessTokenTtlSeconds,
      IdToken: () => switches.idTokenTtlSeconds,
      RefreshToken: () => switches.refreshTokenTtlSeconds,
      Grant: TEN_YEARS_SECONDS,
      Session: 600,
      Interaction: 600,
    },
    // The sign-in page's form comes back by POST. The cookie setting is what that asks for; no such cookie is ever sent.
    enableHttpPostMethods: true,
    cookies: { keys: [randomBytes(32).toString('base64url')], long: { sameSite: 'none' } },
    clientBasedCORS: () => false,
    renderError: (ctx, out) => renderError(state, ctx, out.error, out.error_description),
  }
}

function clientAdapter(state: SandboxState): Adapter {
  return {
    ...state.storage.adapter('Client'),
    find: async (clientId) =>
      state.clients.isKnown(clientId)
        ? {
            client_id: clientId,
            application_type: 'native',
            grant_types: ['authorization_code', 'refresh_token'],
            // Only to pass its schema: `redirectUriAllowed` decides.
            redirect_uris: ['http://localhost/callback'],
          }
        : undefined,
  }
}

/** Errors that cannot go back to the client: a page for people, JSON for programs. */
function renderError(state: SandboxState, ctx: Context, error: string, reason: string | undefined): void {
  if (error === 'invalid_client') ctx.status = 401
  const isAboutClient = error === 'invalid_client' || error === 'invalid_redirect_uri'
  const hint = isAboutClient ? `This sandbox accepts ${state.clients.description}.` : undefined
  const description = [reason, hint].filter((part) => part !== undefined).join('. ')
  if (ctx.path !== PATHS.token && ctx.accepts('json', 'html') === 'html') {
    ctx.type = 'html'
    ctx.set('Content-Security-Policy', CONTENT_SECURITY_POLICY)
    ctx.body = renderMessagePage({ title: 'This sign-in cannot continue', code: error, text: description })
    return
  }
  ctx.body = { error, error_description: description }
}
