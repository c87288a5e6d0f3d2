import { PATHS } from '../endpoints.js'
import { peekForm } from '../lib/peek-form.js'
import type { SandboxState } from '../state/sandbox-state.js'
import { answerWithError, type Middleware } from './middleware.js'

/** `POST /oauth/revoke` (RFC 7009), there only while `announceRevocation` is on: Ppoppo has not documented one. */
export function revocation(state: SandboxState): Middleware {
  return async (ctx, next) => {
    if (ctx.path !== PATHS.revocation || ctx.method !== 'POST' || !state.switches.announceRevocation) {
      await next()
      return
    }
    const form = await peekForm(ctx.req)
    const [token, clientId] = [form.get('token'), form.get('client_id')]
    if (clientId === null || !state.clients.isKnown(clientId)) {
      return answerWithError(ctx, 401, 'invalid_client', 'client_id is missing or unknown')
    }
    if (token === null) return answerWithError(ctx, 400, 'invalid_request', 'token is missing')
    revoke(state, token, clientId)
    // RFC 7009 2.2: 200 for an unknown token too.
    ctx.status = 200
    ctx.body = ''
  }
}

/** A refresh token takes its access tokens along; an access token goes alone. Another client's token stays. */
function revoke(state: SandboxState, token: string, clientId: string): void {
  const refreshToken = state.storage.refreshToken(token)
  if (refreshToken?.grantId !== undefined && refreshToken.clientId === clientId) {
    const { grantId } = refreshToken
    state.storage.removeOfGrant(grantId)
    state.ledger.expireAccessTokens((other) => other.grantId === grantId)
  }
  const accessToken = state.ledger.accessToken(token)
  if (accessToken !== undefined && state.ledger.signIn(accessToken.grantId)?.clientId === clientId) {
    accessToken.expiresAtMs = 0
  }
}
