import { PATHS } from '../endpoints.js'
import { peekForm } from '../lib/peek-form.js'
import { createUlid } from '../lib/ulid.js'
import type { SandboxState } from '../state/sandbox-state.js'
import { signJwt } from '../state/signing-keys.js'
import { answerWithError, type Context, type Middleware } from './middleware.js'

/** The External API client of every sandbox. It is no login client, and a login client is not it. */
export const EXTERNAL_CLIENT_ID = 'sandbox_external_client'
/** Fixed and published: it guards nothing. */
export const EXTERNAL_CLIENT_SECRET = 'sandbox_external_secret'

/** `grant_type=client_credentials` at the token endpoint: the token for the messaging service. */
export function clientCredentials(state: SandboxState): Middleware {
  return async (ctx, next) => {
    const isTokenCall = ctx.path === PATHS.token && ctx.method === 'POST'
    const form = isTokenCall ? await peekForm(ctx.req) : undefined
    if (form?.get('grant_type') !== 'client_credentials') {
      await next()
      return
    }
    const clientId = form.get('client_id') ?? ''
    if (state.clients.isKnown(clientId)) {
      const reason = 'a login client gets no client_credentials token; it takes an External API client'
      return answerWithError(ctx, 400, 'unauthorized_client', reason)
    }
    if (clientId !== EXTERNAL_CLIENT_ID || form.get('client_secret') !== EXTERNAL_CLIENT_SECRET) {
      return answerWithError(ctx, 401, 'invalid_client', 'client_id or client_secret is wrong')
    }
    await issueToken(state, ctx)
  }
}

async function issueToken(state: SandboxState, ctx: Context): Promise<void> {
  const expiresIn = state.switches.externalTokenTtlSeconds
  const iat = Math.floor(Date.now() / 1000)
  const claims = {
    iss: state.issuer,
    sub: EXTERNAL_CLIENT_ID,
    aud: 'pcs',
    client_id: EXTERNAL_CLIENT_ID,
    iat,
    exp: iat + expiresIn,
    jti: createUlid(),
  }
  const token = await signJwt(state.keys.current, claims, 'at+jwt')
  state.ledger.recordExternalToken(token, { clientId: EXTERNAL_CLIENT_ID, expiresAtMs: Date.now() + expiresIn * 1000 })
  state.ledger.recordIssued({ kind: 'access_token', value: token, sub: EXTERNAL_CLIENT_ID })
  const isLeftOut = state.faults.drawnBy(ctx.req)?.kind === 'missing-access-token'
  ctx.set('Cache-Control', 'no-store')
  ctx.body = { ...(!isLeftOut && { access_token: token }), token_type: 'Bearer', expires_in: expiresIn }
}
