import type { Request, Response } from 'express'
import { isPpoppoError } from '../errors.js'
import { newCorrelationId } from '../event-sink.js'
import { within } from '../lib/wait.js'
import { inputOf } from './input.js'
import { sendProblem } from './problem.js'
import { isSameOriginPost, wantsHtml } from './request-kind.js'
import type { RouteParts } from './route-parts.js'

const END_SESSION_MS = 2_000

/** `GET /logout`: a page that asks; changes nothing. */
export function createLogoutConfirm({ pages, toReturnTo }: RouteParts): (req: Request, res: Response) => void {
  return function logoutConfirm(req, res) {
    pages.send(req, res, 'logout_confirm', { returnTo: toReturnTo(inputOf(req, 'return_to')) })
  }
}

/** `POST /logout`: ends the sign-in for good, everywhere with `everywhere=1`. */
export function createLogout(parts: RouteParts): (req: Request, res: Response) => Promise<void> {
  const { config, pages, provider, toReturnTo, raise, runtime } = parts

  return async function logout(req, res) {
    const returnTo = toReturnTo(inputOf(req, 'return_to'))
    const isPerson = wantsHtml(req)
    if (!isSameOriginPost(req, config.origin)) {
      if (isPerson) return pages.send(req, res, 'logout_confirm', { returnTo, status: 403 })
      return sendProblem(res, 403, {
        code: 'cross_site',
        title: 'Not from here',
        detail: 'Signing out takes a POST from the own origin.',
      })
    }
    try {
      await req.ppoppo.signOut({ everywhere: /^(1|true|on|yes)$/.test(inputOf(req, 'everywhere') ?? '') })
    } catch (error) {
      if (!isPpoppoError(error, 'store_unavailable')) throw error
      const correlationId = newCorrelationId(runtime)
      raise({ type: 'store_unavailable', operation: 'sign-out', detail: error.message }, correlationId)
      if (isPerson) return pages.send(req, res, 'logout_unavailable', { returnTo, correlationId })
      return sendProblem(res, 503, { code: error.code, title: 'You are still signed in', detail: error.message }, 5)
    }
    res.set('Cache-Control', 'no-store')
    if (!isPerson) return void res.json({ signedOut: true })
    // PAS being down or slow must not turn a sign-out that has happened into an error.
    const goOnUrl = await within(provider.endSessionUrl(), END_SESSION_MS).catch(() => undefined)
    if (goOnUrl && typeof goOnUrl !== 'symbol')
      return pages.send(req, res, 'logout_go_on', { goOnUrl: goOnUrl.href, returnTo })
    res.redirect(303, returnTo)
  }
}
