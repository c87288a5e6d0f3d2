import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { isPpoppoError } from '../errors.js'
import type { RaiseEvent } from '../events.js'
import { callBack } from '../lib/call-back.js'
import { type RequestParts, type SignInState, SignInView } from '../request.js'
import { assertSession, readPointer } from '../session/pointer.js'
import type { OwnSession } from '../session/session.js'
import type { Freshness } from '../user/freshness.js'
import type { Vault } from '../vault/vault.js'

/** What `auth.middleware` needs. */
export interface MiddlewareParts {
  readonly ownSession: OwnSession
  readonly pointerKey: string
  readonly vault: Vault
  readonly freshness: Freshness
  readonly requestParts: RequestParts
  readonly raise: RaiseEvent
  /** Requests that look at the sign-in without using it. */
  readonly isPassive: (req: Request) => boolean
}

/** Finds out who is signed in and puts `req.ppoppo` there. */
export function createMiddleware(parts: MiddlewareParts): RequestHandler {
  const { ownSession, pointerKey, vault, freshness, requestParts, raise, isPassive } = parts
  let hasSeenSession = false
  let hasWarned = false

  /** An app's express-session sends no cookie, and says nothing, where it takes a request for http (C40). */
  function warnOfBlockedCookie(req: Request): void {
    // Only Express knows `secure`: on an upgrade nobody does, and no cookie is sent anyway.
    if (hasWarned || ownSession.owns(req) || req.secure !== false || req.session.cookie?.secure !== true) return
    hasWarned = true
    raise({
      type: 'warning',
      code: 'secure_cookie_blocked',
      detail:
        'A request arrived by http while your session cookie is "secure", so express-session will not send it. Behind a proxy set app.set("trust proxy", <number of proxies>) and let the proxy send X-Forwarded-Proto (where the session has "proxy: true", all is well). Without a proxy set cookie.secure to "auto".',
    })
  }

  async function findSignIn(req: Request): Promise<SignInState> {
    // express-session leaves `req.session` out while a store says it is disconnected: that is no mistake of the app's.
    if (ownSession.isUnavailable(req) || (!req.session && hasSeenSession)) return { status: 'unavailable' }
    const session = assertSession(req)
    hasSeenSession = true
    warnOfBlockedCookie(req)
    const pointer = readPointer(session, pointerKey)
    if (!pointer) return { status: 'signed-out' }
    const found = await vault.read(pointer.signInId)
    const signIn = found && !isPassive(req) ? await freshness.keep(found) : found
    return signIn ? { status: 'signed-in', signIn } : { status: 'signed-out' }
  }

  return function ppoppoMiddleware(req: Request, res: Response, next: NextFunction): void {
    const proceed = (state: SignInState): void => {
      req.ppoppo = new SignInView(requestParts, req, res, state)
      next()
    }
    callBack(findSignIn(req), proceed, (error) => {
      if (!isPpoppoError(error, 'store_unavailable')) return next(error)
      raise({ type: 'store_unavailable', operation: 'sign-in read', detail: error.message })
      proceed({ status: 'unavailable' })
    })
  }
}
