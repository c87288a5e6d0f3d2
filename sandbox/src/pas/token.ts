import { PATHS } from '../endpoints.js'
import { isJsonObject, type JsonObject } from '../lib/json.js'
import { createUlid } from '../lib/ulid.js'
import type { SignInRecord } from '../state/ledger.js'
import type { SandboxState } from '../state/sandbox-state.js'
import { signJwt } from '../state/signing-keys.js'
import { idTokenClaims } from './id-token.js'
import { flawedIdToken } from './id-token-flaws.js'
import { answerWithError, type Context, type Middleware } from './middleware.js'

interface Exchange {
  readonly grantId: string
  readonly signIn: SignInRecord
  readonly scope: string
  readonly isRefresh: boolean
}

/**
 * oidc-provider's token answer, dressed as PAS's: a JWT access token (its own need resource indicators, and then its
 * userinfo refuses them), azp and at_hash in the id_token (it has neither in the code flow), `refresh_token: null`.
 */
export function dressTokenAnswer(state: SandboxState): Middleware {
  return async (ctx, next) => {
    await next()
    if (ctx.path !== PATHS.token || ctx.status !== 200 || !isJsonObject(ctx.body)) return
    const exchange = exchangeOf(state, ctx, ctx.body)
    if (exchange === undefined) return
    const { resource } = ctx.oidc.body ?? {}
    if (resource !== undefined && exchange.signIn.resource !== undefined && resource !== exchange.signIn.resource) {
      return answerWithError(ctx, 400, 'invalid_target', 'resource differs from the one sent to /oauth/authorize')
    }
    ctx.body = await composeAnswer({ state, ctx, exchange, answer: ctx.body })
  }
}

function exchangeOf(state: SandboxState, ctx: Context, answer: JsonObject): Exchange | undefined {
  const grantId = ctx.oidc.entities.Grant?.jti
  const signIn = grantId === undefined ? undefined : state.ledger.signIn(grantId)
  if (grantId === undefined || signIn === undefined) return undefined
  const granted = String(answer['scope'] ?? '')
  const fault = state.faults.drawnBy(ctx.req)
  const narrower = fault?.scope ?? granted.split(' ').slice(0, -1).join(' ')
  return {
    grantId,
    signIn,
    scope: fault?.kind === 'narrower-scope' ? narrower : granted,
    isRefresh: ctx.oidc.params?.['grant_type'] === 'refresh_token',
  }
}

/** One answer of the token endpoint on its way. */
interface Issuing {
  readonly state: SandboxState
  readonly ctx: Context
  readonly exchange: Exchange
  /** oidc-provider's. */
  readonly answer: JsonObject
}

async function composeAnswer(issuing: Issuing): Promise<JsonObject> {
  const { state, ctx, exchange, answer } = issuing
  const fault = state.faults.drawnBy(ctx.req)
  const expiresIn = Number(answer['expires_in'])
  const accessToken = await issueAccessToken(state, exchange, expiresIn)
  const idToken = await issueIdToken(issuing, accessToken)
  return {
    ...(fault?.kind !== 'missing-access-token' && { access_token: accessToken }),
    ...refreshTokenField(issuing),
    ...(idToken !== undefined && { id_token: idToken }),
    token_type: 'Bearer',
    expires_in: expiresIn,
    scope: exchange.scope,
  }
}

/** RFC 9068. Written down as well, because PAS knows which of its tokens it has taken back. */
async function issueAccessToken(state: SandboxState, exchange: Exchange, expiresIn: number): Promise<string> {
  const { signIn, scope, grantId } = exchange
  const iat = Math.floor(Date.now() / 1000)
  const claims = {
    iss: state.issuer,
    sub: signIn.sub,
    aud: signIn.resource ?? state.issuer,
    client_id: signIn.clientId,
    scope,
    iat,
    exp: iat + expiresIn,
    jti: createUlid(),
  }
  const token = await signJwt(state.keys.current, claims, 'at+jwt')
  const expiresAtMs = Date.now() + expiresIn * 1000
  state.ledger.recordAccessToken(token, { sub: signIn.sub, grantId, scopes: new Set(scope.split(' ')), expiresAtMs })
  state.ledger.recordIssued({ kind: 'access_token', value: token, sub: signIn.sub })
  return token
}

async function issueIdToken(
  { state, ctx, exchange, answer }: Issuing,
  accessToken: string,
): Promise<string | undefined> {
  const fault = state.faults.drawnBy(ctx.req)
  const original = answer['id_token']
  if (typeof original !== 'string' || fault?.kind === 'missing-id-token') return undefined
  if (exchange.isRefresh && !state.switches.idTokenOnRefresh) return undefined
  const code = exchange.isRefresh ? {} : { code: String(ctx.oidc.params?.['code']) }
  const claims = idTokenClaims(original, exchange.signIn, { accessToken, ...code }, state.switches)
  const token =
    (await flawedIdToken(fault, claims, state.keys.current)) ?? (await signJwt(state.keys.current, claims, 'JWT'))
  state.ledger.recordIssued({ kind: 'id_token', value: token, sub: exchange.signIn.sub })
  return token
}

function refreshTokenField({ state, ctx, exchange, answer }: Issuing): JsonObject {
  const token = answer['refresh_token']
  const isNew = !exchange.isRefresh || ctx.oidc.entities.RotatedRefreshToken !== undefined
  if (typeof token === 'string' && isNew) {
    state.ledger.recordIssued({ kind: 'refresh_token', value: token, sub: exchange.signIn.sub })
    return { refresh_token: token }
  }
  if (typeof token === 'string') state.storage.extendRefreshToken(token, state.switches.refreshTokenTtlSeconds)
  return state.switches.refreshTokenAnswer === 'absent' ? {} : { refresh_token: null }
}
