import type { NextFunction, Request, RequestHandler, Response } from 'express'
import expressSession from 'express-session'
import onHeaders from 'on-headers'
import type { RaiseEvent } from '../events.js'
import { callBack } from '../lib/call-back.js'
import { RecentSet } from '../lib/recent-set.js'
import { type Runtime, randomToken } from '../lib/runtime.js'
import type { Config } from '../options.js'
import { type SessionCommands, TOMBSTONE_TTL_MS } from '../store/store.js'
import { regenerate } from './pointer.js'
import { SessionStore } from './session-store.js'
import { canSetHeaders, clearCookie, cookieLines } from './set-cookie.js'

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
  end(req: Request, res: Response, carried: Readonly<Record<string, unknown>>): Promise<void>
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
/** A renewed cookie leaves within this time, or waits for another response: see `dropLateRenewal`. */
const PROMPT_MS = 1_000
/** Between the answer of the store and the session made in its place lies no more than this. */
const LATE_COOKIE_TTL_MS = 10_000

/**
 * express-session with safe defaults. The cookie is written when a session begins and when a quarter of the idle time
 * has gone, and on no other response: a slow answer to an old request must not put an old session id back over a new one.
 */
export function createOwnSession(parts: SessionParts): OwnSession {
  const { config, cookieName, runtime, raise } = parts
  const ending = new WeakSet<Request>()
  const renewing = new WeakMap<Request, Renewal>()
  /** The session whose cookie left with a response. */
  const announced = new WeakMap<Request, string>()
  const answers = new WeakMap<Request, Response>()
  /** Answers whose headers have left; one that stands in on an upgrade does not say so itself. */
  const departed = new WeakSet<Response>()
  const lateCookies = new RecentSet({ ttlMs: LATE_COOKIE_TTL_MS, capacity: 1_000, now: runtime.now })
  const destroyed = new RecentSet({ ttlMs: TOMBSTONE_TTL_MS, capacity: 10_000, now: runtime.now })
  const store = new SessionStore({
    commands: parts.commands,
    secrets: parts.secrets,
    idleMs: config.idleMs,
    raise,
    isEnding: (req) => ending.has(req),
    isUnannounced: (req) => isUnannounced(req),
    onDestroyed: (sid) => destroyed.add(sid),
    onLateCookie: (sid) => lateCookies.add(sid),
  })
  const cookieAttributes = { httpOnly: true, sameSite: 'lax', path: '/', secure: config.isHttps } as const
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
      withoutSecret ??= asUnavailable(withSecrets([randomToken(runtime, 256)]))
      return withoutSecret
    }
  }

  function asUnavailable(handler: RequestHandler): RequestHandler {
    return (req, res, next) =>
      handler(req, res, (error?: unknown) => {
        if (!error && req.session) store.makeUnavailable(req.session)
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
      // `Secure` is added to the cookie by `writeCookie`: whether a request came by https is configured, not guessed.
      cookie: { httpOnly: true, sameSite: 'lax', path: '/', maxAge: config.idleMs, secure: false },
    })
    const generate = store.generate.bind(store)
    store.generate = (req) => {
      const sent = req.sessionID
      generate(req)
      Object.assign(req.session, { [COOKIE_SENT_AT]: runtime.now() })
      // The browser has signed out, and perhaps in again: a new cookie would take the place of its newer one.
      if (sent && lateCookies.has(sent)) store.drop(req.session)
    }
    return handler
  }

  /**
   * A slow response may leave after its browser got a newer session from another process, whose cookie it must not
   * overwrite. So only a prompt one renews; where all are slow, any does once half of the idle time has gone.
   */
  function dropLateRenewal(req: Request): void {
    const renewal = renewing.get(req)
    if (!renewal || !req.session) return
    const now = runtime.now()
    const isLate = now - renewal.begunAt > PROMPT_MS && now - (renewal.sentAt ?? 0) < config.idleMs / 2
    if (!isLate) return
    renewing.delete(req)
    Reflect.set(req.session, COOKIE_SENT_AT, renewal.sentAt)
  }

  function isCookieWanted(req: Request): boolean {
    if (!req.session || store.isUnavailable(req.session) || store.isDropped(req.session)) return false
    if (destroyed.has(req.sessionID)) return false
    if (store.loadedId(req) !== req.sessionID) return true
    dropLateRenewal(req)
    return renewing.has(req)
  }

  function writeCookie(req: Request, res: Response): void {
    // The app ended the session by itself; express-session would leave its cookie.
    if (!req.session && destroyed.has(store.loadedId(req) ?? '')) clearCookie(res, cookieName, cookieAttributes)
    const lines = cookieLines(res)
    if (!lines.some((line) => cookieLine.test(line))) return
    const isWanted = isCookieWanted(req)
    if (isWanted) announced.set(req, req.sessionID)
    const kept = lines.flatMap((line) => {
      if (!cookieLine.test(line) || isClearing(line)) return [line]
      return isWanted ? [config.isHttps ? `${line}; Secure` : line] : []
    })
    if (kept.length > 0) res.setHeader('Set-Cookie', kept)
    else res.removeHeader('Set-Cookie')
  }

  function isUnannounced(req: Request): boolean {
    const isKnown = store.loadedId(req) === req.sessionID || announced.get(req) === req.sessionID
    const res = answers.get(req)
    return !isKnown && (res === undefined || departed.has(res) || !canSetHeaders(res))
  }

  function begin(req: Request, res: Response): void {
    const end = res.end
    // express-session saves when the response ends; what fails then can reach nobody but `onEvent`.
    res.end = function endSession(this: Response, ...args: unknown[]): Response {
      ending.add(req)
      // express-session decides whether to save before it sends headers.
      if (!res.headersSent) dropLateRenewal(req)
      return Reflect.apply(end, this, args)
    } as Response['end']
    if (store.loadedId(req) === undefined || parts.isPassive(req)) return
    const sentAt = Reflect.get(req.session, COOKIE_SENT_AT)
    const now = runtime.now()
    if (typeof sentAt === 'number' && now - sentAt < config.idleMs / 4) return
    renewing.set(req, { begunAt: now, sentAt: typeof sentAt === 'number' ? sentAt : undefined })
    Reflect.set(req.session, COOKIE_SENT_AT, now)
  }

  return {
    middleware: function ppoppoSession(req: Request, res: Response, next: NextFunction): void {
      if (req.session) return next()
      // on-headers runs last what was registered first: ours sees the cookie that express-session wrote.
      answers.set(req, res)
      onHeaders(res, () => {
        if (owns(req)) writeCookie(req, res)
        departed.add(res)
      })
      const proceed = (error?: unknown): void => {
        if (error) return next(error)
        if (req.session) begin(req, res)
        next()
      }
      if (ready) return void ready(req, res, proceed)
      callBack(handlerFor(), (handler) => void handler(req, res, proceed), next)
    },
    owns,
    isUnavailable: (req) => store.isUnavailable(req.session),
    hasCookie: (req) => inCookieHeader.test(req.headers.cookie ?? ''),
    async end(req, res, carried) {
      const isEmpty = Object.keys(carried).length === 0
      if (isEmpty) clearCookie(res, cookieName, cookieAttributes)
      if (!req.session) return
      await regenerate(req)
      Object.assign(req.session, carried)
      if (isEmpty) store.dropIfEmpty(req.session, [COOKIE_SENT_AT])
    },
  }
}

/** A request that renews cookie and blob. */
interface Renewal {
  readonly begunAt: number
  /** Of the cookie before. */
  readonly sentAt: number | undefined
}

function isClearing(line: string): boolean {
  return /; Expires=Thu, 01 Jan 1970/i.test(line)
}
