import type { NextFunction, Request, RequestHandler, Response } from 'express'
import type { RaiseEvent } from '../audit-events.js'
import { isPpoppoError } from '../errors.js'
import { callBack } from '../lib/call-back.js'
import { type RequestParts, type SignInState, SignInView } from '../request.js'
import type { LandedCookie } from '../session/landed-cookie.js'
import { readPointer } from '../session/pointer.js'
import { assertSession } from '../session/renew-session.js'
import type { OwnSession } from '../session/session.js'
import { watchSession } from '../session/watch-session.js'
import type { Freshness } from '../user/freshness.js'
import type { Vault } from '../vault/vault.js'

/** What `auth.middleware` needs. */
export interface MiddlewareParts {
  readonly ownSession: OwnSession
  readonly landed: LandedCookie
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
  const { ownSession, landed, pointerKey, vault, freshness, requestParts, raise, isPassive } = parts
  const { signOut } = requestParts
  let hasSeenSession = false
  let hasWarned = false

  /** An app's express-session sends no cookie, and says nothing, where it takes a request for http. */
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

  async function findSignIn(req: Request, res: Response): Promise<SignInState> {
    // express-session leaves `req.session` out while a store says it is disconnected: that is no mistake of the app's.
    if (ownSession.isUnavailable(req) || (!req.session && hasSeenSession)) return { status: 'unavailable' }
    const session = assertSession(req)
    hasSeenSession = true
    warnOfBlockedCookie(req)
    const pointer = readPointer(session, pointerKey)
    if (!pointer) return { status: 'signed-out' }
    landed.hasArrived(req, res)
    const found = await vault.read(pointer.signInId)
    const signIn = found && !isPassive(req) ? await freshness.keep(found) : found
    if (signIn) return { status: 'signed-in', signIn }
    // It was ended elsewhere; where this browser has signed in again since, its newer session is not ours to touch.
    if ((await vault.fate(pointer.signInId)) === 'gone') await signOut.endSessionOfGone(req, res)
    return { status: 'signed-out' }
  }

  /** The app may end the session without us: the sign-in in it ends as well. */
  function watch(req: Request, res: Response, view: SignInView, id: string): void {
    const end = (): Promise<void> => {
      view.leave()
      return signOut.endWithSession(id)
    }
    const endIfLeftBehind = (): void => {
      if (view.isSignedIn && readPointer(req.session, pointerKey)?.signInId !== id) void end()
    }
    watchSession(req, {
      destroyed: end,
      regenerated: () => {
        if (typeof res.once === 'function') res.once('finish', endIfLeftBehind)
      },
    })
  }

  return function ppoppoMiddleware(req: Request, res: Response, next: NextFunction): void {
    const proceed = (state: SignInState): void => {
      const view = new SignInView(requestParts, req, res, state)
      req.ppoppo = view
      if (state.signIn) watch(req, res, view, state.signIn.id)
      next()
    }
    callBack(findSignIn(req, res), proceed, (error) => {
      if (!isPpoppoError(error, 'store_unavailable')) return next(error)
      raise({ type: 'store_unavailable', operation: 'sign-in read', detail: error.message })
      proceed({ status: 'unavailable' })
    })
  }
}
