import { RedisStore } from 'connect-redis'
import type { Request } from 'express'
import session, { type SessionData } from 'express-session'
import { PpoppoError } from '../errors.js'
import type { RaiseEvent } from '../events.js'
import { callBack } from '../lib/call-back.js'
import { isPlainObject } from '../lib/guards.js'
import { type SessionCommands, TOMBSTONE_TTL_MS } from '../store/store.js'
import { createBlobClient } from './blob-client.js'

type Done = (error?: unknown) => void

/** What the session middleware tells its store, and asks it. */
export interface SessionStoreParts {
  readonly commands: SessionCommands
  /** Those that sign the cookie; blob and cookie are renewed together, so they rotate together. */
  readonly secrets: () => Promise<readonly string[]>
  readonly idleMs: number
  readonly raise: RaiseEvent
  /** Whether a response is being ended: then nobody is left to hear of an error. */
  readonly isEnding: (req: Request) => boolean
  /** Whether the headers have left without the cookie of this new session: no browser will ever ask for it. */
  readonly isUnannounced: (req: Request) => boolean
  readonly onDestroyed: (sid: string) => void
  /** A cookie came whose session has ended a moment ago, perhaps in another process. */
  readonly onLateCookie: (sid: string) => void
}

/** Sessions made from stand-ins. Of all instances: one may look at a session that is another's. */
const unavailableSessions = new WeakSet<object>()

/**
 * connect-redis behind what express-session lacks: while the store fails, a request gets an empty session under the
 * same id that is never written, and its cookie stays; a session that was destroyed cannot be written back.
 */
export class SessionStore extends session.Store {
  /** Put there by express-session: gives `req` a new session. */
  declare generate: (req: Request) => void
  readonly #inner: RedisStore
  readonly #parts: SessionStoreParts
  /** Blobs handed out in place of ones that could not be read. */
  readonly #standIns = new WeakSet<object>()
  readonly #droppable = new WeakMap<object, ReadonlySet<string>>()
  readonly #dropped = new WeakSet<object>()
  readonly #loadedIds = new WeakMap<object, string>()
  /** Sessions of which the store may hold a blob. */
  readonly #kept = new WeakSet<object>()

  constructor(parts: SessionStoreParts) {
    super()
    this.#parts = parts
    this.#inner = new RedisStore({
      client: createBlobClient(parts.commands, parts.secrets),
      prefix: '',
      ttl: Math.ceil(parts.idleMs / 1000),
    })
    // The scripts behind `commands` do what touch would; without the method express-session does not touch.
    Object.defineProperty(this, 'touch', { value: undefined })
  }

  /** Whether this session stands in for one that the store could not give. */
  isUnavailable(session: object | undefined): boolean {
    return session !== undefined && unavailableSessions.has(session)
  }

  /** Whether the store may hold a blob of this session. */
  isStored(session: object): boolean {
    return this.#kept.has(session)
  }

  /** Lets go of a new session unless something besides `names` is put into it. */
  dropIfEmpty(session: object, names: readonly string[]): void {
    this.#droppable.set(session, new Set([...names, 'cookie']))
  }

  /** Lets go of a new session, whatever is put into it. */
  drop(session: object): void {
    this.#dropped.add(session)
  }

  /** Whether {@link drop} or {@link dropIfEmpty} holds for this session. */
  isDropped(session: object): boolean {
    const names = this.#droppable.get(session)
    const isEmpty = names !== undefined && Object.keys(session).every((name) => names.has(name))
    return isEmpty || this.#dropped.has(session)
  }

  /** The session id that came with the request and was found. */
  loadedId(req: Request): string | undefined {
    return this.#loadedIds.get(req)
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
        this.#standIns.add(standIn)
        done(null, standIn)
      },
    )
  }

  override set(sid: string, data: SessionData, done: Done = () => {}): void {
    if (unavailableSessions.has(data)) return done(unavailable())
    if (this.isDropped(data)) return done()
    const req = requestOf(data)
    if (req && this.#parts.isUnannounced(req)) {
      this.#reportUnsaved('A session was begun after the headers had left, so its cookie cannot: write to it earlier.')
      return done()
    }
    this.#kept.add(data)
    callBack(
      this.#inner.set(sid, data),
      () => done(),
      (error: unknown) => {
        if (!req || !this.#parts.isEnding(req)) return done(error)
        // express-session would call the app's error handler on a response that is gone already.
        this.#reportUnsaved(describe(error))
        done()
      },
    )
  }

  #reportUnsaved(detail: string): void {
    this.#parts.raise({ type: 'warning', code: 'session_not_saved', detail })
  }

  override destroy(sid: string, done: Done = () => {}): void {
    const { commands, onDestroyed } = this.#parts
    const marked = commands.set(endedMark(sid), '1', TOMBSTONE_TTL_MS / 1000)
    const ended = Promise.all([this.#inner.destroy(sid), marked]).then(() => onDestroyed(sid))
    callBack(ended, () => done(), done)
  }

  override regenerate(req: Request, done: Done): void {
    const renew = (error?: unknown): void => {
      // Unlike express-session's: a session that could not be ended is not left behind alive.
      if (error) return done(error)
      this.generate(req)
      done()
    }
    // What was never stored needs no tombstone: a flood of visitors leaves nothing behind.
    if (this.isStored(req.session)) this.destroy(req.sessionID, renew)
    else renew()
  }

  override createSession(req: Request, data: SessionData): session.Session & SessionData {
    const created = super.createSession(req, data)
    if (this.#standIns.has(data)) {
      this.makeUnavailable(created)
    } else {
      this.#loadedIds.set(req, req.sessionID)
      this.#kept.add(created)
    }
    return created
  }

  /** From now on nothing of this session is written, and no cookie is sent for it. */
  makeUnavailable(created: session.Session & SessionData): void {
    unavailableSessions.add(created)
    const refuse = (done: Done = () => {}): typeof created => {
      done(unavailable())
      return created
    }
    for (const method of ['save', 'regenerate', 'destroy', 'reload']) define(created, method, refuse)
    // Looks unchanged to express-session whatever a handler writes into it: nothing is saved, no cookie is sent.
    const { cookie: _cookie, ...content } = created
    define(created, 'toJSON', () => content)
  }

  async #read(sid: string): Promise<SessionData | null> {
    const found: unknown = await this.#inner.get(sid).catch(noneWhereGarbled)
    if (isPlainObject(found) && isPlainObject(found['cookie'])) return { ...found, cookie: toCookie(found['cookie']) }
    if ((await this.#parts.commands.get(endedMark(sid))) !== null) this.#parts.onLateCookie(sid)
    return null
  }
}

/**
 * Lies beside a tombstone for as long: `commands.get` answers the same for a tombstone and for nothing, and a cookie
 * that comes late must set no other (C28). No session id has a colon.
 */
function endedMark(sid: string): string {
  return `ended:${sid}`
}

/** A blob that is no JSON is none; a store that fails is another matter. */
function noneWhereGarbled(error: unknown): null {
  if (error instanceof SyntaxError) return null
  throw error
}

function toCookie(stored: object): SessionData['cookie'] {
  return stored as SessionData['cookie'] // express-session wrote it, and makes a Cookie of it
}

function requestOf(data: SessionData): Request | undefined {
  return 'req' in data ? (data.req as Request) : undefined
}

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, enumerable: false, writable: true })
}

function unavailable(): PpoppoError {
  return new PpoppoError(
    'store_unavailable',
    'The session store does not answer, so this session is not kept. Try again.',
  )
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error'
}
