import type { RequestHandler } from 'express'
import type { Config } from '../config/options.js'

/** Header names, as a browser lists them in a preflight. */
const HEADER_NAMES = /^[\w!#$%&'*+.^`|~, -]{1,1000}$/

/** What {@link createCors} is made of. */
export interface CorsParts {
  readonly config: Pick<Config, 'trustedOrigins'>
  /** The method that the route handles. */
  readonly method: 'GET' | 'POST'
}

/**
 * Lets only scripts of `trustedOrigins` use a route with the person's cookies (CORS). A preflight is answered here;
 * every header is allowed, since none has a meaning for us.
 */
export function createCors({ config: { trustedOrigins }, method }: CorsParts): RequestHandler {
  return function cors(req, res, next) {
    if (trustedOrigins.length === 0) return next()
    res.vary('Origin')
    const origin = req.get('origin')
    if (origin === undefined || !trustedOrigins.includes(origin)) return next()
    res.set({
      'Access-Control-Allow-Origin': origin,
      'Access-Control-Allow-Credentials': 'true',
      'Access-Control-Expose-Headers': 'Retry-After',
    })
    if (req.method !== 'OPTIONS' || req.get('access-control-request-method') === undefined) return next()
    const headers = req.get('access-control-request-headers') ?? ''
    if (HEADER_NAMES.test(headers)) res.set('Access-Control-Allow-Headers', headers)
    res.vary('Access-Control-Request-Headers')
    res.set({ 'Access-Control-Allow-Methods': method, 'Access-Control-Max-Age': '600', 'Cache-Control': 'no-store' })
    res.status(204).end()
  }
}
