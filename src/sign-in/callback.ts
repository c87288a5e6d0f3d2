import type { Request, Response } from 'express'
import { newCorrelationId } from '../audit-events.js'
import { isTraced, traced } from '../channels.js'
import type { PpoppoUser } from '../config/options.js'
import { keepOutOfPageCache } from '../http/answer-headers.js'
import { formatPpnum } from '../ppnum.js'
import { ClockDifference } from '../provider/faults.js'
import { readPointer } from '../session/pointer.js'
import type { Consumed } from '../session/transactions.js'
import { arrivalOf, type CallbackParams, isOtherChoice, noteArrival, parseCallback } from './callback-params.js'
import { createCompletion } from './complete-sign-in.js'
import { Refusal, toRefusal } from './refusal.js'
import type { RouteParts } from './route-parts.js'

/** A callback on its way through the steps below. */
interface Callback {
  readonly req: Request
  readonly res: Response
  /** Links the page that the person sees to what `onEvent` receives. */
  readonly correlationId: string
  /** What became of it, for those who trace. */
  readonly outcome: { word: string }
}

/** A callback with an authorization response. */
interface AuthorizationResponse extends Callback {
  readonly params: CallbackParams
}

type Taken = Extract<Consumed, { kind: 'taken' }>
type TakenBefore = Extract<Consumed, { kind: 'taken_before' }>

const SESSION_UNAVAILABLE = new Refusal({
  page: 'store_unavailable',
  reason: 'store_unavailable',
  detail: 'session read',
})
const MALFORMED = new Refusal({ page: 'malformed', reason: 'malformed' })

/**
 * `GET /callback`: takes the login attempt, completes the sign-in and redirects to `return_to`. A callback without an
 * attempt of this browser gets a page, or redirects a signed-in person to where they were.
 */
export function createCallback(parts: RouteParts): (req: Request, res: Response) => Promise<void> {
  const { config, runtime, raise, pages, rateLimit, transactions, vault, ownSession, landed, pointerKey, toReturnTo } =
    parts
  const { completeSignIn, startSession } = createCompletion(parts)

  return async function callback(req, res) {
    const correlationId = newCorrelationId(runtime)
    const arriving: Callback = { req, res, correlationId, outcome: { word: 'joined' } }
    if (!isTraced('sign-in')) return answer(arriving)
    const outcomeOf = (): string => arriving.outcome.word
    return traced({ name: 'sign-in', context: { correlationId }, outcomeOf }, () => answer(arriving))
  }

  async function answer(arriving: Callback): Promise<void> {
    const { req, res } = arriving
    res.set('Cache-Control', 'no-store')
    // Before the attempt is taken, so that a reload works once the store is back.
    if (req.ppoppo.status === 'unavailable') return refuse(arriving, SESSION_UNAVAILABLE)
    const params = parseCallback(req)
    if (!params) return refuse(arriving, MALFORMED)
    const response = { ...arriving, params }
    let consumed: Consumed
    try {
      const limit = params.code === undefined ? undefined : rateLimit.exchange(req)
      consumed = await transactions.consume(req, res, params.state, limit)
    } catch (error) {
      return refuse(response, toRefusal(error))
    }
    switch (consumed.kind) {
      case 'taken':
        return complete(response, consumed)
      case 'taken_before':
        return joinFirstCallback(response, consumed)
      case 'expired':
        return withoutAttempt(response, new Refusal({ page: 'attempt_expired', reason: 'expired' }))
      case 'lost': {
        const { detail } = consumed
        return withoutAttempt(response, new Refusal({ page: 'attempt_lost', reason: 'attempt_lost', detail }))
      }
      case 'unknown':
        return withoutAttempt(response, new Refusal({ page: 'attempt_missing', reason: 'no_attempt' }))
    }
  }

  /** The attempt is ours: signs the person in, and redirects. */
  async function complete(response: AuthorizationResponse, { transaction, waitMs, finish }: Taken): Promise<void> {
    const { req, params, correlationId } = response
    if (waitMs > 0) {
      await finish('failed').catch(() => {})
      return sendRateLimited(response, transaction.returnTo, waitMs)
    }
    try {
      const signIn = await completeSignIn(req, params, transaction)
      const arrival = arrivalOf(params)
      const outcome = { signInId: signIn.id, returnTo: transaction.returnTo, ...(arrival ? { arrival } : {}) }
      // Not awaited: only a second callback needs it.
      void finish(outcome).catch(() => {})
      rateLimit.exchanged(req)
      raise({ type: 'sign_in', sub: signIn.sub, signInId: signIn.id }, correlationId)
      response.outcome.word = 'signed_in'
      redirectToReturnTo(response, transaction.returnTo)
    } catch (error) {
      await finish('failed').catch(() => {})
      // Not in an app's session: writing to one that another tab has ended would restore it.
      if (ownSession.owns(req)) noteArrival(req, pointerKey, arrivalOf(params))
      await refuse(response, toRefusal(error), transaction.returnTo)
    }
  }

  /** The same callback a second time (a reload, iOS Safari): same redirect as the first, with a session of its own. */
  async function joinFirstCallback(response: AuthorizationResponse, first: TakenBefore): Promise<void> {
    const { req, res, params } = response
    const detail = 'the attempt was consumed before'
    const refusal = new Refusal({ page: 'already_handled', reason: 'no_attempt', detail })
    try {
      const outcome = await first.outcome()
      const signIn = outcome && outcome !== 'failed' ? await vault.read(outcome.signInId) : undefined
      if (!signIn || !outcome || outcome === 'failed') return await withoutAttempt(response, refusal)
      await startSession(req, params, outcome, async () => {})
      const known = outcome.arrival === undefined ? [] : [outcome.arrival]
      if (isOtherChoice(known, arrivalOf(params))) {
        landed.set(req, res)
        return await sendStillSignedIn(response, signIn, refusal, outcome.returnTo)
      }
      redirectToReturnTo(response, outcome.returnTo)
    } catch (error) {
      await refuse(response, toRefusal(error))
    }
  }

  /**
   * There is no attempt to complete: redirects a signed-in person to where they were, and shows anybody else a page. A
   * person who has just chosen an account at PAS, perhaps another one, sees who is signed in.
   */
  async function withoutAttempt(response: AuthorizationResponse, refusal: Refusal): Promise<void> {
    const { req, res, params } = response
    const { user } = req.ppoppo
    const pointer = user ? readPointer(req.session, pointerKey) : undefined
    if (!user || !pointer) return refuse(response, refusal)
    // Checked again: the allowed origins may have changed since, and the app may have written to its own session.
    const returnTo = toReturnTo(pointer.returnTo)
    const arrival = arrivalOf(params)
    // Started in this browser, never finished, and answered by PAS: that is a choice too.
    const isOwnAttempt = refusal.reason === 'expired' || refusal.reason === 'attempt_lost'
    const isChoice = isOtherChoice(pointer.arrivals, arrival) || (isOwnAttempt && arrival !== undefined)
    if (isChoice) return sendStillSignedIn(response, user, refusal, returnTo)
    res.redirect(303, returnTo)
  }

  function redirectToReturnTo({ req, res }: Callback, returnTo: string): void {
    landed.set(req, res)
    res.set('Referrer-Policy', 'no-referrer')
    res.redirect(303, returnTo)
  }

  /** Nothing changes, and a page says who is still signed in. */
  async function sendStillSignedIn(
    response: AuthorizationResponse,
    { ppnum }: Pick<PpoppoUser, 'ppnum'>,
    { reason, detail, cause }: Refusal,
    returnTo: string,
  ): Promise<void> {
    // The page shows the ppnum.
    keepOutOfPageCache(response.req, response.res, config.isHttps)
    const more = [detail, 'the person who is signed in stays signed in'].filter((text) => text !== '').join('; ')
    const refusal = new Refusal({ page: 'still_signed_in', reason, detail: more, cause })
    await refuse(response, refusal, returnTo, formatPpnum(ppnum))
  }

  /** @param account who is signed in, if the page says so */
  async function refuse(
    arriving: Callback,
    refusal: Refusal,
    returnTo = config.homeUrl,
    account?: string,
  ): Promise<void> {
    const { req, res, correlationId } = arriving
    const { page, reason, detail, cause } = refusal
    arriving.outcome.word = reason
    raise({ type: 'sign_in_refused', reason, ...(detail === '' ? {} : { detail }) }, correlationId)
    // Our store being down is not the visitor's failure, and staying signed in is none at all.
    const isCounted = page !== 'store_unavailable' && page !== 'still_signed_in'
    const waitMs = isCounted ? await rateLimit.failure(req) : 0
    if (waitMs > 0) return sendRateLimited(arriving, returnTo, waitMs)
    pages.send(req, res, page, {
      returnTo,
      correlationId,
      ...(account === undefined ? {} : { account }),
      ...(cause?.code === 'sign_in_denied' ? { reason: cause.message } : {}),
      ...(cause?.missing ? { missingScopes: cause.missing } : {}),
      ...(cause instanceof ClockDifference ? { clockAheadSeconds: cause.aheadSeconds } : {}),
    })
  }

  function sendRateLimited({ req, res, correlationId }: Callback, returnTo: string, waitMs: number): void {
    raise({ type: 'rate_limited', limit: 'callback' }, correlationId)
    pages.send(req, res, 'rate_limited', { returnTo, correlationId, retryAfterSeconds: waitMs / 1000 })
  }
}
