import type { Request, Response } from 'express'
import { PpoppoError } from '../errors.js'
import { newCorrelationId } from '../event-sink.js'
import type { RefusalReason } from '../events.js'
import { type Grant, missingScopes } from '../provider/provider.js'
import { setLandedCookie } from '../session/landed-cookie.js'
import { readPointer, renewSession } from '../session/pointer.js'
import type { Consumed, Transaction } from '../session/transactions.js'
import type { SignIn } from '../vault/record.js'
import { askApp } from './ask-app.js'
import { type CallbackParams, parseCallback } from './callback-params.js'
import { Refusal, refusalOfProvider, toRefusal } from './refusal.js'
import type { RouteParts } from './route-parts.js'
import type { PageKind } from './texts.js'

const MAX_USER_AGENT_LENGTH = 256

/**
 * `GET /callback`: takes the attempt, exchanges the code, verifies who it is, asks the app, creates the sign-in, gives
 * the browser a new session and sends it where it wanted to go. What fails on the way leaves nothing behind.
 */
export function createCallback(parts: RouteParts): (req: Request, res: Response) => Promise<void> {
  const { config, runtime, raise, pages, rateLimit, provider, transactions, vault, pointerKey } = parts

  async function callback(req: Request, res: Response): Promise<void> {
    const correlationId = newCorrelationId(runtime)
    res.set('Cache-Control', 'no-store')
    // Before anything is taken: a reload works once the store is back.
    if (req.ppoppo.status === 'unavailable') {
      return refuse(
        req,
        res,
        { page: 'store_unavailable', reason: 'store_unavailable', detail: 'session read' },
        correlationId,
      )
    }
    const params = parseCallback(req)
    if (!params) return refuse(req, res, { page: 'malformed', reason: 'malformed', detail: '' }, correlationId)
    let consumed: Consumed
    try {
      consumed = await transactions.consume(req, res, params.state)
    } catch (error) {
      return refuse(req, res, toRefusal(error), correlationId)
    }
    switch (consumed.kind) {
      case 'taken':
        return complete(req, res, params, consumed, correlationId)
      case 'taken_before':
        return join(req, res, consumed, correlationId)
      case 'expired':
        return stale(req, res, { page: 'attempt_expired', reason: 'expired', detail: '' }, correlationId)
      case 'unknown':
        return stale(req, res, { page: 'attempt_missing', reason: 'no_attempt', detail: '' }, correlationId)
    }
  }

  type Taken = Extract<Consumed, { kind: 'taken' }>
  type TakenBefore = Extract<Consumed, { kind: 'taken_before' }>

  async function complete(
    req: Request,
    res: Response,
    params: CallbackParams,
    taken: Taken,
    correlationId: string,
  ): Promise<void> {
    const { transaction, finish } = taken
    try {
      const signIn = await signInWith(req, params, transaction)
      await finish({ signInId: signIn.id, returnTo: transaction.returnTo }).catch(() => {})
      raise({ type: 'sign_in', sub: signIn.sub, signInId: signIn.id }, correlationId)
      land(res, transaction.returnTo)
    } catch (error) {
      await finish('failed').catch(() => {})
      await refuse(req, res, toRefusal(error), correlationId, transaction.returnTo)
    }
  }

  async function signInWith(req: Request, params: CallbackParams, transaction: Transaction): Promise<SignIn> {
    if (!(await provider.isExpectedIssuer(params.iss))) {
      throw new Refusal(
        'verification_failed',
        'issuer_mismatch',
        'the answer names another issuer, or none where PAS announces one',
      )
    }
    if (params.error !== undefined) throw refusalOfProvider(params.error)
    const grant = await provider.exchangeCode({ ...transaction, code: params.code ?? '' })
    try {
      return await createSignIn(req, grant, transaction)
    } catch (error) {
      // Nobody will use these tokens; where PAS announces no revocation they end by themselves.
      if (grant.refreshToken)
        void provider
          .revoke(grant.refreshToken)
          .catch(() => raise({ type: 'revocation_failed', detail: 'after a failed callback' }))
      throw error
    }
  }

  async function createSignIn(req: Request, grant: Grant & { sub: string }, transaction: Transaction): Promise<SignIn> {
    const missing = missingScopes(config.scope, grant.scopes)
    if (missing.length > 0) {
      throw new PpoppoError('scope_shortfall', `PAS granted less than was asked: ${missing.join(', ')} is missing.`, {
        missing,
      })
    }
    const info = await provider.userinfo(grant.accessToken, grant.sub)
    if (info === 'rejected')
      throw new PpoppoError('provider_unavailable', 'PAS does not take the access token it just issued.')
    const { sub, ppnum, accountType } = info
    const user = { sub, ppnum, ...(accountType === undefined ? {} : { accountType }) }
    const account = await askApp(config, user, req)
    const { accessToken, refreshToken, expiresInMs, scopes } = grant
    const signIn = await vault.create(
      {
        ...user,
        scopes,
        userAgent: (req.get('user-agent') ?? '').slice(0, MAX_USER_AGENT_LENGTH),
        tokens: {
          accessToken,
          expiresAt: runtime.now() + expiresInMs,
          ...(refreshToken === undefined ? {} : { refreshToken }),
        },
        ...(account === undefined ? {} : { account }),
      },
      transaction.begunAt,
    )
    if (!signIn)
      throw new Refusal('signed_out_everywhere', 'signed_out_everywhere', 'signed out everywhere while signing in')
    try {
      await moveIn(req, signIn.id, transaction.returnTo)
    } catch (error) {
      await vault.remove(signIn.id).catch(() => {})
      throw error
    }
    return signIn
  }

  /** Ends this browser's previous sign-in and points a new session at the new one. */
  async function moveIn(req: Request, signInId: string, returnTo: string): Promise<void> {
    const previous = readPointer(req.session, pointerKey)
    if (previous && previous.signInId !== signInId) {
      const ended = await vault.remove(previous.signInId)
      if (ended) raise({ type: 'sign_out', sub: ended.sub, signInId: ended.id, reason: 'replaced' })
    }
    await renewSession(req, pointerKey, { signInId, returnTo }, config.keepAnonymous)
  }

  /** The same callback a second time (a reload, iOS Safari): lands where the first one did, with its own cookie. */
  async function join(req: Request, res: Response, before: TakenBefore, correlationId: string): Promise<void> {
    const refusal = { page: 'already_handled', reason: 'no_attempt', detail: 'the attempt was taken before' } as const
    try {
      const outcome = await before.outcome()
      const signIn = outcome && outcome !== 'failed' ? await vault.read(outcome.signInId) : undefined
      if (!signIn || !outcome || outcome === 'failed') return await stale(req, res, refusal, correlationId)
      await moveIn(req, signIn.id, outcome.returnTo)
      land(res, outcome.returnTo)
    } catch (error) {
      await refuse(req, res, toRefusal(error), correlationId)
    }
  }

  function land(res: Response, returnTo: string): void {
    setLandedCookie(res, config.isHttps)
    res.set('Referrer-Policy', 'no-referrer')
    res.redirect(303, returnTo)
  }

  /** No attempt behind it: whoever is signed in goes back to where they were, anybody else sees a calm page (C20). */
  async function stale(req: Request, res: Response, refusal: RefusalParts, correlationId: string): Promise<void> {
    const pointer = req.ppoppo.isSignedIn ? readPointer(req.session, pointerKey) : undefined
    if (pointer) return res.redirect(303, pointer.returnTo)
    await refuse(req, res, refusal, correlationId)
  }

  async function refuse(
    req: Request,
    res: Response,
    refusal: RefusalParts,
    correlationId: string,
    returnTo = `${config.origin}/`,
  ): Promise<void> {
    const { page, reason, detail, cause } = refusal
    raise({ type: 'sign_in_refused', reason, ...(detail === '' ? {} : { detail }) }, correlationId)
    const waitMs = page === 'store_unavailable' ? 0 : await rateLimit.failure(req)
    if (waitMs > 0) {
      raise({ type: 'rate_limited', limit: 'callback' }, correlationId)
      return pages.send(req, res, 'rate_limited', { returnTo, correlationId, retryAfterSeconds: waitMs / 1000 })
    }
    pages.send(req, res, page, {
      returnTo,
      correlationId,
      ...(cause?.code === 'sign_in_denied' ? { reason: cause.message } : {}),
      ...(cause?.missing ? { missingScopes: cause.missing } : {}),
    })
  }

  return callback
}

interface RefusalParts {
  readonly page: PageKind
  readonly reason: RefusalReason
  readonly detail: string
  readonly cause?: PpoppoError
}
