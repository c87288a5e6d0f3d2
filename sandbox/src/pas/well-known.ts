import { PATHS, SCOPES } from '../endpoints.js'
import type { JsonObject } from '../lib/json.js'
import type { SandboxState } from '../state/sandbox-state.js'
import { createSigningKey } from '../state/signing-keys.js'
import type { Middleware } from './middleware.js'

/** Discovery and JWKS. Our own, because switches and key rotation change them while the sandbox runs. */
export function wellKnown(state: SandboxState): Middleware {
  return async (ctx, next) => {
    const isRead = ctx.method === 'GET' || ctx.method === 'HEAD'
    const fault = state.faults.drawnBy(ctx.req)?.kind
    if (isRead && ctx.path === PATHS.discovery) {
      ctx.body = { ...metadata(state), ...(fault === 'wrong-issuer' && { issuer: 'https://accounts.example.test' }) }
    } else if (isRead && ctx.path === PATHS.jwks) {
      const keys = fault === 'foreign-key' ? [(await createSigningKey()).publicJwk] : state.keys.publicJwks
      ctx.body = { keys }
    } else {
      await next()
    }
  }
}

function metadata({ issuer, switches }: SandboxState): JsonObject {
  return {
    issuer,
    authorization_endpoint: issuer + PATHS.authorize,
    token_endpoint: issuer + PATHS.token,
    userinfo_endpoint: issuer + PATHS.userinfo,
    jwks_uri: issuer + PATHS.jwks,
    ...(switches.announceEndSession && { end_session_endpoint: issuer + PATHS.endSession }),
    ...(switches.announceRevocation && { revocation_endpoint: issuer + PATHS.revocation }),
    ...(switches.sendIssuerParameter && { authorization_response_iss_parameter_supported: true }),
    scopes_supported: [...SCOPES],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['EdDSA'],
    token_endpoint_auth_methods_supported: ['none'],
    code_challenge_methods_supported: ['S256'],
    claims_supported: ['sub', 'ppnum', 'email', 'email_verified', 'created_at', 'account_type'],
  }
}
