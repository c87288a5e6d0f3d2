import type { Request, Response } from 'express'
import { newCorrelationId } from '../audit-events.js'
import { isPpoppoError } from '../errors.js'
import { inputOf } from '../http/request-reading.js'
import { appParamsOf, wishesOf } from '../login-link/login-params.js'
import { AFTER_FORM } from './login-url.js'
import type { RouteParts } from './route-parts.js'
import { sendOn } from './send-on.js'

/**
 * `GET/POST /login?return_to=/x`: begins one attempt and sends the browser to PAS. Writes no session, so a store that
 * loses one, or another tab that gets a new one, does not disturb it.
 */
export function createLogin(parts: RouteParts): (req: Request, res: Response) => Promise<void> {
  const { config, rateLimit, provider, transactions, toReturnTo, pages, raise, runtime } = parts

  return async function login(req, res) {
    const returnTo = toReturnTo(inputOf(req, 'return_to'))
    if (inputOf(req, AFTER_FORM) === '1') return pages.send(req, res, 'form_signed_out', { returnTo })
    const correlationId = newCorrelationId(runtime)
    try {
      const [waitMs, authorizationUrl] = await Promise.all([rateLimit.login(req), provider.prepareAuthorization()])
      if (waitMs > 0) {
        raise({ type: 'rate_limited', limit: 'login' }, correlationId)
        return pages.send(req, res, 'rate_limited', { returnTo, correlationId, retryAfterSeconds: waitMs / 1000 })
      }
      const params = await appParamsOf(config, req)
      const maxAge = params['max_age']
      const transaction = await transactions.begin(req, res, returnTo, maxAge === undefined ? maxAge : Number(maxAge))
      const url = authorizationUrl({ ...transaction, params, wishes: wishesOf(req) }).href
      sendOn(req, res, { url, by: 'login_go_on', pages })
    } catch (error) {
      // The app's own mistake, in its `authorizationParams`.
      if (!isPpoppoError(error) || error.code === 'config_invalid') throw error
      const isStore = error.code === 'store_unavailable' || error.code === 'store_full'
      raise(
        isStore
          ? { type: 'store_unavailable', operation: 'login', detail: error.message }
          : { type: 'provider_fault', operation: 'login', code: error.code, detail: error.message },
        correlationId,
      )
      pages.send(req, res, isStore ? 'store_unavailable' : 'provider_unavailable', {
        returnTo,
        correlationId,
        status: 503,
      })
    }
  }
}
