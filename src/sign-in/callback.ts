import type { Request, Response } from 'express'
import { newCorrelationId, type RefusalReason } from '../audit-events.js'
import type { PpoppoError } from '../errors.js'
import { keepOutOfPageCache } from '../http/page-cache.js'
import { queryOf } from '../http/request-reading.js'
import { targetOf } from '../lib/request-target.js'
import type { PageKind } from '../pages/texts.js'
import { formatPpnum } from '../ppnum.js'
import { ClockDifference } from '../provider/faults.js'
import { readPointer } from '../session/pointer.js'
import type { Consumed } from '../session/transactions.js'
import { arrivalOf, isOtherChoice, noteArrival } from './arrivals.js'
import { createCompletion } from './complete-sign-in.js'
import { toRefusal } from './refusal.js'
import type { RouteParts } from './route-parts.js'

/** An authorization response (RFC 6749 4.1.2, RFC 9207). */
export interface CallbackParams {
  readonly state: string
  readonly code?: string
  readonly error?: string
  readonly iss?: string
}

/** Codes and states are short; a URL longer than this is nobody's sign-in. */
const MAX_QUERY_LENGTH = 8_192
const MAX_VALUE_LENGTH = 4_096
const NAMES = ['state', 'code', 'error', 'iss'] as const

/** @returns `undefined` for anything that is not an authorization response: each parameter once, printable, short. */
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

/**
 * `GET /callback`: takes the attempt, completes the sign-in and sends the browser where it wanted to go; a callback
 * without an attempt of this browser gets a calm page, or goes back to where the person was.
 */
export function createCallback(parts: RouteParts): (req: Request, res: Response) => Promise<void> {
  const { config, runtime, raise, pages, rateLimit, transactions, vault, ownSession, landed, pointerKey, toReturnTo } =
    parts
  const { completeSignIn, moveIn } = createCompletion(parts)

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
        return join(req, res, params, consumed, correlationId)
      case 'expired':
        return stale(req, res, params, { page: 'attempt_expired', reason: 'expired', detail: '' }, correlationId)
      case 'lost': {
        const { detail } = consumed
        return stale(req, res, params, { page: 'attempt_lost', reason: 'attempt_lost', detail }, correlationId)
      }
      case 'unknown':
        return stale(req, res, params, { page: 'attempt_missing', reason: 'no_attempt', detail: '' }, correlationId)
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
    const waitMs = params.code === undefined ? 0 : await rateLimit.exchange(req)
    if (waitMs > 0) {
      await finish('failed').catch(() => {})
      return tooMany(req, res, correlationId, transaction.returnTo, waitMs)
    }
    try {
      const signIn = await completeSignIn(req, params, transaction)
      // For a double callback, which waits for it; this one need not.
      const arrival = arrivalOf(params)
      const outcome = { signInId: signIn.id, returnTo: transaction.returnTo, ...(arrival ? { arrival } : {}) }
      void finish(outcome).catch(() => {})
      rateLimit.exchanged(req)
      raise({ type: 'sign_in', sub: signIn.sub, signInId: signIn.id }, correlationId)
      land(req, res, transaction.returnTo)
    } catch (error) {
      await finish('failed').catch(() => {})
      // Not in an app's session: to write into one that another tab ends meanwhile would bring it back.
      if (ownSession.owns(req)) noteArrival(req, pointerKey, arrivalOf(params))
      await refuse(req, res, toRefusal(error), correlationId, transaction.returnTo)
    }
  }

  /** The same callback a second time (a reload, iOS Safari): lands where the first one did, with its own cookie. */
  async function join(
    req: Request,
    res: Response,
    params: CallbackParams,
    before: TakenBefore,
    correlationId: string,
  ): Promise<void> {
    const refusal = { page: 'already_handled', reason: 'no_attempt', detail: 'the attempt was taken before' } as const
    try {
      const outcome = await before.outcome()
      const signIn = outcome && outcome !== 'failed' ? await vault.read(outcome.signInId) : undefined
      if (!signIn || !outcome || outcome === 'failed') return await stale(req, res, params, refusal, correlationId)
      await moveIn(req, params, outcome)
      const known = outcome.arrival === undefined ? [] : [outcome.arrival]
      if (isOtherChoice(known, arrivalOf(params))) {
        landed.set(req, res)
        return await keepPerson(req, res, signIn, outcome.returnTo, refusal, correlationId)
      }
      land(req, res, outcome.returnTo)
    } catch (error) {
      await refuse(req, res, toRefusal(error), correlationId)
    }
  }

  function land(req: Request, res: Response, returnTo: string): void {
    landed.set(req, res)
    res.set('Referrer-Policy', 'no-referrer')
    res.redirect(303, returnTo)
  }

  /**
   * No attempt behind it: whoever is signed in goes back to where they were, anybody else sees a calm page. Who has
   * just chosen an account at PAS, perhaps another one, is told who is signed in.
   */
  async function stale(
    req: Request,
    res: Response,
    params: CallbackParams,
    refusal: RefusalParts,
    correlationId: string,
  ): Promise<void> {
    const { user } = req.ppoppo
    const pointer = user ? readPointer(req.session, pointerKey) : undefined
    if (!user || !pointer) return refuse(req, res, refusal, correlationId)
    // Checked again: the list of allowed origins may have changed since, and the session may be the app's.
    const returnTo = toReturnTo(pointer.returnTo)
    const arrival = arrivalOf(params)
    // Begun in this browser and never finished, with an answer of PAS: that is a choice, too.
    const isOwnAttempt = refusal.reason === 'expired' || refusal.reason === 'attempt_lost'
    const isChoice = isOtherChoice(pointer.arrivals, arrival) || (isOwnAttempt && arrival !== undefined)
    if (isChoice) return keepPerson(req, res, user, returnTo, refusal, correlationId)
    res.redirect(303, returnTo)
  }

  /** Whoever is signed in stays that, and is told so. */
  async function keepPerson(
    req: Request,
    res: Response,
    { ppnum }: { readonly ppnum: string },
    returnTo: string,
    refusal: RefusalParts,
    correlationId: string,
  ): Promise<void> {
    // It says who that is.
    keepOutOfPageCache(req, res, config.isHttps)
    const detail = [refusal.detail, 'whoever is signed in stays so'].filter((text) => text !== '').join('; ')
    await refuse(req, res, { ...refusal, page: 'still_signed_in', detail, ppnum }, correlationId, returnTo)
  }

  async function refuse(
    req: Request,
    res: Response,
    refusal: RefusalParts,
    correlationId: string,
    returnTo = config.homeUrl,
  ): Promise<void> {
    const { page, reason, detail, cause, ppnum } = refusal
    raise({ type: 'sign_in_refused', reason, ...(detail === '' ? {} : { detail }) }, correlationId)
    // Nothing failed where somebody only stays signed in.
    const isCounted = page !== 'store_unavailable' && page !== 'still_signed_in'
    const waitMs = isCounted ? await rateLimit.failure(req) : 0
    if (waitMs > 0) return tooMany(req, res, correlationId, returnTo, waitMs)
    pages.send(req, res, page, {
      returnTo,
      correlationId,
      ...(ppnum === undefined ? {} : { account: formatPpnum(ppnum) }),
      ...(cause?.code === 'sign_in_denied' ? { reason: cause.message } : {}),
      ...(cause?.missing ? { missingScopes: cause.missing } : {}),
      ...(cause instanceof ClockDifference ? { clockAheadSeconds: cause.aheadSeconds } : {}),
    })
  }

  function tooMany(req: Request, res: Response, correlationId: string, returnTo: string, waitMs: number): void {
    raise({ type: 'rate_limited', limit: 'callback' }, correlationId)
    pages.send(req, res, 'rate_limited', { returnTo, correlationId, retryAfterSeconds: waitMs / 1000 })
  }

  return callback
}

interface RefusalParts {
  readonly page: PageKind
  readonly reason: RefusalReason
  readonly detail: string
  readonly cause?: PpoppoError
  /** Of who is signed in. */
  readonly ppnum?: string
}
