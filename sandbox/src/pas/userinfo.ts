import { PATHS } from '../endpoints.js'
import type { JsonObject } from '../lib/json.js'
import { createUlid } from '../lib/ulid.js'
import type { Person } from '../state/people.js'
import type { SandboxState } from '../state/sandbox-state.js'
import { answerWithError, type Context, type Middleware } from './middleware.js'

/** `GET /oauth/userinfo`. Our own: oidc-provider's refuses access tokens that are JWTs. */
export function userinfo(state: SandboxState): Middleware {
  return async (ctx, next) => {
    if (ctx.path !== PATHS.userinfo) {
      await next()
      return
    }
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.set('Allow', 'GET')
      return answerWithError(ctx, 405, 'invalid_request', 'userinfo is asked with GET')
    }
    const token = /^Bearer ([^\s]+)$/i.exec(ctx.get('Authorization'))?.[1]
    if (token === undefined) return refuse(ctx, undefined, 'an access token is missing: Authorization: Bearer ...')
    const record = state.ledger.liveAccessToken(token)
    const person = record && state.people.bySub(record.sub)
    if (record === undefined || person === undefined) {
      return refuse(ctx, 'invalid_token', 'the access token is expired, revoked or unknown')
    }
    ctx.set('Cache-Control', 'no-store')
    ctx.body = spoil(claimsOf(person, record.scopes), state.faults.drawnBy(ctx.req)?.kind)
  }
}

/** RFC 6750 3.1: no error code where no token was sent. */
function refuse(ctx: Context, error: string | undefined, description: string): void {
  answerWithError(ctx, 401, error ?? 'invalid_token', description)
  const details = error === undefined ? '' : ` error="${error}", error_description="${description}"`
  ctx.set('WWW-Authenticate', `Bearer${details}`)
}

function claimsOf(person: Person, scopes: ReadonlySet<string>): JsonObject {
  return {
    sub: person.sub,
    ...(scopes.has('profile') && { ppnum: person.ppnum }),
    ...(scopes.has('email') && person.email !== undefined && { email: person.email, email_verified: true }),
    created_at: person.createdAt,
    ...(person.accountType !== undefined && { account_type: person.accountType }),
  }
}

function spoil(claims: JsonObject, fault: string | undefined): JsonObject {
  const { sub: _sub, ...rest } = claims
  if (fault === 'wrong-sub') return { ...claims, sub: createUlid() }
  return fault === 'missing-sub' ? rest : claims
}
