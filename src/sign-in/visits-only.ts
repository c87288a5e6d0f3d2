import type { RequestHandler, Response } from 'express'
import { sendProblem } from '../http/problem.js'
import { inputOf, isHtmx, visitKindOf, wantsHtml } from '../http/request-reading.js'
import { AFTER_FORM, loginUrlOf } from './login-url.js'
import type { RouteParts } from './route-parts.js'

/**
 * For login and callback: HEAD, OPTIONS and what nobody wanted to go to end here, before anything is counted, begun or
 * spent. Each is answered with what it can use.
 */
export function createVisitsOnly(parts: RouteParts): RequestHandler {
  return function visitsOnly(req, res, next) {
    if (!['GET', 'POST', 'HEAD', 'OPTIONS'].includes(req.method)) return next()
    res.set('Cache-Control', 'no-store')
    const kind = visitKindOf(req)
    // A browser throws a prefetch that failed away, and asks again when the person really comes.
    if (kind === 'prefetch') return void res.status(503).end()
    if (kind === 'foreign' || req.method === 'HEAD' || req.method === 'OPTIONS') return void res.status(204).end()
    if (kind === 'frame') return parts.pages.send(req, res, 'framed', { goOnUrl: loginUrlOf(req, parts) })
    next()
  }
}

/** For login: a script of our own pages cannot follow to PAS, so it is told where to send the browser. */
export function createScriptAnswer(parts: RouteParts): RequestHandler {
  return function answerScript(req, res, next) {
    // What follows a guarded form begins nothing.
    if (visitKindOf(req) !== 'script' || inputOf(req, AFTER_FORM) === '1') return next()
    const loginUrl = loginUrlOf(req, parts)
    if (isHtmx(req)) return void res.set('HX-Redirect', loginUrl).status(204).end()
    if (!wantsHtml(req)) return sendNavigationRequired(res, loginUrl)
    // Turbo and its like put the page in place of the present one, and take none as the answer to a form.
    if (req.method === 'POST') return res.redirect(303, loginUrl)
    parts.pages.send(req, res, 'login_go_on', { goOnUrl: loginUrl })
  }
}

function sendNavigationRequired(res: Response, loginUrl: string): void {
  sendProblem(res, 400, {
    code: 'navigation_required',
    title: 'Sign-in takes a navigation',
    detail: 'A fetch cannot follow a sign-in to Ppoppo. Send the browser to loginUrl, with location.assign().',
    loginUrl,
  })
}
