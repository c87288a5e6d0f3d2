import type { NextFunction, Request, RequestHandler, Response } from 'express'
import type { RaiseEvent } from '../audit-events.js'
import { isPpoppoError } from '../errors.js'
import { callBack } from '../lib/call-back.js'
import { type RequestParts, type SignInState, SignInView } from '../request.js'
import { assertSession } from '../session/change-session-id.js'
import type { LandedCookie } from '../session/landed-cookie.js'
import { readPointer, type SignInPointer } from '../session/pointer.js'
import type { OwnSession } from '../session/session.js'
import { type SessionHooks, watchSession } from '../session/watch-session.js'
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
  /** Whether a request only looks at the sign-in, which does not count as use. */
  readonly isPassive: (req: Request) => boolean
}

const SIGNED_OUT: SignInState = { status: 'signed-out' }
const UNAVAILABLE: SignInState = { status: 'unavailable' }

/** Creates `auth.middleware`: finds out who is signed in, and sets `req.ppoppo`. */
export function createMiddleware(parts: MiddlewareParts): RequestHandler {
  const { ownSession, landed, pointerKey, vault, freshness, requestParts, raise, isPassive } = parts
  const { signOut } = requestParts
  let hasSeenSession = false
  let hasWarned = false

  /** An app's express-session silently sends no secure cookie if it believes that a request came by http. */
  function warnOfBlockedCookie(req: Request): void {
    // Only Express sets `secure`: on an upgrade it is missing, and no cookie is sent anyway.
    if (hasWarned || ownSession.owns(req) || req.secure !== false || req.session.cookie?.secure !== true) return
    hasWarned = true
    raise({
      type: 'warning',
      code: 'secure_cookie_blocked',
      detail:
        'A request arrived by http while your session cookie is "secure", so express-session will not send it. Behind a proxy set app.set("trust proxy", <number of proxies>) and let the proxy send X-Forwarded-Proto (nothing to do if the session has "proxy: true"). Without a proxy set cookie.secure to "auto".',
    })
  }

  /** The sign-in that the session points at. @throws `session_missing` */
  function findPointer(req: Request): SignInPointer | undefined | 'unavailable' {
    const stored = ownSession.pointerOf(req)
    if (stored !== 'asked-for') {
      hasSeenSession = true
      return stored
    }
    // While its store is disconnected, express-session sets no `req.session`: that is not the app's mistake.
    if (ownSession.isUnavailable(req) || (!req.session && hasSeenSession)) return 'unavailable'
    const session = assertSession(req)
    hasSeenSession = true
    warnOfBlockedCookie(req)
    return readPointer(session, pointerKey)
  }

  async function findSignIn(req: Request, res: Response, { signInId }: SignInPointer): Promise<SignInState> {
    landed.hasArrived(req, res)
    const found = await vault.read(signInId)
    const isFresh = !found || freshness.isKept(found) || isPassive(req)
    const signIn = isFresh ? found : await freshness.keep(found)
    if (signIn) return { status: 'signed-in', signIn }
    // It was ended elsewhere. If this browser has signed in again since, its newer session must not be touched.
    if ((await vault.fate(signInId)) === 'gone') await signOut.endSessionOfGone(req, res)
    return SIGNED_OUT
  }

  /** If the app ends the session itself, the sign-in in it ends, too. */
  function watch(req: Request, res: Response, view: SignInView, id: string): void {
    const end = (): Promise<void> => {
      view.leave()
      return signOut.endWithSession(id)
    }
    const endIfLeftBehind = (): void => {
      if (view.isSignedIn && readPointer(req.session, pointerKey)?.signInId !== id) void end()
    }
    const hooks: SessionHooks = {
      destroyed: end,
      regenerated: () => {
        if (typeof res.once === 'function') res.once('finish', endIfLeftBehind)
      },
    }
    if (ownSession.owns(req)) ownSession.watch(req, hooks)
    else watchSession(req, hooks)
  }

  return function ppoppoMiddleware(req: Request, res: Response, next: NextFunction): void {
    const proceed = (state: SignInState): void => {
      const view = new SignInView(requestParts, req, res, state)
      req.ppoppo = view
      if (state.signIn) watch(req, res, view, state.signIn.id)
      next()
    }
    const pointer = findPointer(req)
    if (!pointer) return proceed(SIGNED_OUT)
    if (pointer === 'unavailable') return proceed(UNAVAILABLE)
    callBack(findSignIn(req, res, pointer), proceed, (error) => {
      if (!isPpoppoError(error, 'store_unavailable')) return next(error)
      raise({ type: 'store_unavailable', operation: 'sign-in read', detail: error.message })
      proceed(UNAVAILABLE)
    })
  }
}
