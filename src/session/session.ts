import type { IncomingMessage, ServerResponse } from 'node:http'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import type { SessionData } from 'express-session'
import type { RaiseEvent } from '../audit-events.js'
import type { Config } from '../config/options.js'
import { callBack } from '../lib/call-back.js'
import { defineHidden } from '../lib/define-hidden.js'
import type { Runtime } from '../lib/runtime.js'
import type { SessionCommands } from '../store/store.js'
import { settle } from './change-session-id.js'
import { cookieNamesOf } from './cookie-names.js'
import { type Loading, loadSession, sendCookieWithHeaders } from './load-session.js'
import type { SignInPointer } from './pointer.js'
import { createCookieSender } from './send-cookie.js'
import { createSessionCookie } from './session-cookie.js'
import { isUnasked } from './session-on-demand.js'
import { isStandIn, stateOf } from './session-state.js'
import { SessionStore } from './session-store.js'
import { beginVisit, visitOf } from './visit.js'
import type { SessionHooks } from './watch-session.js'

/** The library's own session. */
export interface OwnSession {
  readonly middleware: RequestHandler
  /** Whether `req.session` is ours, and not the app's. */
  owns(req: Request): boolean
  /**
   * The sign-in that the session of this request points at, as the store has it. Does not make `req.session`; `'asked-for'`
   * if it exists by now, and says it.
   */
  pointerOf(req: Request): SignInPointer | undefined | 'asked-for'
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
  /** The key of the sign-in in a session. */
  readonly pointerKey: string
}

/**
 * `req.session` as in express-session, with safe defaults. The cookie is sent only when needed: see
 * `createCookieSender`.
 */
export function createOwnSession(parts: SessionParts): OwnSession {
  const { config, raise } = parts
  const store = new SessionStore({ ...parts, idleMs: config.idleMs })
  const cookie = createSessionCookie({ names: cookieNamesOf(config), isHttps: config.isHttps })
  let secrets: readonly string[] | undefined
  const secret = (): string => secrets?.[0] ?? ''
  const sender = createCookieSender({ ...parts, cookie, store, idleMs: config.idleMs, secret })
  const loading: Loading = { store, cookie, sender, raise }
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
      if (hasSession(req)) return next()
      callWriteHead(res)
      const visit = beginVisit(req, res)
      ;(req as { sessionStore?: unknown }).sessionStore = store
      sendCookieWithHeaders(loading, req, visit)
      if (secrets) return loadSession(loading, { req, visit, secrets, next })
      callBack(findSecrets(), (found) => loadSession(loading, { req, visit, secrets: found, next }), next)
    },
    owns,
    pointerOf(req) {
      const visit = visitOf(req)
      if (!visit || !owns(req) || !isUnasked(req)) return 'asked-for'
      return visit.came.kind === 'session' ? visit.came.stored.pointer : undefined
    },
    isUnavailable: (req) => !isUnasked(req) && isStandIn(req.session),
    hasCookie: (req) => cookie.isSentBy(req),
    isLost(req) {
      if (visitOf(req)?.came.kind !== 'nothing' || !owns(req) || !cookie.isSentBy(req)) return false
      return stateOf(req.session).fate === 'kept'
    },
    async peek(req) {
      const named = cookie.read(req as Request, await parts.secrets())
      return named && ((await store.find(named.id)) ?? undefined)
    },
    watch(req, hooks) {
      const visit = visitOf(req)
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

/** Whether the request has a session. Does not ask for one. */
function hasSession(req: Request): boolean {
  return isUnasked(req) || Boolean(req.session)
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
