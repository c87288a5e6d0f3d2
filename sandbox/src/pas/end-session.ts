import { createLocalJWKSet, jwtVerify } from 'jose'
import { PATHS } from '../endpoints.js'
import { peekForm } from '../lib/peek-form.js'
import { CONTENT_SECURITY_POLICY } from '../pages/layout.js'
import { renderMessagePage } from '../pages/message-page.js'
import type { SandboxState } from '../state/sandbox-state.js'
import { answerWithError, type Context, type Middleware } from './middleware.js'

/**
 * `/oauth/logout` (OpenID Connect RP-Initiated Logout), there only while `announceEndSession` is on.
 * There is no session to end here; it checks the request as PAS would and goes back to the app.
 */
export function endSession(state: SandboxState): Middleware {
  return async (ctx, next) => {
    const isAsked = ctx.method === 'GET' || ctx.method === 'POST'
    if (ctx.path !== PATHS.endSession || !isAsked || !state.switches.announceEndSession) {
      await next()
      return
    }
    const params = ctx.method === 'POST' ? await peekForm(ctx.req) : new URLSearchParams(ctx.querystring)
    const clientId = await clientOf(state, params)
    if (clientId === undefined) {
      return answerWithError(ctx, 400, 'invalid_request', 'id_token_hint is not ours, or client_id does not fit it')
    }
    const returnTo = params.get('post_logout_redirect_uri')
    if (returnTo === null) return showSignedOut(ctx)
    if (clientId === null || !URL.canParse(returnTo) || !state.clients.isLogoutReturnAllowed(clientId, returnTo)) {
      return answerWithError(ctx, 400, 'invalid_request', 'post_logout_redirect_uri is not one of this client')
    }
    const target = new URL(returnTo)
    const echoed = params.get('state')
    if (echoed !== null) target.searchParams.set('state', echoed)
    ctx.status = 303
    ctx.set('Location', target.href)
    ctx.body = ''
  }
}

/** The client a request speaks for; `null` when it names none, `undefined` when what it names does not fit. */
async function clientOf(state: SandboxState, params: URLSearchParams): Promise<string | null | undefined> {
  const [named, hint] = [params.get('client_id'), params.get('id_token_hint')]
  if (hint === null) return named === null || state.clients.isKnown(named) ? named : undefined
  const keys = createLocalJWKSet({ keys: [...state.keys.publicJwks] })
  // An expired hint is fine: people sign out of old sessions (RP-Initiated Logout 2).
  const verified = await jwtVerify(hint, keys, { issuer: state.issuer, currentDate: new Date(0) }).catch(
    () => undefined,
  )
  const audience = verified?.payload.aud
  if (typeof audience !== 'string') return undefined
  return named === null || named === audience ? audience : undefined
}

function showSignedOut(ctx: Context): void {
  ctx.type = 'html'
  ctx.set('Content-Security-Policy', CONTENT_SECURITY_POLICY)
  ctx.body = renderMessagePage({
    title: 'Signed out',
    text: 'The sandbox keeps no session, so there was nothing to end.',
  })
}
