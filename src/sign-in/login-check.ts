import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { PpoppoError } from '../errors.js'
import type { RequestAddress } from '../http/request-address.js'
import { assertSession } from '../session/change-session-id.js'

/*
 * A login itself needs neither session nor `req.ppoppo`, its callback does. Both pass the same middleware, so a login can say
 * what is missing before the person is sent to PAS for nothing.
 */

/** What the check of a login needs. */
export interface LoginCheckParts {
  readonly address: RequestAddress
}

/**
 * For `auth` with `session: false`: after it nothing more can bring a session. Passes on what is not a login, since
 * `auth.middleware` says the same of all other requests.
 *
 * The handler throws `session_missing` for a login without a usable session.
 */
export function createSessionCheck({ address }: LoginCheckParts): RequestHandler {
  let hasSeenSession = false
  return function ppoppoSessionCheck(req, _res, next) {
    if (typeof req.session?.regenerate === 'function') hasSeenSession = true
    // Without one after there were some: express-session sets none while its store is disconnected.
    else if ((req.session || !hasSeenSession) && isLogin(req, address)) assertSession(req)
    next()
  }
}

/** For `auth.router`, which comes after `auth.middleware`: a login needs it too, as {@link needsMiddleware} says. */
export function createMiddlewareCheck({ address }: LoginCheckParts): RequestHandler {
  return function ppoppoMiddlewareCheck(req, res, next) {
    if (req.ppoppo || !isLogin(req, address)) return next()
    needsMiddleware(req, res, next)
  }
}

/** Passes `session_missing` on for a request without `req.ppoppo`. */
export function needsMiddleware(req: Request, _res: Response, next: NextFunction): void {
  next(
    req.ppoppo
      ? undefined
      : new PpoppoError('session_missing', 'auth.router found no req.ppoppo: mount auth.middleware before it.'),
  )
}

function isLogin(req: Request, address: RequestAddress): boolean {
  return (req.method === 'GET' || req.method === 'POST') && address.routeOf(req) === '/login'
}
