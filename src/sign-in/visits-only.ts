import type { RequestHandler, Response } from 'express'
import { sendProblem } from '../http/problem.js'
import { inputOf, isHtmx, visitKindOf, wantsHtml } from '../http/request-reading.js'
import { AFTER_FORM, loginUrlOf } from './login-url.js'
import type { RouteParts } from './route-parts.js'

/**
 * For login and callback: answers HEAD, OPTIONS and every request that is not a person's navigation, before an attempt is
 * counted, begun or consumed.
 */
export function createVisitsOnly(parts: RouteParts): RequestHandler {
  return function visitsOnly(req, res, next) {
    if (!['GET', 'POST', 'HEAD', 'OPTIONS'].includes(req.method)) return next()
    res.set('Cache-Control', 'no-store')
    const kind = visitKindOf(req)
    // A browser discards a failed prefetch, and sends the request again when the person really navigates.
    if (kind === 'prefetch') return void res.status(503).end()
    if (kind === 'foreign' || req.method === 'HEAD' || req.method === 'OPTIONS') return void res.status(204).end()
    if (kind === 'frame') return parts.pages.send(req, res, 'framed', { goOnUrl: loginUrlOf(req, parts) })
    next()
  }
}

/** For login: a script of our own pages cannot follow a redirect to PAS, so the answer says where to send the browser. */
export function createScriptAnswer(parts: RouteParts): RequestHandler {
  return function answerScript(req, res, next) {
    // A login after a guarded form only shows a page.
    if (visitKindOf(req) !== 'script' || inputOf(req, AFTER_FORM) === '1') return next()
    const loginUrl = loginUrlOf(req, parts)
    if (isHtmx(req)) return void res.set('HX-Redirect', loginUrl).status(204).end()
    if (!wantsHtml(req)) return sendNavigationRequired(res, loginUrl)
    // Turbo and similar libraries replace the current page with the answer, but accept no page as the answer to a form.
    if (req.method === 'POST') return res.redirect(303, loginUrl)
    parts.pages.send(req, res, 'login_go_on', { goOnUrl: loginUrl })
  }
}

function sendNavigationRequired(res: Response, loginUrl: string): void {
  sendProblem(res, 400, {
    code: 'navigation_required',
    title: 'Navigation required',
    detail: 'A fetch cannot follow the redirect to Ppoppo. Send the browser to loginUrl with location.assign().',
    loginUrl,
  })
}
