import type { NextFunction, Request } from 'express'
import type { RaiseEvent } from '../audit-events.js'
import { beforeHeaders } from '../lib/before-headers.js'
import { callBack } from '../lib/call-back.js'
import { saveAtEnd } from './answer-end.js'
import { type CookieSender, settingsOf } from './send-cookie.js'
import type { SessionCookie } from './session-cookie.js'
import { isUnasked, offerSession } from './session-on-demand.js'
import { contentText, isStandIn, stateOf } from './session-state.js'
import type { SessionStore } from './session-store.js'
import { toSession } from './session-text.js'
import type { StoredSession } from './stored-session.js'
import { explainUnsavable, hasCookie } from './unsavable.js'
import type { Visit } from './visit.js'

/** The parts that handle a request's session. */
export interface Loading {
  readonly store: SessionStore
  readonly cookie: SessionCookie
  readonly sender: CookieSender
  readonly raise: RaiseEvent
}

/** A request whose session is looked up. */
export interface LoadingRequest {
  readonly req: Request
  readonly visit: Visit
  /** The secrets that sign the cookie; `undefined` if they are not known, so that no cookie can be read. */
  readonly secrets: readonly string[] | undefined
  readonly next: NextFunction
}

/** The listener registered first runs last, so it sees the headers that the app and others have set. */
export function sendCookieWithHeaders({ store, sender, raise }: Loading, req: Request, visit: Visit): void {
  const writeCookie = (): string | undefined => {
    if (!Object.is(req.sessionStore, store)) return undefined
    try {
      return sender.writeCookie(req, visit)
    } catch (error) {
      const fault = isUnasked(req) ? undefined : explainUnsavable(req.session)
      if (!fault) throw error
      Reflect.deleteProperty(req, 'session')
      raise({ type: 'warning', code: 'session_not_saved', detail: fault.message })
      return undefined
    }
  }
  beforeHeaders(visit.res, () => {
    visit.answer = { kind: 'left', sentId: writeCookie() }
  })
}

/** The session whose cookie the browser sent; else a new one, which is kept once something is in it. */
export function loadSession(loading: Loading, { req, visit, secrets, next }: LoadingRequest): void {
  const { store, cookie, sender, raise } = loading
  const proceed = (): void => {
    saveAtEnd({
      req,
      visit,
      isSaveDue: () => isSaveDue(loading, req, visit),
      next,
      onUnsaved: (detail) => raise({ type: 'warning', code: 'session_not_saved', detail }),
    })
    next()
  }
  const beginNew = (): void => {
    visit.came = { kind: 'nothing' }
    offerSession(req, visit, () => store.generateFirst(req))
    if (secrets === undefined) stateOf(req.session).fate = 'stand-in'
    // What is known of its cookie is known for seconds only.
    else if (store.isLate(visit.sessionID)) void req.session
    proceed()
  }

  const named = secrets && cookie.read(req, secrets)
  if (!named) return beginNew()
  const { id } = named
  visit.sessionID = id
  const begin = (found: StoredSession | undefined): void => {
    if (!found) return beginNew()
    // A cookie under the former name counts as never sent, so that it is sent again under the current one.
    const stored = named.isFormer ? { ...found, sentAt: undefined } : found
    const came = sender.begin(req, id, stored)
    visit.came = came
    offerSession(req, visit, () => {
      const session = store.createSession(req, toSession(found))
      stateOf(session).sentAt = stored.sentAt
      came.settings = settingsOf(session)
    })
    // To send its cookie, and to save it.
    if (came.renewal) void req.session
    proceed()
  }
  const giveStandIn = (error: unknown): void => {
    visit.came = { kind: 'nothing' }
    offerSession(req, visit, () => store.standIn(req, error))
    void req.session
    proceed()
  }
  callBack(store.look(id), begin, giveStandIn)
}

/** Whether the session has to be saved before the answer ends. @throws `session_invalid` */
function isSaveDue({ store, sender }: Loading, req: Request, visit: Visit): boolean {
  const { session } = req
  if (!Object.is(req.sessionStore, store) || isStandIn(session)) return false
  if (!hasCookie(session)) throw explainUnsavable(session)
  session.touch()
  const state = stateOf(session)
  const text = contentText(session)
  const isChanged = text !== (state.savedText ?? (state.isRenewed ? undefined : '{}'))
  return sender.isBlobDue(req, visit) || isChanged
}
