import type { Request, RequestHandler, Response } from 'express'
import { newCorrelationId } from '../audit-events.js'
import { isPpoppoError } from '../errors.js'
import { challenge } from '../http/answer-headers.js'
import { toOwnOrigin } from '../http/asked-host.js'
import { sendProblem } from '../http/problem.js'
import { flagOf, inputOf, isFormOfBrowser, isNavigation, isOwnPost, wantsHtml } from '../http/request-reading.js'
import { GO_ON } from '../pages/view.js'
import { isElsewhere, MOVED } from './move-to-base-url.js'
import { refuseBody } from './read-form.js'
import type { RouteParts } from './route-parts.js'

/**
 * `GET /logout`: a page that asks for confirmation, or says that nobody is signed in. It changes nothing. Cookies of `baseUrl`
 * do not reach any other host, so a browser that opened another one is redirected to `baseUrl` first.
 */
export function createLogoutConfirm({ config, pages, toReturnTo }: RouteParts): (req: Request, res: Response) => void {
  return function logoutConfirm(req, res) {
    const wanted = inputOf(req, 'return_to')
    const returnTo = toReturnTo(wanted === undefined ? wanted : toOwnOrigin(wanted, req, config.origin))
    if (req.ppoppo.status === 'signed-out' && isElsewhere(req, config)) {
      const query = new URLSearchParams({ return_to: returnTo, [MOVED]: '1' })
      return res.set('Cache-Control', 'no-store').redirect(302, `${config.origin}${config.mountPath}/logout?${query}`)
    }
    const page = req.ppoppo.status === 'signed-out' ? 'signed_out' : 'logout_confirm'
    pages.send(req, res, page, { returnTo })
  }
}

/** Rejects a POST from another site, before its body is read. */
export function createOwnPostsOnly({ config, pages, toReturnTo }: RouteParts): RequestHandler {
  return function ownPostsOnly(req, res, next) {
    if (isOwnPost(req, config)) return next()
    if (wantsHtml(req)) {
      const returnTo = toReturnTo(inputOf(req, 'return_to'))
      return pages.send(req, res, 'logout_confirm', { returnTo, status: 403 })
    }
    sendProblem(res, 403, {
      code: 'cross_site',
      title: 'Cross-site request refused',
      detail: 'POST to this URL from the site\'s own origin, or from one in "trustedOrigins".',
    })
  }
}

/** `POST /logout`: ends the sign-in, with `everywhere=1` all sign-ins of the person. */
export function createLogout(parts: RouteParts): (req: Request, res: Response) => Promise<void> {
  const { pages, toReturnTo, raise, runtime } = parts
  const answer = createAnswer(parts)

  return async function logout(req, res) {
    const returnTo = toReturnTo(inputOf(req, 'return_to'))
    const everywhere = flagOf(req, 'everywhere')
    if (everywhere === undefined) return refuseBody(parts, req, res, 400)
    // Without a sign-in, there is no telling whose other browsers are meant.
    if (everywhere && req.ppoppo.status === 'signed-out') return refuseEverywhere(parts, req, res, returnTo)
    try {
      await req.ppoppo.signOut({ everywhere })
    } catch (error) {
      if (!isPpoppoError(error, 'store_unavailable')) throw error
      const correlationId = newCorrelationId(runtime)
      raise({ type: 'store_unavailable', operation: 'sign-out', detail: error.message }, correlationId)
      if (wantsHtml(req)) return pages.send(req, res, 'logout_unavailable', { returnTo, correlationId })
      return sendProblem(res, 503, { code: error.code, title: 'You are still signed in', detail: error.message }, 5)
    }
    await answer(req, res, returnTo)
  }
}

/** Creates what answers a completed sign-out. */
function createAnswer({ config, pages, signOutAtPas }: RouteParts) {
  return async (req: Request, res: Response, returnTo: string): Promise<void> => {
    res.set('Cache-Control', 'no-store')
    if (!wantsHtml(req)) return void res.json({ signedOut: true })
    const goOnUrl = await signOutAtPas.endSessionUrl()
    if (goOnUrl !== undefined) return pages.send(req, res, 'logout_go_on', { goOnUrl, returnTo })
    const isOwn = returnTo.startsWith(`${config.origin}/`)
    // Off the site by a page, see `redirectOffSite`; so too to where a guard may redirect to PAS.
    if (isFormOfBrowser(req) && (!isOwn || inputOf(req, GO_ON) === '1'))
      return pages.send(req, res, 'signed_out', { goOnUrl: returnTo, returnTo })
    if (isOwn) return res.redirect(303, returnTo)
    // A script such as Turbo's gets a page with the link.
    if (isNavigation(req)) return res.redirect(303, returnTo)
    res.redirect(303, `${config.origin}${config.mountPath}/logout?${new URLSearchParams({ return_to: returnTo })}`)
  }
}

function refuseEverywhere({ config, pages }: RouteParts, req: Request, res: Response, returnTo: string): void {
  if (wantsHtml(req)) return pages.send(req, res, 'everywhere_signed_out', { returnTo })
  challenge(res, config)
  sendProblem(res, 401, {
    code: 'signed_out',
    title: 'Not signed in',
    detail: 'Nobody is signed in in this browser, so no other sign-ins were ended. Sign in, then sign out everywhere.',
    loginUrl: `${config.origin}${config.mountPath}/login`,
  })
}
