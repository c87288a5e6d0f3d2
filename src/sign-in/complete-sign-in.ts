import type { Request } from 'express'
import { isPpoppoError, PpoppoError } from '../errors.js'
import { type Grant, missingScopes } from '../provider/provider.js'
import { readPointer, type SignInPointer } from '../session/pointer.js'
import { renewSession } from '../session/renew-session.js'
import type { Transaction } from '../session/transactions.js'
import { tagOf } from '../store/store.js'
import { type SignIn, toPpoppoUser } from '../vault/record.js'
import { arrivalOf, withArrival } from './arrivals.js'
import { askApp } from './ask-app.js'
import type { CallbackParams } from './callback.js'
import { Refusal, refusalOfProvider } from './refusal.js'
import type { RouteParts } from './route-parts.js'

const MAX_USER_AGENT_LENGTH = 256

/** The steps from a consumed attempt to a signed-in browser. */
export interface Completion {
  /**
   * Exchanges the code, verifies who it is, asks the app, creates the sign-in and gives the browser a new session. A failure
   * leaves nothing behind.
   * @throws what `toRefusal` turns into a page
   */
  completeSignIn(req: Request, params: CallbackParams, transaction: Transaction): Promise<SignIn>
  /** Ends this browser's previous sign-in and points a new session at the new one. */
  startSession(req: Request, params: CallbackParams, to: Pick<SignInPointer, 'signInId' | 'returnTo'>): Promise<void>
}

export function createCompletion(parts: RouteParts): Completion {
  const { config, raise, provider, vault, pointerKey } = parts

  async function completeSignIn(req: Request, params: CallbackParams, transaction: Transaction): Promise<SignIn> {
    if (!(await provider.isExpectedIssuer(params.iss))) {
      const detail = 'the response names another issuer, or none although PAS announces one'
      throw new Refusal({ page: 'verification_failed', reason: 'issuer_mismatch', detail })
    }
    if (params.error !== undefined) throw refusalOfProvider(params.error)
    const grant = await provider.exchangeCode({ ...transaction, code: params.code ?? '' })
    try {
      return await createSignIn(req, params, grant, transaction)
    } catch (error) {
      // Nobody will use these tokens. If PAS announces no revocation, they expire.
      if (grant.refreshToken)
        void provider
          .revoke(grant.refreshToken)
          .catch(() => raise({ type: 'revocation_failed', detail: 'after a failed callback' }))
      throw error
    }
  }

  async function createSignIn(
    req: Request,
    params: CallbackParams,
    grant: Grant & { sub: string },
    transaction: Transaction,
  ): Promise<SignIn> {
    const missing = missingScopes(config.scope, grant.scopes)
    if (missing.length > 0) {
      throw new PpoppoError('scope_shortfall', `PAS granted less than was asked: ${missing.join(', ')} is missing.`, {
        missing,
      })
    }
    const info = await provider.userinfo(grant.accessToken, grant.sub)
    if (info === 'rejected')
      throw new PpoppoError('provider_unavailable', 'PAS does not take the access token it just issued.')
    const user = toPpoppoUser(info)
    const account = await askApp(config, user, req)
    const { accessToken, refreshToken, askedAt, expiresInMs, scopes } = grant
    const signIn = await vault.create(
      {
        ...user,
        scopes,
        userAgent: (req.get('user-agent') ?? '').slice(0, MAX_USER_AGENT_LENGTH),
        tokens: {
          accessToken,
          expiresAt: askedAt + expiresInMs,
          ...(refreshToken === undefined ? {} : { refreshToken }),
        },
        ...(account === undefined ? {} : { account }),
      },
      transaction.begunAt,
    )
    if (!signIn) {
      const detail = 'signed out everywhere while signing in'
      throw new Refusal({ page: 'signed_out_everywhere', reason: 'signed_out_everywhere', detail })
    }
    try {
      await startSession(req, params, { signInId: signIn.id, returnTo: transaction.returnTo })
    } catch (error) {
      await vault.discard(signIn.id)
      throw error
    }
    return signIn
  }

  async function startSession(
    req: Request,
    params: CallbackParams,
    to: Pick<SignInPointer, 'signInId' | 'returnTo'>,
  ): Promise<void> {
    const { signInId } = to
    const previous = readPointer(req.session, pointerKey)
    // What another person left in this browser is not for this one.
    const isSamePerson = !previous || tagOf(previous.signInId) === tagOf(signInId)
    try {
      const pointer = { ...to, arrivals: withArrival(previous?.arrivals ?? [], arrivalOf(params)) }
      await renewSession(req, pointerKey, pointer, isSamePerson ? config.keepAnonymous : [])
    } catch (error) {
      if (isPpoppoError(error)) throw error
      // The store of an app's own session throws errors of its own.
      const why = error instanceof Error ? error.name : 'no Error'
      throw new PpoppoError('store_unavailable', `The session could not be renewed (${why}).`, { cause: error })
    }
    if (previous && previous.signInId !== signInId) await endReplaced(previous.signInId)
  }

  /** Done last, when its session is gone: if the store fails before, the person stays signed in as before. */
  async function endReplaced(id: string): Promise<void> {
    const ended = await vault.replace(id)
    if (ended) raise({ type: 'sign_out', sub: ended.sub, signInId: ended.id, reason: 'replaced' })
  }

  return { completeSignIn, startSession }
}
