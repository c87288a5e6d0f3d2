import type { NextFunction, Request, RequestHandler, Response } from 'express'
import expressSession from 'express-session'
import onHeaders from 'on-headers'
import type { RaiseEvent } from '../events.js'
import { callBack } from '../lib/call-back.js'
import { RecentSet } from '../lib/recent-set.js'
import { type Runtime, randomToken } from '../lib/runtime.js'
import type { Config } from '../options.js'
import type { SessionCommands } from '../store/store.js'
import { createAnnouncer } from './announce.js'
import { mendEnd } from './answer-end.js'
import { regenerate } from './pointer.js'
import { createSessionCookie } from './session-cookie.js'
import { SessionStore } from './session-store.js'
import { isStandIn, makeStandIn } from './stand-in.js'
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
  /**
   * Ends the session, takes its cookie out of the browser, and gives the rest of the request a new one, which is kept
   * only if something is put into it.
   * @param carried what the new one begins with: pointers of other instances
   */
  end(req: Request, carried: Readonly<Record<string, unknown>>): Promise<void>
}

/** What the session is made of. */
export interface SessionParts {
  readonly config: Pick<Config, 'isHttps' | 'idleMs' | 'mountPath'>
  readonly cookieName: string
  readonly secrets: () => Promise<readonly string[]>
  readonly commands: SessionCommands
  readonly runtime: Runtime
  readonly raise: RaiseEvent
  /** Requests that look at the session without using it. */
  readonly isPassive: (req: Request) => boolean
}

/** Between the answer of the store and the session made in its place lies no more than this. */
const LATE_COOKIE_TTL_MS = 10_000

/**
 * express-session with safe defaults. The cookie leaves only when there is something to say: see `createAnnouncer`.
 */
export function createOwnSession(parts: SessionParts): OwnSession {
  const { config, cookieName, runtime, raise } = parts
  const visits = new WeakMap<Request, Visit>()
  const lateCookies = new RecentSet({ ttlMs: LATE_COOKIE_TTL_MS, capacity: 1_000, now: runtime.now })
  const store = new SessionStore({
    commands: parts.commands,
    secrets: parts.secrets,
    idleMs: config.idleMs,
    raise,
    visitOf: (req) => visits.get(req),
    now: runtime.now,
    onLateCookie: (sid) => lateCookies.add(sid),
  })
  const cookie = createSessionCookie(cookieName, config.isHttps)
  let secret = ''
  const announcer = createAnnouncer({
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
      name: cookieName,
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
      store.markSent(req.session, runtime.now())
      store.adopt(req, req.session)
      // The browser has signed out, and perhaps in again: a new cookie would take the place of its newer one.
      if (sent && lateCookies.has(sent)) store.drop(req.session)
    }
    return handler
  }

  return {
    middleware: function ppoppoSession(req: Request, res: Response, next: NextFunction): void {
      if (req.session) return next()
      const visit: Visit = { res, end: res.end, hasLeft: false, isEnding: false }
      visits.set(req, visit)
      // on-headers runs last what was registered first: ours sees the cookie that express-session wrote.
      onHeaders(res, () => {
        if (owns(req)) announcer.writeCookie(req, visit)
        visit.hasLeft = true
      })
      const proceed = (error?: unknown): void => {
        if (error || !req.session) return next(error)
        announcer.begin(req, visit)
        const isSaveDue = (): boolean => owns(req) && announcer.isBlobDue(req, visit)
        const onUnsaved = (detail: string): void => raise({ type: 'warning', code: 'session_not_saved', detail })
        mendEnd({ req, visit, isSaveDue, next, onUnsaved })
        next()
      }
      if (ready) return void ready(req, res, proceed)
      callBack(handlerFor(), (handler) => void handler(req, res, proceed), next)
    },
    owns,
    isUnavailable: (req) => isStandIn(req.session),
    hasCookie: (req) => cookie.isSentBy(req.headers.cookie),
    async end(req, carried) {
      if (!req.session) return
      await regenerate(req)
      Object.assign(req.session, carried)
      store.dropIfEmpty(req.session)
    },
  }
}
