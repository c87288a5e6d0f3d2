import type { IncomingMessage, ServerResponse } from 'node:http'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import type { SessionData } from 'express-session'
import type { RaiseEvent } from '../audit-events.js'
import type { Config } from '../config/options.js'
import { beforeHeaders } from '../lib/before-headers.js'
import { callBack } from '../lib/call-back.js'
import { defineHidden } from '../lib/define-hidden.js'
import { createRequestNote, type RequestNote } from '../lib/request-note.js'
import type { Runtime } from '../lib/runtime.js'
import type { SessionCommands } from '../store/store.js'
import { saveAtEnd } from './answer-end.js'
import { settle } from './change-session-id.js'
import { cookieNamesOf } from './cookie-names.js'
import { type CookieSender, createCookieSender } from './send-cookie.js'
import { createSessionCookie, type SessionCookie } from './session-cookie.js'
import { contentText, isStandIn, stateOf } from './session-state.js'
import { SessionStore } from './session-store.js'
import { explainUnsavable, hasCookie } from './unsavable.js'
import { beginVisit, type Visit } from './visit.js'
import type { SessionHooks } from './watch-session.js'

/** The library's own session. */
export interface OwnSession {
  readonly middleware: RequestHandler
  /** Whether `req.session` is ours, and not the app's. */
  owns(req: Request): boolean
  /** Whether the session of this request could not be read, so nothing is known about this browser. */
  isUnavailable(req: Request): boolean
  /** Whether this browser sent our cookie, valid or not. */
  hasCookie(req: Request): boolean
  /** Whether it sent a cookie whose session is unknown, and was not ended here. */
  isLost(req: Request): boolean
  /**
   * The session whose cookie the request carries, without changing anything: for an upgrade, which has no answer.
   * @throws `store_unavailable`
   */
  peek(req: IncomingMessage): Promise<SessionData | undefined>
  /** Calls `hooks` when the app ends the session that came with this request. */
  watch(req: Request, hooks: SessionHooks): void
  /**
   * Ends the session, clears its cookie, and gives the rest of the request a new session, which is kept only if
   * something is put into it.
   * @param carried what the new one begins with: pointers of other instances
   */
  end(req: Request, carried: Readonly<Record<string, unknown>>): Promise<void>
  /** Like {@link end}, but leaves the cookie alone, because the browser may have a newer one by now. */
  leave(req: Request, carried: Readonly<Record<string, unknown>>): Promise<void>
}

/** What the session is made of. */
export interface SessionParts {
  readonly config: Pick<Config, 'clientId' | 'cookieName' | 'isHttps' | 'idleMs'>
  readonly secrets: () => Promise<readonly string[]>
  readonly commands: SessionCommands
  readonly runtime: Runtime
  readonly raise: RaiseEvent
  /** The app has ended a session by its id alone, perhaps of another browser. */
  readonly onDestroyed: (session: SessionData) => Promise<void>
  /** Requests that look at the session without using it. */
  readonly isPassive: (req: Request) => boolean
}

/** The parts that handle a request's session. */
interface Loading {
  readonly visits: RequestNote<Visit>
  readonly store: SessionStore
  readonly cookie: SessionCookie
  readonly sender: CookieSender
  readonly raise: RaiseEvent
}

/**
 * `req.session` as in express-session, with safe defaults. The cookie is sent only when needed: see
 * `createCookieSender`.
 */
export function createOwnSession(parts: SessionParts): OwnSession {
  const { config, raise } = parts
  const visits = createRequestNote<Visit>('ppoppo visit')
  const store = new SessionStore({ ...parts, idleMs: config.idleMs, visitOf: visits.of })
  const cookie = createSessionCookie({ names: cookieNamesOf(config), isHttps: config.isHttps })
  let secrets: readonly string[] | undefined
  const secret = (): string => secrets?.[0] ?? ''
  const sender = createCookieSender({ ...parts, cookie, store, idleMs: config.idleMs, secret })
  const loading: Loading = { visits, store, cookie, sender, raise }
  const owns = (req: Request): boolean => Object.is(req.sessionStore, store)

  async function findSecrets(): Promise<readonly string[] | undefined> {
    try {
      secrets = await parts.secrets()
    } catch (error) {
      // Happens only with a generated secret, shared through a store that is down: no cookie can be read.
      const detail = error instanceof Error ? error.message : ''
      raise({ type: 'store_unavailable', operation: 'session secret', detail })
    }
    return secrets
  }

  return {
    middleware: function ppoppoSession(req: Request, res: Response, next: NextFunction): void {
      if (req.session) return next()
      callWriteHead(res)
      const visit = beginVisit(res)
      visits.set(req, visit)
      ;(req as { sessionStore?: unknown }).sessionStore = store
      sendCookieWithHeaders(loading, req, visit)
      const load = (known: readonly string[] | undefined): void => loadSession(loading, req, visit, known, next)
      if (secrets) load(secrets)
      else callBack(findSecrets(), load, next)
    },
    owns,
    isUnavailable: (req) => isStandIn(req.session),
    hasCookie: (req) => cookie.isSentBy(req),
    isLost(req) {
      if (visits.of(req)?.came.kind !== 'nothing' || !owns(req) || !cookie.isSentBy(req)) return false
      return stateOf(req.session).fate === 'kept'
    },
    async peek(req) {
      const named = cookie.read(req as Request, await parts.secrets())
      return named && ((await store.find(named.id)) ?? undefined)
    },
    watch(req, hooks) {
      const visit = visits.of(req)
      if (visit?.came.kind === 'session') visit.came.hooks.push(hooks)
    },
    end: (req, carried) => startAnother(req, carried, (done) => store.regenerate(req, done)),
    leave: (req, carried) => startAnother(req, carried, (done) => store.leave(req, done)),
  }
}

/**
 * Makes an HTTP/2 answer call `writeHead` before it sends its headers, because that is when cookies are set.
 */
function callWriteHead(res: ServerResponse): void {
  if (typeof Reflect.get(res, 'createPushResponse') !== 'function') return
  const sendHeaders = (): void => {
    if (!res.headersSent) res.writeHead(res.statusCode)
  }
  for (const name of ['write', 'end', 'flushHeaders'] as const) {
    const original = res[name]
    defineHidden(res, name, (...args: unknown[]): unknown => {
      sendHeaders()
      return Reflect.apply(original, res, args)
    })
  }
}

/** The listener registered first runs last, so it sees the headers that the app and others have set. */
function sendCookieWithHeaders({ store, sender, raise }: Loading, req: Request, visit: Visit): void {
  const writeCookie = (): string | undefined => {
    if (!Object.is(req.sessionStore, store)) return undefined
    try {
      return sender.writeCookie(req, visit)
    } catch (error) {
      const fault = explainUnsavable(req.session)
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
function loadSession(
  { store, cookie, sender, raise }: Loading,
  req: Request,
  visit: Visit,
  secrets: readonly string[] | undefined,
  next: NextFunction,
): void {
  const proceed = (): void => {
    saveAtEnd({
      req,
      visit,
      isSaveDue: () => isSaveDue({ store, sender }, req, visit),
      next,
      onUnsaved: (detail) => raise({ type: 'warning', code: 'session_not_saved', detail }),
    })
    next()
  }
  const beginNew = (): void => {
    store.generateFirst(req)
    visit.came = { kind: 'nothing' }
    if (secrets === undefined) stateOf(req.session).fate = 'stand-in'
    proceed()
  }

  const named = secrets && cookie.read(req, secrets)
  if (!named) return beginNew()
  req.sessionID = named.id
  store.get(named.id, (_error, found) => {
    if (!found) return beginNew()
    const session = store.createSession(req, found)
    // A cookie under the former name counts as never sent, so that it is sent again under the current one.
    if (named.isFormer) stateOf(session).sentAt = undefined
    visit.came = isStandIn(session) ? { kind: 'nothing' } : sender.begin(req)
    proceed()
  })
}

/** Whether the session has to be saved before the answer ends. @throws `session_invalid` */
function isSaveDue({ store, sender }: Pick<Loading, 'store' | 'sender'>, req: Request, visit: Visit): boolean {
  const { session } = req
  if (!Object.is(req.sessionStore, store) || isStandIn(session)) return false
  if (!hasCookie(session)) throw explainUnsavable(session)
  session.touch()
  const state = stateOf(session)
  const text = contentText(session)
  const isChanged = text !== (state.savedText ?? (state.isRenewed ? undefined : '{}'))
  return sender.isBlobDue(req, visit) || isChanged
}

async function startAnother(
  req: Request,
  carried: Readonly<Record<string, unknown>>,
  start: (done: (error?: unknown) => void) => void,
): Promise<void> {
  if (!req.session) return
  await settle(start)
  Object.assign(req.session, carried)
  stateOf(req.session).fate = 'dropped-if-empty'
}
