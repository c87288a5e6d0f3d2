import type { Request, Response } from 'express'
import { newCorrelationId } from '../audit-events.js'
import type { PpoppoUser } from '../config/options.js'
import { keepOutOfPageCache } from '../http/page-cache.js'
import { queryOf } from '../http/request-reading.js'
import { targetOf } from '../lib/request-target.js'
import { formatPpnum } from '../ppnum.js'
import { ClockDifference } from '../provider/faults.js'
import { readPointer } from '../session/pointer.js'
import type { Consumed } from '../session/transactions.js'
import { arrivalOf, isOtherChoice, noteArrival } from './arrivals.js'
import { createCompletion } from './complete-sign-in.js'
import { Refusal, toRefusal } from './refusal.js'
import type { RouteParts } from './route-parts.js'

/** An authorization response (RFC 6749 4.1.2, RFC 9207). */
export interface CallbackParams {
  readonly state: string
  readonly code?: string
  readonly error?: string
  readonly iss?: string
}

/** Codes and states are short: a longer URL is not a sign-in. */
const MAX_QUERY_LENGTH = 8_192
const MAX_VALUE_LENGTH = 4_096
const NAMES = ['state', 'code', 'error', 'iss'] as const

/** @returns `undefined` unless it is an authorization response: each parameter once, printable, short */
function parseCallback(req: Request): CallbackParams | undefined {
  if (targetOf(req).length > MAX_QUERY_LENGTH) return undefined
  const query = queryOf(req)
  const found: { -readonly [Name in keyof CallbackParams]?: string } = {}
  for (const name of NAMES) {
    const values = query.getAll(name)
    if (values.length === 0) continue
    const [value = ''] = values
    if (values.length > 1 || value.length > MAX_VALUE_LENGTH || !/^[\x21-\x7e]+$/.test(value)) return undefined
    found[name] = value
  }
  const { state, ...rest } = found
  const hasOneResult = (rest.code === undefined) !== (rest.error === undefined)
  return state === undefined || !hasOneResult ? undefined : { state, ...rest }
}

/** One callback on its way through the steps below. */
interface Callback {
  readonly req: Request
  readonly res: Response
  /** Links the page that the person sees to what `onEvent` receives. */
  readonly correlationId: string
}

/** A callback with an authorization response. */
interface AuthorizationResponse extends Callback {
  readonly params: CallbackParams
}

type Taken = Extract<Consumed, { kind: 'taken' }>
type TakenBefore = Extract<Consumed, { kind: 'taken_before' }>

/**
 * `GET /callback`: consumes the attempt, completes the sign-in and sends the browser where it wanted to go. A callback without
 * an attempt of this browser gets a calm page, or leads back to where the person was.
 */
export function createCallback(parts: RouteParts): (req: Request, res: Response) => Promise<void> {
  const { config, runtime, raise, pages, rateLimit, transactions, vault, ownSession, landed, pointerKey, toReturnTo } =
    parts
  const { completeSignIn, startSession } = createCompletion(parts)

  async function callback(req: Request, res: Response): Promise<void> {
    const arriving = { req, res, correlationId: newCorrelationId(runtime) }
    res.set('Cache-Control', 'no-store')
    // Before the attempt is consumed, so that a reload works once the store is back.
    if (req.ppoppo.status === 'unavailable') return refuse(arriving, STORE_UNAVAILABLE)
    const params = parseCallback(req)
    if (!params) return refuse(arriving, new Refusal({ page: 'malformed', reason: 'malformed' }))
    const response = { ...arriving, params }
    let consumed: Consumed
    try {
      consumed = await transactions.consume(req, res, params.state)
    } catch (error) {
      return refuse(response, toRefusal(error))
    }
    switch (consumed.kind) {
      case 'taken':
        return complete(response, consumed)
      case 'taken_before':
        return join(response, consumed)
      case 'expired':
        return stale(response, new Refusal({ page: 'attempt_expired', reason: 'expired' }))
      case 'lost':
        return stale(response, new Refusal({ page: 'attempt_lost', reason: 'attempt_lost', detail: consumed.detail }))
      case 'unknown':
        return stale(response, new Refusal({ page: 'attempt_missing', reason: 'no_attempt' }))
    }
  }

  async function complete(response: AuthorizationResponse, { transaction, finish }: Taken): Promise<void> {
    const { req, params, correlationId } = response
    const waitMs = params.code === undefined ? 0 : await rateLimit.exchange(req)
    if (waitMs > 0) {
      await finish('failed').catch(() => {})
      return tooMany(response, transaction.returnTo, waitMs)
    }
    try {
      const signIn = await completeSignIn(req, params, transaction)
      const arrival = arrivalOf(params)
      const outcome = { signInId: signIn.id, returnTo: transaction.returnTo, ...(arrival ? { arrival } : {}) }
      // Only a second callback waits for it; this one need not.
      void finish(outcome).catch(() => {})
      rateLimit.exchanged(req)
      raise({ type: 'sign_in', sub: signIn.sub, signInId: signIn.id }, correlationId)
      land(response, transaction.returnTo)
    } catch (error) {
      await finish('failed').catch(() => {})
      // Not in an app's session: writing to one that another tab has ended would bring it back.
      if (ownSession.owns(req)) noteArrival(req, pointerKey, arrivalOf(params))
      await refuse(response, toRefusal(error), transaction.returnTo)
    }
  }

  /** The same callback a second time (a reload, iOS Safari): lands where the first one did, with a cookie of its own. */
  async function join(response: AuthorizationResponse, before: TakenBefore): Promise<void> {
    const { req, res, params } = response
    const detail = 'the attempt was consumed before'
    const refusal = new Refusal({ page: 'already_handled', reason: 'no_attempt', detail })
    try {
      const outcome = await before.outcome()
      const signIn = outcome && outcome !== 'failed' ? await vault.read(outcome.signInId) : undefined
      if (!signIn || !outcome || outcome === 'failed') return await stale(response, refusal)
      await startSession(req, params, outcome)
      const known = outcome.arrival === undefined ? [] : [outcome.arrival]
      if (isOtherChoice(known, arrivalOf(params))) {
        landed.set(req, res)
        return await keepPerson(response, signIn, refusal, outcome.returnTo)
      }
      land(response, outcome.returnTo)
    } catch (error) {
      await refuse(response, toRefusal(error))
    }
  }

  function land({ req, res }: Callback, returnTo: string): void {
    landed.set(req, res)
    res.set('Referrer-Policy', 'no-referrer')
    res.redirect(303, returnTo)
  }

  /**
   * There is no attempt: a signed-in person goes back to where they were, anybody else sees a calm page. A person who has
   * just chosen an account at PAS, perhaps another one, is shown who is signed in.
   */
  async function stale(response: AuthorizationResponse, refusal: Refusal): Promise<void> {
    const { req, res, params } = response
    const { user } = req.ppoppo
    const pointer = user ? readPointer(req.session, pointerKey) : undefined
    if (!user || !pointer) return refuse(response, refusal)
    // Checked again: the allowed origins may have changed since, and the session may be the app's.
    const returnTo = toReturnTo(pointer.returnTo)
    const arrival = arrivalOf(params)
    // Started in this browser, never finished, and answered by PAS: that is a choice too.
    const isOwnAttempt = refusal.reason === 'expired' || refusal.reason === 'attempt_lost'
    const isChoice = isOtherChoice(pointer.arrivals, arrival) || (isOwnAttempt && arrival !== undefined)
    if (isChoice) return keepPerson(response, user, refusal, returnTo)
    res.redirect(303, returnTo)
  }

  /** The person who is signed in stays signed in, and a page says so. */
  async function keepPerson(
    response: AuthorizationResponse,
    { ppnum }: Pick<PpoppoUser, 'ppnum'>,
    { reason, detail, cause }: Refusal,
    returnTo: string,
  ): Promise<void> {
    // The page says who that is.
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
    raise({ type: 'sign_in_refused', reason, ...(detail === '' ? {} : { detail }) }, correlationId)
    // Nothing failed if somebody only stays signed in.
    const isCounted = page !== 'store_unavailable' && page !== 'still_signed_in'
    const waitMs = isCounted ? await rateLimit.failure(req) : 0
    if (waitMs > 0) return tooMany(arriving, returnTo, waitMs)
    pages.send(req, res, page, {
      returnTo,
      correlationId,
      ...(account === undefined ? {} : { account }),
      ...(cause?.code === 'sign_in_denied' ? { reason: cause.message } : {}),
      ...(cause?.missing ? { missingScopes: cause.missing } : {}),
      ...(cause instanceof ClockDifference ? { clockAheadSeconds: cause.aheadSeconds } : {}),
    })
  }

  function tooMany({ req, res, correlationId }: Callback, returnTo: string, waitMs: number): void {
    raise({ type: 'rate_limited', limit: 'callback' }, correlationId)
    pages.send(req, res, 'rate_limited', { returnTo, correlationId, retryAfterSeconds: waitMs / 1000 })
  }

  return callback
}

const STORE_UNAVAILABLE = new Refusal({
  page: 'store_unavailable',
  reason: 'store_unavailable',
  detail: 'session read',
})
