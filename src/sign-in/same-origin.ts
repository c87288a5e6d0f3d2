import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { PpoppoError } from '../errors.js'
import { sendProblem } from '../http/problem.js'
import { isOwnPost, wantsHtml } from '../http/request-reading.js'
import type { RouteParts } from './route-parts.js'

/** Methods that change nothing (RFC 9110 9.2.1). */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * Creates `auth.requireSameOrigin()`. The session cookie is `SameSite=Lax`, so a browser leaves it out of a POST that another
 * site starts, but not of one that another origin of the same site starts (blog.example.com to app.example.com). Browsers say
 * in `Sec-Fetch-Site`, `Origin` or `Referer` where a request comes from. One with none of them does not come from a
 * browser, so nobody was tricked into it.
 */
export function createSameOrigin({ config, pages }: Pick<RouteParts, 'config' | 'pages'>): () => RequestHandler {
  function refuse(req: Request, res: Response): void {
    if (wantsHtml(req)) return pages.send(req, res, 'cross_site')
    sendProblem(res, 403, {
      code: 'cross_site',
      title: 'Cross-site request refused',
      detail: 'Send it from the site\'s own origin, or from one in "trustedOrigins".',
    })
  }

  return (...args: readonly unknown[]) => {
    // `app.use(auth.requireSameOrigin)`: Express calls it with a request.
    if (args.length > 0)
      throw new PpoppoError('config_invalid', 'requireSameOrigin returns a handler: write auth.requireSameOrigin()')
    // A statement, because a bundler drops the name of an expression, and the name shows in traces.
    function requireSameOrigin(req: Request, res: Response, next: NextFunction): void {
      if (SAFE_METHODS.has(req.method) || isOwnPost(req, config)) return next()
      refuse(req, res)
    }
    return requireSameOrigin
  }
}
