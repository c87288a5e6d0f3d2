import type { Request } from 'express'
import session, { type SessionData } from 'express-session'
import type { RaiseEvent } from '../audit-events.js'
import { callBack } from '../lib/call-back.js'
import { RecentSet } from '../lib/recent-set.js'
import type { Runtime } from '../lib/runtime.js'
import { type SessionCommands, TOMBSTONE_TTL_MS } from '../store/store.js'
import { type Blobs, createBlobs } from './blobs.js'
import { type AppSession, Cookie, toCookie } from './express-session.js'
import { ManagedSession, type SessionKeeper } from './managed-session.js'
import { contentText, isDropped, isStandIn, newState, setState, standInError, stateOf } from './session-state.js'
import { readStored, toSession, toText } from './session-text.js'
import type { StoredSession } from './stored-session.js'
import { cameWith, canSendCookie, isNotWhatCame, isUnreachable, visitOf } from './visit.js'

type Done = (error?: unknown) => void

/** What the session store is made of. */
export interface SessionStoreParts {
  /** The commands of the store behind it. */
  readonly commands: SessionCommands
  /** The secrets that sign the cookie. */
  readonly secrets: () => Promise<readonly string[]>
  /** How long an unused session lives, in milliseconds. */
  readonly idleMs: number
  /** Clock and random source. */
  readonly runtime: Runtime
  /** Reports outages and sessions that could not be saved. */
  readonly raise: RaiseEvent
  /** The key of the sign-in in a session. */
  readonly pointerKey: string
  /** Called with the content of a session that was ended by its id alone. */
  readonly onDestroyed: (session: SessionData) => Promise<void>
}

/** How long after its session ended a cookie may still arrive. */
const LATE_COOKIE_TTL_MS = 10_000
/** 32 characters. */
const SESSION_ID_BYTES = 24

/**
 * connect-redis, with what it and express-session lack: while Redis fails, a request gets an empty session under the
 * same id, which is never written, and its cookie stays; a destroyed session cannot be written back.
 */
export class SessionStore extends session.Store implements SessionKeeper {
  readonly #blobs: Blobs
  readonly #parts: SessionStoreParts
  /** Ids of sessions that ended in this process a moment ago. */
  readonly #ended: RecentSet
  /** Ids of sessions that ended, maybe in another process, whose cookie came after an answer had cleared it. */
  readonly #late: RecentSet

  constructor(parts: SessionStoreParts) {
    super()
    const { monotonic: now } = parts.runtime
    this.#parts = parts
    this.#blobs = createBlobs({
      ...parts,
      toText,
      toSession: (blob) => toSessionOrNull(readStored(blob, parts.pointerKey)),
    })
    this.#ended = new RecentSet({ ttlMs: TOMBSTONE_TTL_MS, capacity: 10_000, now })
    this.#late = new RecentSet({ ttlMs: LATE_COOKIE_TTL_MS, capacity: 1_000, now })
  }

  override get(sid: string, done: (error: unknown, session?: SessionData | null) => void): void {
    const giveStandIn = (error: unknown): void => done(null, this.#standInFor(error))
    callBack(this.look(sid), (stored) => done(null, toSessionOrNull(stored)), giveStandIn)
  }

  /** What the store has of a session, without making one of it; notes a cookie that comes late. @throws `store_unavailable` */
  async look(sid: string): Promise<StoredSession | undefined> {
    const blob = await this.#blobs.read(sid)
    const stored = blob === null ? undefined : readStored(blob, this.#parts.pointerKey)
    if (!stored) await this.#noteLate(sid)
    return stored
  }

  /** Whether the browser has signed out, and perhaps in again: a new cookie would replace its newer one. */
  isLate(sid: string | undefined): boolean {
    return sid !== undefined && this.#late.has(sid)
  }

  /** Gives a request a placeholder, because the store could not be read. */
  standIn(req: Request, error: unknown): void {
    this.createSession(req, this.#standInFor(error))
  }

  #standInFor(error: unknown): SessionData {
    this.#parts.raise({ type: 'store_unavailable', operation: 'session read', detail: describe(error) })
    const standIn = { cookie: this.#newCookie() }
    setState(standIn, newState({ fate: 'stand-in' }))
    return standIn
  }

  override set(sid: string, data: SessionData, done: Done = () => {}): void {
    if (isStandIn(data)) return done(standInError())
    if (isDropped(data)) return done()
    const state = stateOf(data)
    const { visit } = state
    if (visit && isUnreachable(visit, sid)) {
      this.#reportUnsaved('A session was begun after the headers had left, so its cookie cannot: write to it earlier.')
      return done()
    }
    state.savedText = contentText(data)
    state.isStored = true
    callBack(
      this.#blobs.store.set(sid, data),
      () => done(),
      (error: unknown) => {
        if (!visit?.isEnding) return done(error)
        // The response has already been sent, so the app's error handler could do nothing.
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
    const ends = this.find(sid).then((found) =>
      Promise.all([this.#end(sid, false), found && this.#parts.onDestroyed(found)]),
    )
    callBack(ends, () => done(), done)
  }

  /** Ends the session of a request; the answer clears its cookie or replaces it. */
  endOf(req: Request, session: AppSession | undefined, done: Done = () => {}): void {
    // Already ended, or never stored and in need of no tombstone, so that a flood of visitors leaves nothing behind.
    if (!session || !stateOf(session).isStored) return process.nextTick(done)
    const visit = visitOf(req)
    const came = visit && canSendCookie(visit) ? cameWith(visit, session.id) : undefined
    // If another answer has already cleared its cookie, the browser may have signed in again since.
    const cleared = this.hasEnded(session.id) ? undefined : came
    if (cleared) cleared.isEnded = true
    callBack(
      this.#end(session.id, cleared !== undefined),
      () => done(),
      (error) => {
        if (cleared) cleared.isEnded = false
        done(error)
      },
    )
  }

  async #end(sid: string, isCleared: boolean): Promise<void> {
    const { commands } = this.#parts
    const marked = isCleared ? commands.set(endedMark(sid), '1', TOMBSTONE_TTL_MS / 1000) : undefined
    await Promise.all([this.#blobs.store.destroy(sid), marked])
    this.#ended.add(sid)
  }

  /** Whether this session has ended in this process. */
  hasEnded(sid: string): boolean {
    return this.#ended.has(sid)
  }

  override regenerate(req: Request, done: Done): void {
    this.endOf(req, req.session, this.#thenGenerate(req, done))
  }

  /** Like {@link regenerate}, but the cookie in the browser is left alone. */
  leave(req: Request, done: Done): void {
    const generate = this.#thenGenerate(req, done)
    callBack(this.#end(req.sessionID, false), () => generate(), generate)
  }

  #thenGenerate(req: Request, done: Done): Done {
    return (error) => {
      // Unlike express-session's: if the old session could not be ended, fail, so that it is not left behind alive.
      if (error) return done(error)
      this.generate(req)
      done()
    }
  }

  /** Gives a request a new session, instead of the one it has. */
  generate(req: Request): void {
    this.#begin(req, true)
  }

  /** Gives a request that came without a session its first one. */
  generateFirst(req: Request): void {
    this.#begin(req, false)
  }

  #begin(req: Request, isRenewed: boolean): void {
    const { runtime } = this.#parts
    const { sessionID: sent } = req
    const state = newState({ sentAt: runtime.now(), isRenewed, visit: visitOf(req) })
    if (this.isLate(sent)) state.fate = 'dropped'
    req.sessionID = runtime.randomBytes(SESSION_ID_BYTES).toString('base64url')
    req.session = new ManagedSession(req, { cookie: this.#newCookie() }, state)
  }

  #newCookie(): session.Cookie {
    return new Cookie({ httpOnly: true, sameSite: 'lax', path: '/', maxAge: this.#parts.idleMs, secure: false })
  }

  override createSession(req: Request, data: SessionData): AppSession {
    const { fate, sentAt, savedText } = stateOf(data)
    const visit = visitOf(req)
    const isStored = fate !== 'stand-in'
    // Reloaded after it was renewed in this request: its cookie is still to be sent.
    const isRenewed = isStored && visit !== undefined && isNotWhatCame(visit, req.sessionID)
    const state = newState({ fate, sentAt, isStored, isRenewed, savedText, visit })
    const session = new ManagedSession(req, data, state)
    session.cookie = toCookie(session.cookie)
    req.session = session
    return session
  }

  /** The content of a session in the store. @throws `store_unavailable` */
  find(sid: string): Promise<SessionData | null | undefined> {
    return this.#blobs.store.get(sid) as Promise<SessionData | null | undefined>
  }

  /** For a session that is not there: whether its cookie comes after an answer had cleared it. */
  async #noteLate(sid: string): Promise<void> {
    if ((await this.#parts.commands.get(endedMark(sid))) !== null) this.#late.add(sid)
  }
}

/**
 * A key beside the tombstone, as long-lived, for a session whose cookie was cleared. It is needed because
 * `commands.get` answers the same for a tombstone and for nothing, and because a late cookie must not cause a new one.
 * No session id has a colon.
 */
function endedMark(sid: string): string {
  return `ended:${sid}`
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error'
}

/** As express-session expects it: `null` if there is none. */
function toSessionOrNull(stored: StoredSession | undefined): SessionData | null {
  return stored ? toSession(stored) : null
}
