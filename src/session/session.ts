import type { NextFunction, Request, RequestHandler, Response } from 'express'
import expressSession from 'express-session'
import onHeaders from 'on-headers'
import type { RaiseEvent } from '../events.js'
import { RecentSet } from '../lib/recent-set.js'
import { type Runtime, randomToken } from '../lib/runtime.js'
import type { Config } from '../options.js'
import { type SessionCommands, TOMBSTONE_TTL_MS } from '../store/store.js'
import { regenerate } from './pointer.js'
import { SessionStore } from './session-store.js'

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
   */
  end(req: Request, res: Response): Promise<void>
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

/** When the cookie was last sent, in the session itself: cookie and blob are renewed together, and seldom. */
const COOKIE_SENT_AT = 'ppoppo:cookie'

/**
 * express-session with safe defaults. The cookie is written when a session begins and when a quarter of the idle time
 * has gone, and on no other response: a slow answer to an old request must not put an old session id back over a new one.
 */
export function createOwnSession(parts: SessionParts): OwnSession {
  const { config, cookieName, runtime, raise } = parts
  const ending = new WeakSet<Request>()
  const renewing = new WeakSet<Request>()
  const destroyed = new RecentSet({ ttlMs: TOMBSTONE_TTL_MS, capacity: 10_000, now: runtime.now })
  const store = new SessionStore({
    commands: parts.commands,
    idleMs: config.idleMs,
    raise,
    isEnding: (req) => ending.has(req),
    onDestroyed: (sid) => destroyed.add(sid),
  })
  const cookieLine = new RegExp(`^${cookieName.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&')}=`)
  const inCookieHeader = new RegExp(`(?:^|;\\s*)${cookieName.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&')}=`)

  const owns = (req: Request): boolean => Object.is(req.sessionStore, store)

  let ready: RequestHandler | undefined
  let withoutSecret: RequestHandler | undefined
  async function handlerFor(): Promise<RequestHandler> {
    try {
      ready ??= withSecrets(await parts.secrets())
      return ready
    } catch (error) {
      // Only where the secret is made and shared through a store that is down: nobody's cookie can be read.
      raise({
        type: 'store_unavailable',
        operation: 'session secret',
        detail: error instanceof Error ? error.message : '',
      })
      withoutSecret ??= withSecrets([randomToken(runtime, 256)])
      return withoutSecret
    }
  }

  function withSecrets(secrets: readonly string[]): RequestHandler {
    const handler = expressSession({
      name: cookieName,
      secret: [...secrets],
      store,
      resave: false,
      saveUninitialized: false,
      // `Secure` is added to the cookie by `writeCookie`: whether a request came by https is configured, not guessed.
      cookie: { httpOnly: true, sameSite: 'lax', path: '/', maxAge: config.idleMs, secure: false },
    })
    const generate = store.generate.bind(store)
    store.generate = (req) => {
      generate(req)
      Object.assign(req.session, { [COOKIE_SENT_AT]: runtime.now() })
    }
    return handler
  }

  function writeCookie(req: Request, res: Response): void {
    const lines = [res.getHeader('Set-Cookie') ?? []].flat().map(String)
    if (!lines.some((line) => cookieLine.test(line))) return
    const isSameId = store.loadedId(req) === req.sessionID
    const isWanted =
      !store.isUnavailable(req.session) &&
      !store.isDropped(req.session) &&
      !destroyed.has(req.sessionID) &&
      (!isSameId || renewing.has(req))
    const kept = lines.flatMap((line) => {
      if (!cookieLine.test(line) || isClearing(line)) return [line]
      return isWanted ? [config.isHttps ? `${line}; Secure` : line] : []
    })
    if (kept.length > 0) res.setHeader('Set-Cookie', kept)
    else res.removeHeader('Set-Cookie')
  }

  function begin(req: Request, res: Response): void {
    const end = res.end
    // express-session saves when the response ends; what fails then can reach nobody but `onEvent`.
    res.end = function endSession(this: Response, ...args: unknown[]): Response {
      ending.add(req)
      return Reflect.apply(end, this, args)
    } as Response['end']
    if (store.loadedId(req) === undefined || parts.isPassive(req)) return
    const sentAt = Reflect.get(req.session, COOKIE_SENT_AT)
    if (typeof sentAt === 'number' && runtime.now() - sentAt < config.idleMs / 4) return
    renewing.add(req)
    Reflect.set(req.session, COOKIE_SENT_AT, runtime.now())
  }

  return {
    middleware: function ppoppoSession(req: Request, res: Response, next: NextFunction): void {
      if (req.session) return next()
      // on-headers runs last what was registered first: ours sees the cookie that express-session wrote.
      onHeaders(res, () => {
        if (owns(req)) writeCookie(req, res)
      })
      const proceed = (error?: unknown): void => {
        if (error) return next(error)
        if (req.session) begin(req, res)
        next()
      }
      if (ready) return void ready(req, res, proceed)
      handlerFor().then((handler) => handler(req, res, proceed), next)
    },
    owns,
    isUnavailable: (req) => store.isUnavailable(req.session),
    hasCookie: (req) => inCookieHeader.test(req.headers.cookie ?? ''),
    async end(req, res) {
      await regenerate(req)
      store.dropIfEmpty(req.session, [COOKIE_SENT_AT])
      res.clearCookie(cookieName, { httpOnly: true, sameSite: 'lax', path: '/', secure: config.isHttps })
    },
  }
}

function isClearing(line: string): boolean {
  return /; Expires=Thu, 01 Jan 1970/i.test(line)
}
