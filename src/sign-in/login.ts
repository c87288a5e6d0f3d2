import type { Request, Response } from 'express'
import { newCorrelationId } from '../audit-events.js'
import { isPpoppoError } from '../errors.js'
import { inputOf } from '../http/request-reading.js'
import { appParamsOf, wishesOf } from '../login-link/login-params.js'
import { AFTER_FORM } from './login-url.js'
import { redirectOffSite } from './redirect-off-site.js'
import type { RouteParts } from './route-parts.js'

/**
 * `GET/POST /login?return_to=/x`: begins a login attempt and redirects the browser to PAS. Writes no session, so it does not
 * matter if the store loses one or another tab gets a new one.
 */
export function createLogin(parts: RouteParts): (req: Request, res: Response) => Promise<void> {
  const { config, rateLimit, provider, transactions, toReturnTo, pages, raise, runtime } = parts

  return async function login(req, res) {
    const returnTo = toReturnTo(inputOf(req, 'return_to'))
    if (inputOf(req, AFTER_FORM) === '1') return pages.send(req, res, 'form_signed_out', { returnTo })
    try {
      const limit = rateLimit.login(req)
      // The step that stores the attempt counts it, too. Only the app's own function must not run above the limit.
      const isCountedFirst = typeof config.authorizationParams === 'function'
      const [firstWaitMs, authorizationUrl] = await Promise.all([
        isCountedFirst ? limit?.limiter.consume(limit.key) : 0,
        provider.prepareAuthorization(),
      ])
      if (firstWaitMs) return sendRateLimited(req, res, { returnTo, waitMs: firstWaitMs })
      const params = await appParamsOf(config, req)
      const maxAge = params['max_age']
      const maxAgeSeconds = maxAge === undefined ? maxAge : Number(maxAge)
      const attempt = { returnTo, maxAgeSeconds, limit: isCountedFirst ? undefined : limit }
      const { transaction, waitMs } = await transactions.begin(req, res, attempt)
      if (!transaction) return sendRateLimited(req, res, { returnTo, waitMs })
      const url = authorizationUrl({ ...transaction, params, wishes: wishesOf(req) }).href
      redirectOffSite(req, res, { url, page: 'login_go_on', pages })
    } catch (error) {
      sendUnavailable(req, res, { error, returnTo })
    }
  }

  function sendRateLimited(
    req: Request,
    res: Response,
    { returnTo, waitMs }: { readonly returnTo: string; readonly waitMs: number },
  ): void {
    const correlationId = newCorrelationId(runtime)
    raise({ type: 'rate_limited', limit: 'login' }, correlationId)
    pages.send(req, res, 'rate_limited', { returnTo, correlationId, retryAfterSeconds: waitMs / 1000 })
  }

  /** @throws `error` itself, if neither PAS nor the store is to blame */
  function sendUnavailable(
    req: Request,
    res: Response,
    { error, returnTo }: { readonly error: unknown; readonly returnTo: string },
  ): void {
    // `config_invalid` is the app's own mistake, in its `authorizationParams`.
    if (!isPpoppoError(error) || error.code === 'config_invalid') throw error
    const correlationId = newCorrelationId(runtime)
    const isStore = error.code === 'store_unavailable' || error.code === 'store_full'
    raise(
      isStore
        ? { type: 'store_unavailable', operation: 'login', detail: error.message }
        : { type: 'provider_fault', operation: 'login', code: error.code, detail: error.message },
      correlationId,
    )
    const page = isStore ? 'store_unavailable' : 'provider_unavailable'
    pages.send(req, res, page, { returnTo, correlationId, status: 503 })
  }
}
