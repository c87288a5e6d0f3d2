import { IncomingMessage } from 'node:http'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { assertCallOptions } from '../config/call-options.js'
import { PpoppoError } from '../errors.js'
import { challenge, secureAnswer } from '../http/answer-headers.js'
import { toOwnOrigin } from '../http/asked-host.js'
import { keepOutOfPageCache } from '../http/page-cache.js'
import { sendProblem } from '../http/problem.js'
import { isHtmx, isNavigation, wantsHtml } from '../http/request-reading.js'
import { type LoginWishes, toLinkParams, WISH_OPTIONS } from '../login-link/login-params.js'
import { toReturnParam } from '../login-link/return-to.js'
import { readPointer } from '../session/pointer.js'
import { AFTER_FORM } from './login-url.js'
import type { RouteParts } from './route-parts.js'

/** Options of `auth.requireSignIn()`. */
export interface RequireSignInOptions extends LoginWishes {
  /** Where to go after signing in. @default the requested page; for a form, the page it was on */
  readonly returnTo?: string
}

const OPTION_NAMES = ['returnTo', ...WISH_OPTIONS]
const RETRY_AFTER_SECONDS = 5

/**
 * Lets signed-in people through. Otherwise it redirects a browser to the sign-in and back, and answers any other client with
 * 401: a page if `Accept` names HTML, otherwise `application/problem+json`. While the store is down, everybody gets 503 and
 * nobody is signed out.
 */
export function createGuard(parts: RouteParts): (options?: RequireSignInOptions) => RequestHandler {
  const { config, raise, pages, toReturnTo, ownSession, landed, pointerKey } = parts
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
    challenge(res, config)
    // htmx follows this header whatever the status.
    if (isHtmx(req)) res.set('HX-Redirect', url)
    if (wantsHtml(req)) {
      const page = isRead(req) ? 'sign_in_required' : 'form_signed_out'
      return pages.send(req, res, page, { returnTo, status: 401 })
    }
    const detail = `Sign in at ${login} first.`
    sendProblem(res, 401, { code: 'signed_out', title: 'Sign-in required', detail, loginUrl: login })
  }

  return (options = {}) => {
    assertGuardOptions(options)
    const wishes = toLinkParams(options, 'requireSignIn')

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
      res.set('Cache-Control', 'private, no-store')
      if (req.ppoppo.isSignedIn) {
        keepOutOfPageCache(req, res, config.isHttps)
        return next()
      }
      secureAnswer(res)
      if (req.ppoppo.status === 'unavailable') {
        if (wantsHtml(req))
          return pages.send(req, res, 'sign_in_unknown', {
            returnTo: returnPlace(req),
            retryAfterSeconds: RETRY_AFTER_SECONDS,
          })
        const detail = 'The store does not respond, so the server cannot tell who is signed in.'
        return sendProblem(
          res,
          503,
          { code: 'store_unavailable', title: 'Sign-in state unknown', detail },
          RETRY_AFTER_SECONDS,
        )
      }
      const returnTo = options.returnTo === undefined ? returnPlace(req) : toReturnTo(options.returnTo)
      const url = loginUrl(returnTo, wishes)
      if (isNavigation(req)) redirectToLogin(req, res, returnTo, url)
      else refuse(req, res, returnTo, url)
    }
  }
}

function assertGuardOptions(options: RequireSignInOptions): void {
  // `app.get('/x', auth.requireSignIn, ...)`: Express calls it with a request.
  if (options instanceof IncomingMessage) {
    throw new PpoppoError(
      'config_invalid',
      'requireSignIn returns a guard: write auth.requireSignIn(), with parentheses',
    )
  }
  assertCallOptions(options, OPTION_NAMES, 'requireSignIn')
  const { returnTo } = options
  if (returnTo !== undefined && typeof returnTo !== 'string') {
    throw new PpoppoError('config_invalid', 'requireSignIn: "returnTo" must be a string')
  }
}

function isRead(req: Request): boolean {
  return req.method === 'GET' || req.method === 'HEAD'
}

/**
 * Where to return after signing in: the requested page. A form, or a fragment that a script requested, is not a page to
 * return to: then the page it was on.
 */
function createReturnPlace({
  config,
  address,
  toReturnTo,
}: Pick<RouteParts, 'config' | 'address' | 'toReturnTo'>): (req: Request) => string {
  return (req) => {
    const isRead = req.method === 'GET' || req.method === 'HEAD'
    if (isRead && !isPartOfPage(req)) return toReturnTo(address.publicUrlOf(req))
    const page = toOwnOrigin(req.get('hx-current-url') ?? req.get('referer') ?? '', req, config.origin)
    return page.startsWith(`${config.origin}/`) ? toReturnTo(page) : config.homeUrl
  }
}

/** By the headers of htmx and Turbo. */
function isPartOfPage(req: Request): boolean {
  const isHtmx = req.get('hx-request') === 'true' && req.get('hx-boosted') !== 'true'
  return isHtmx || req.get('turbo-frame') !== undefined
}
