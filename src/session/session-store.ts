import { RedisStore } from 'connect-redis'
import type { Request } from 'express'
import session, { type SessionData } from 'express-session'
import type { RaiseEvent } from '../audit-events.js'
import { callBack } from '../lib/call-back.js'
import { defineHidden } from '../lib/define-hidden.js'
import { isPlainObject } from '../lib/guards.js'
import { RecentSet } from '../lib/recent-set.js'
import { type SessionCommands, TOMBSTONE_TTL_MS } from '../store/store.js'
import { createBlobClient } from './blob-client.js'
import { isDropped, isStandIn, makeStandIn, standInError, stateOf } from './session-state.js'
import { faultOf } from './unsaveable.js'
import { canSendCookie, isUnreachable, type Visit } from './visit.js'

type Done = (error?: unknown) => void

/** What the session store is made of. */
export interface SessionStoreParts {
  /** The commands of the store behind it. */
  readonly commands: SessionCommands
  /** Those that sign the cookie; blob and cookie are renewed together, so they rotate together. */
  readonly secrets: () => Promise<readonly string[]>
  /** How long an unused session lives, in milliseconds. */
  readonly idleMs: number
  /** Reports outages and sessions that could not be saved. */
  readonly raise: RaiseEvent
  /** The state of a request; `undefined` for a request that did not come through the middleware. */
  readonly visitOf: (req: Request) => Visit | undefined
  /** A clock that is never set, in milliseconds. */
  readonly now: () => number
  /** Called with the content of a session that was ended by its id alone. */
  readonly onDestroyed: (session: SessionData) => Promise<void>
  /** Called for a late cookie: its session has ended, perhaps in another process, and that answer cleared the cookie. */
  readonly onLateCookie: (sid: string) => void
}

/** When the cookie was sent last, in the stored blob only: what the app sees of a session holds nothing of ours. */
const COOKIE_SENT_AT = 'ppoppo:cookie'

/**
 * connect-redis behind what express-session lacks: while the store fails, a request gets an empty session under the
 * same id that is never written, and its cookie stays; a session that was destroyed cannot be written back.
 */
export class SessionStore extends session.Store {
  /** Put there by express-session: gives `req` a new session. */
  declare generate: (req: Request) => void
  readonly #inner: RedisStore
  readonly #parts: SessionStoreParts
  /** Ids of sessions that ended in this process a moment ago. */
  readonly #ended: RecentSet

  constructor(parts: SessionStoreParts) {
    super()
    this.#parts = parts
    this.#ended = new RecentSet({ ttlMs: TOMBSTONE_TTL_MS, capacity: 10_000, now: parts.now })
    this.#inner = new RedisStore({
      client: createBlobClient(parts.commands, parts.secrets),
      prefix: '',
      ttl: Math.ceil(parts.idleMs / 1000),
      serializer: { parse: JSON.parse, stringify: (data) => this.#toText(data) },
    })
    // The scripts behind `commands` do what touch would; without the method express-session does not touch.
    Object.defineProperty(this, 'touch', { value: undefined })
  }

  override get(sid: string, done: (error: unknown, session?: SessionData | null) => void): void {
    callBack(
      this.#read(sid),
      (found) => done(null, found),
      (error: unknown) => {
        this.#parts.raise({ type: 'store_unavailable', operation: 'session read', detail: describe(error) })
        const standIn = {
          cookie: { originalMaxAge: this.#parts.idleMs, path: '/', httpOnly: true, sameSite: 'lax' as const },
        }
        stateOf(standIn).fate = 'stand-in'
        done(null, standIn)
      },
    )
  }

  override set(sid: string, data: SessionData, done: Done = () => {}): void {
    if (isStandIn(data)) return done(standInError())
    if (isDropped(data)) return done()
    const visit = this.#visitOf(data)
    if (visit && isUnreachable(visit, sid)) {
      this.#reportUnsaved('A session was begun after the headers had left, so its cookie cannot: write to it earlier.')
      return done()
    }
    stateOf(data).isStored = true
    callBack(
      this.#inner.set(sid, data),
      () => done(),
      (error: unknown) => {
        if (!visit?.isEnding) return done(error)
        // express-session would call the app's error handler on a response that is gone already.
        this.#reportUnsaved(describe(error))
        done()
      },
    )
  }

  #reportUnsaved(detail: string): void {
    this.#parts.raise({ type: 'warning', code: 'session_not_saved', detail })
  }

  /** Ends a session from anywhere. Its browser keeps the old cookie, so the next session there may set a new one. */
  override destroy(sid: string, done: Done = () => {}): void {
    const ends = this.#find(sid).then((found) =>
      Promise.all([this.#end(sid, false), found && this.#parts.onDestroyed(found)]),
    )
    callBack(ends, () => done(), done)
  }

  /** Ends the session of a request, whose answer takes the cookie out of the browser, or brings another. */
  endOf(req: Request, session: session.Session | undefined, done: Done = () => {}): void {
    // It has ended before; and what was never stored needs no tombstone: a flood of visitors leaves nothing behind.
    if (!session || !stateOf(session).isStored) return process.nextTick(done)
    const visit = this.#parts.visitOf(req)
    // Where another answer has told it already, the browser may have signed in again since.
    const isFirst = visit?.loadedId === session.id && !this.hasEnded(session.id)
    const isTold = visit !== undefined && isFirst && canSendCookie(visit)
    if (isTold) visit.endedId = session.id
    callBack(
      this.#end(session.id, isTold),
      () => done(),
      (error) => {
        if (isTold) delete visit.endedId
        done(error)
      },
    )
  }

  async #end(sid: string, isTold: boolean): Promise<void> {
    const { commands } = this.#parts
    const told = isTold ? commands.set(endedMark(sid), '1', TOMBSTONE_TTL_MS / 1000) : undefined
    await Promise.all([this.#inner.destroy(sid), told])
    this.#ended.add(sid)
  }

  /** Whether this session has ended in this process. */
  hasEnded(sid: string): boolean {
    return this.#ended.has(sid)
  }

  override regenerate(req: Request, done: Done): void {
    this.endOf(req, req.session, this.#thenGenerate(req, done))
  }

  /** As {@link regenerate}, but the cookie in the browser is left alone. */
  leave(req: Request, done: Done): void {
    const generate = this.#thenGenerate(req, done)
    callBack(this.#end(req.sessionID, false), () => generate(), generate)
  }

  #thenGenerate(req: Request, done: Done): Done {
    return (error) => {
      // Unlike express-session's: a session that could not be ended is not left behind alive.
      if (error) return done(error)
      this.generate(req)
      done()
    }
  }

  override createSession(req: Request, data: SessionData): session.Session & SessionData {
    const created = super.createSession(req, data)
    if (isStandIn(data)) {
      makeStandIn(created)
    } else {
      const visit = this.#parts.visitOf(req)
      if (visit) visit.loadedId = req.sessionID
      Object.assign(stateOf(created), stateOf(data), { isStored: true })
      this.adopt(req, created)
    }
    return created
  }

  /** Makes `req.session.destroy()` end the session that came with this request. */
  adopt(req: Request, created: session.Session): void {
    defineHidden(created, 'destroy', (done?: Done) => {
      Reflect.deleteProperty(req, 'session')
      this.endOf(req, created, done)
      return created
    })
  }

  #toText(data: object): string {
    const { sentAt } = stateOf(data)
    const text: string | undefined = JSON.stringify(data)
    // A toJSON of the app's own: anything else would take the place of a session that can be read.
    if (!text?.startsWith('{')) throw faultOf(data)
    return sentAt === undefined ? text : `${text.slice(0, -1)},"${COOKIE_SENT_AT}":${sentAt}}`
  }

  #visitOf(data: SessionData): Visit | undefined {
    return 'req' in data ? this.#parts.visitOf(data.req as Request) : undefined
  }

  async #find(sid: string): Promise<SessionData | undefined> {
    const found: unknown = await this.#inner.get(sid).catch(noneWhereGarbled)
    if (!isPlainObject(found) || !isPlainObject(found['cookie'])) return undefined
    const { [COOKIE_SENT_AT]: sentAt, cookie, ...content } = found
    const data = { cookie: toCookie(cookie), ...content }
    if (typeof sentAt === 'number') stateOf(data).sentAt = sentAt
    return data
  }

  async #read(sid: string): Promise<SessionData | null> {
    const found = await this.#find(sid)
    if (found) return found
    if ((await this.#parts.commands.get(endedMark(sid))) !== null) this.#parts.onLateCookie(sid)
    return null
  }
}

/**
 * Lies beside the tombstone of a session whose cookie was taken out of the browser, for as long: `commands.get` answers
 * the same for a tombstone and for nothing, and a cookie that comes late must set no other. No session id has a
 * colon.
 */
function endedMark(sid: string): string {
  return `ended:${sid}`
}

/** A blob that is no JSON is none; a store that fails is another matter. */
function noneWhereGarbled(error: unknown): null {
  if (error instanceof SyntaxError) return null
  throw error
}

function toCookie(stored: unknown): SessionData['cookie'] {
  return stored as SessionData['cookie'] // express-session wrote it, and makes a Cookie of it
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error'
}
