import type { NextFunction, Request, RequestHandler, Response } from 'express'
import expressSession, { type SessionData } from 'express-session'
import onHeaders from 'on-headers'
import type { RaiseEvent } from '../audit-events.js'
import type { Config } from '../config/options.js'
import { callBack } from '../lib/call-back.js'
import { RecentSet } from '../lib/recent-set.js'
import { type Runtime, randomToken } from '../lib/runtime.js'
import type { SessionCommands } from '../store/store.js'
import { mendEnd } from './answer-end.js'
import { cookieNamesOf } from './cookie-names.js'
import { mendHttp2 } from './http2.js'
import { settle } from './renew-session.js'
import { createCookieSender } from './send-cookie.js'
import { createSessionCookie } from './session-cookie.js'
import { isStandIn, makeStandIn, stateOf } from './session-state.js'
import { SessionStore } from './session-store.js'
import type { Visit } from './visit.js'

/** The library's own session. */
export interface OwnSession {
  readonly middleware: RequestHandler
  /** Whether `req.session` comes from here, and not from the app. */
  owns(req: Request): boolean
  /** Whether the session of this request could not be read: nothing is known of this browser. */
  isUnavailable(req: Request): boolean
  /** Whether this browser sent our cookie, valid or not. */
  hasCookie(req: Request): boolean
  /** Whether it sent one whose session nobody knows, and which was not ended here. */
  isLost(req: Request): boolean
  /**
   * Ends the session, takes its cookie out of the browser, and gives the rest of the request a new one, which is kept
   * only if something is put into it.
   * @param carried what the new one begins with: pointers of other instances
   */
  end(req: Request, carried: Readonly<Record<string, unknown>>): Promise<void>
  /** As {@link end}, where the browser may have a newer cookie by now: its cookie is left alone. */
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

/** Between the answer of the store and the session made in its place lies no more than this. */
const LATE_COOKIE_TTL_MS = 10_000

/**
 * express-session with safe defaults. The cookie is sent only when that has a purpose: see `createCookieSender`.
 */
export function createOwnSession(parts: SessionParts): OwnSession {
  const { config, runtime, raise } = parts
  const cookieNames = cookieNamesOf(config)
  const visits = new WeakMap<Request, Visit>()
  const lateCookies = new RecentSet({ ttlMs: LATE_COOKIE_TTL_MS, capacity: 1_000, now: runtime.monotonic })
  const store = new SessionStore({
    commands: parts.commands,
    secrets: parts.secrets,
    idleMs: config.idleMs,
    raise,
    visitOf: (req) => visits.get(req),
    now: runtime.monotonic,
    onDestroyed: parts.onDestroyed,
    onLateCookie: (sid) => lateCookies.add(sid),
  })
  const cookie = createSessionCookie(cookieNames, config.isHttps)
  let secret = ''
  const sender = createCookieSender({
    cookie,
    store,
    idleMs: config.idleMs,
    runtime,
    secret: () => secret,
    isPassive: parts.isPassive,
  })
  const owns = (req: Request): boolean => Object.is(req.sessionStore, store)

  let ready: RequestHandler | undefined
  let withoutSecret: RequestHandler | undefined
  async function handlerFor(): Promise<RequestHandler> {
    try {
      const secrets = await parts.secrets()
      secret = secrets[0] ?? ''
      ready ??= withSecrets(secrets)
      return ready
    } catch (error) {
      // Only where the secret is made and shared through a store that is down: nobody's cookie can be read.
      raise({
        type: 'store_unavailable',
        operation: 'session secret',
        detail: error instanceof Error ? error.message : '',
      })
      withoutSecret ??= asUnavailable(withSecrets([randomToken(runtime, 256)]))
      return withoutSecret
    }
  }

  function asUnavailable(handler: RequestHandler): RequestHandler {
    return (req, res, next) =>
      handler(req, res, (error?: unknown) => {
        if (!error && req.session) makeStandIn(req.session)
        next(error)
      })
  }

  function withSecrets(secrets: readonly string[]): RequestHandler {
    const handler = expressSession({
      name: cookieNames.session,
      secret: [...secrets],
      store,
      resave: false,
      saveUninitialized: false,
      cookie: { httpOnly: true, sameSite: 'lax', path: '/', maxAge: config.idleMs, secure: false },
    })
    const generate = store.generate.bind(store)
    store.generate = (req) => {
      const sent = req.sessionID
      generate(req)
      stateOf(req.session).sentAt = runtime.now()
      store.adopt(req, req.session)
      // The browser has signed out, and perhaps in again: a new cookie would take the place of its newer one.
      if (sent && lateCookies.has(sent)) stateOf(req.session).fate = 'dropped'
    }
    return handler
  }

  async function renew(
    req: Request,
    carried: Readonly<Record<string, unknown>>,
    start: (done: (error?: unknown) => void) => void,
  ): Promise<void> {
    if (!req.session) return
    await settle(start)
    Object.assign(req.session, carried)
    stateOf(req.session).fate = 'dropped-if-empty'
  }

  function beginVisit(req: Request, res: Response): Visit {
    const visit: Visit = { res, end: res.end, hasLeft: false, isEnding: false }
    visits.set(req, visit)
    // on-headers runs last what was registered first: ours sees the cookie that express-session wrote.
    onHeaders(res, () => {
      if (owns(req)) sender.writeCookie(req, visit)
      visit.hasLeft = true
    })
    return visit
  }

  function prepareAnswer(req: Request, visit: Visit, next: NextFunction): void {
    sender.begin(req, visit)
    mendEnd({
      req,
      visit,
      isSaveDue: () => owns(req) && sender.isBlobDue(req, visit),
      next,
      onUnsaved: (detail) => raise({ type: 'warning', code: 'session_not_saved', detail }),
    })
  }

  function loadSession(req: Request, visit: Visit, handler: RequestHandler, next: NextFunction): void {
    cookie.readUnderFormerName(
      req,
      (done) => void handler(req, visit.res as Response, done),
      (wasFormer, error) => {
        if (error || !req.session) return next(error)
        // Under its former name the cookie is as good as never sent.
        if (wasFormer && visit.loadedId) stateOf(req.session).sentAt = undefined
        prepareAnswer(req, visit, next)
        next()
      },
    )
  }

  return {
    middleware: function ppoppoSession(req: Request, res: Response, next: NextFunction): void {
      if (req.session) return next()
      mendHttp2(res)
      const visit = beginVisit(req, res)
      if (ready) loadSession(req, visit, ready, next)
      else callBack(handlerFor(), (handler) => loadSession(req, visit, handler, next), next)
    },
    owns,
    isUnavailable: (req) => isStandIn(req.session),
    hasCookie: (req) => cookie.isSentBy(req),
    isLost(req) {
      const visit = visits.get(req)
      if (!visit || visit.loadedId !== undefined || !owns(req) || !cookie.isSentBy(req)) return false
      return stateOf(req.session).fate === 'kept'
    },
    end: (req, carried) => renew(req, carried, (done) => store.regenerate(req, done)),
    leave: (req, carried) => renew(req, carried, (done) => store.leave(req, done)),
  }
}
