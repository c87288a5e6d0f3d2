import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { isTraced, tracePoint } from '../channels.js'
import { PpoppoError } from '../errors.js'
import { challenge, keepOutOfPageCache, secureAnswer } from '../http/answer-headers.js'
import { sendProblem } from '../http/problem.js'
import { isHtmx, isNavigation, wantsHtml } from '../http/request-reading.js'
import { callBack } from '../lib/call-back.js'
import { toReturnParam } from '../login-link/return-to.js'
import { readPointer } from '../session/pointer.js'
import { denialOf, failWith, hasConditions, leadsOn, SIGNED_OUT } from './guard-denial.js'
import { type GuardSettings, parseGuardOptions, type RequireSignInOptions, type SignInDenial } from './guard-options.js'
import { AFTER_FORM } from './login-url.js'
import { createReturnPlace, isRead } from './return-place.js'
import type { RouteParts } from './route-parts.js'

const RETRY_AFTER_SECONDS = 5

/** Somebody who may not pass, and which guard says so. */
interface Denied {
  readonly denial: SignInDenial
  readonly settings: GuardSettings
  readonly guard: RequestHandler
}

/**
 * Lets signed-in people through. Otherwise it redirects a browser to the sign-in and back, and answers any other client with
 * 401: a page if `Accept` names HTML, otherwise `application/problem+json`. While the store is down, everybody gets 503 and
 * nobody is signed out. A signed-in person whom the options do not let pass signs in again if that helps, or gets 403.
 */
export function createGuard(parts: RouteParts): (options?: RequireSignInOptions) => RequestHandler {
  const { config, raise, pages, toReturnTo, ownSession, landed, pointerKey, runtime } = parts
  let hasWarned = false
  const returnPlace = createReturnPlace(parts)
  const login = `${config.origin}${config.mountPath}/login`

  /** The page that says why another sign-in, right after one, would end here again; `undefined` if it would not. */
  function loopPage(req: Request): 'cookie_missing' | 'sign_in_lost' | undefined {
    const landing = landed.landingOf(req)
    if (landing === 'none' || readPointer(req.session, pointerKey)) return undefined
    // The cookie of the sign-in did not come back.
    if (!ownSession.owns(req) || !ownSession.hasCookie(req)) return 'cookie_missing'
    // It did, but the store does not have its session. The first time, that is a restart: another sign-in fixes it.
    return landing === 'again' && ownSession.isLost(req) ? 'sign_in_lost' : undefined
  }

  function warnOfLoss(): void {
    if (hasWarned) return
    hasWarned = true
    raise({
      type: 'warning',
      code: 'session_lost',
      detail:
        'Somebody signed in twice within seconds, and both sessions were lost: the cookie arrives, but its session is not in the store. Several processes need one Redis (REDIS_URL) instead of sessions in memory; a Redis that evicts keys needs "maxmemory-policy noeviction".',
    })
  }

  function loginUrl(returnTo: string, wishes: Readonly<Record<string, string>>): string {
    const wanted = toReturnParam(returnTo, config.origin, toReturnTo)
    const more = new URLSearchParams(wishes).toString()
    return `${login}?return_to=${encodeURIComponent(wanted)}${more === '' ? '' : `&${more}`}`
  }

  /** For a browser that navigates. */
  function redirectToLogin(req: Request, res: Response, returnTo: string, url: string): void {
    const page = loopPage(req)
    if (page === 'sign_in_lost') warnOfLoss()
    if (page) return pages.send(req, res, page, { returnTo })
    // With the usual `form-action 'self'`, a form must not be redirected off-site: login shows a page instead.
    if (isRead(req)) res.redirect(302, url)
    else res.redirect(303, `${url}&${AFTER_FORM}=1`)
  }

  /** For a script, which cannot follow a redirect to another site: a page if it shows HTML, otherwise JSON. */
  function refuse(req: Request, res: Response, returnTo: string, url: string): void {
    // htmx follows this header whatever the status.
    if (isHtmx(req)) res.set('HX-Redirect', url)
    if (wantsHtml(req)) {
      const page = isRead(req) ? 'sign_in_required' : 'form_signed_out'
      return pages.send(req, res, page, { returnTo, status: 401 })
    }
    const detail = `Sign in at ${login} first.`
    sendProblem(res, 401, { code: 'signed_out', title: 'Sign-in required', detail, loginUrl: login })
  }

  /** A new sign-in helps here: a browser starts it, a script gets its URL. */
  function askAgain(req: Request, res: Response, { reason, status, missing = [] }: SignInDenial, url: string): void {
    if (isNavigation(req) && isRead(req)) return res.redirect(302, url)
    if (isHtmx(req)) res.set('HX-Redirect', url)
    if (wantsHtml(req)) return pages.send(req, res, 'sign_in_again', { returnTo: returnPlace(req), status })
    sendProblem(res, status, {
      code: reason === 'sign_in_too_old' ? reason : 'scope_shortfall',
      title: 'A new sign-in is required',
      detail:
        reason === 'sign_in_too_old'
          ? `This sign-in is too old for this request. Sign in again at ${login}.`
          : `This sign-in lacks scopes. Sign in again at ${login} to grant them.`,
      loginUrl: reason === 'sign_in_too_old' ? `${login}?prompt=login` : login,
      ...(missing.length > 0 && { missing }),
    })
  }

  function forbid(req: Request, res: Response): void {
    if (wantsHtml(req)) return pages.send(req, res, 'forbidden')
    const detail = 'The person who is signed in may not do this.'
    sendProblem(res, 403, { code: 'forbidden', title: 'Forbidden', detail })
  }

  /** The library's answer to somebody who may not pass. */
  function answer(req: Request, res: Response, denial: SignInDenial, settings: GuardSettings): void {
    const { reason } = denial
    if (reason === 'forbidden') return forbid(req, res)
    const returnTo = settings.returnTo === undefined ? returnPlace(req) : toReturnTo(settings.returnTo)
    if (reason !== 'signed_out') {
      const wishes = reason === 'sign_in_too_old' ? { ...settings.wishes, prompt: 'login' } : settings.wishes
      return askAgain(req, res, denial, loginUrl(returnTo, wishes))
    }
    const url = loginUrl(returnTo, settings.wishes)
    if (isNavigation(req)) redirectToLogin(req, res, returnTo, url)
    else refuse(req, res, returnTo, url)
  }

  function deny(req: Request, res: Response, next: NextFunction, { denial, settings, guard }: Denied): void {
    const { onDenied } = settings
    if (isTraced('guard')) tracePoint('guard', { outcome: denial.reason })
    secureAnswer(res)
    if (!onDenied) return answerWithChallenge(req, res, denial, settings)
    const orAnswer = (instead?: unknown): void =>
      leadsOn(instead, req, guard) ? answerWithChallenge(req, res, denial, settings) : next(instead)
    callBack((async () => onDenied(req, res, orAnswer, denial))(), () => {}, failWith(next))
  }

  function answerWithChallenge(req: Request, res: Response, denial: SignInDenial, settings: GuardSettings): void {
    // A redirect needs no WWW-Authenticate header.
    const isRedirected = isNavigation(req) && (isRead(req) || denial.reason === 'signed_out')
    if (denial.reason !== 'forbidden' && !isRedirected) challenge(res, config, denial.missing)
    answer(req, res, denial, settings)
  }

  function sendUnavailable(req: Request, res: Response): void {
    if (isTraced('guard')) tracePoint('guard', { outcome: 'unavailable', code: 'store_unavailable' })
    secureAnswer(res)
    if (wantsHtml(req))
      return pages.send(req, res, 'sign_in_unknown', {
        returnTo: returnPlace(req),
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      })
    const detail = 'The store does not respond, so the server cannot tell who is signed in.'
    sendProblem(res, 503, { code: 'store_unavailable', title: 'Sign-in state unknown', detail }, RETRY_AFTER_SECONDS)
  }

  return (options = {}) => {
    const settings = parseGuardOptions(options, config)
    const isConditional = hasConditions(settings)

    return function requireSignIn(req: Request, res: Response, next: NextFunction): void {
      if (!req.ppoppo) {
        return next(
          new PpoppoError(
            'session_missing',
            'requireSignIn() found no req.ppoppo: mount auth (app.use(auth)) before the guarded routes.',
          ),
        )
      }
      // What only signed-in people may see must not come from a cache after sign-out.
      res.setHeader('Cache-Control', 'private, no-store')
      if (req.ppoppo.isSignedIn) {
        keepOutOfPageCache(req, res, config.isHttps)
        if (!isConditional) return pass(next)
        return callBack(
          denialOf(req, settings, runtime.now()),
          (denial) => (denial ? deny(req, res, next, { denial, settings, guard: requireSignIn }) : pass(next)),
          failWith(next),
        )
      }
      if (req.ppoppo.status === 'unavailable') return sendUnavailable(req, res)
      deny(req, res, next, { denial: SIGNED_OUT, settings, guard: requireSignIn })
    }
  }
}

function pass(next: NextFunction): void {
  if (isTraced('guard')) tracePoint('guard', { outcome: 'passed' })
  next()
}
