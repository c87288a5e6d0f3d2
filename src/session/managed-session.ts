import type { Request } from 'express'
import type { SessionData } from 'express-session'
import { callBack } from '../lib/call-back.js'
import { type AppSession, Session } from './express-session.js'
import { type SessionState, setState, standInError, stateOf } from './session-state.js'
import { explainUnsavable } from './unsavable.js'
import { cameWith } from './visit.js'

type Done = (error?: unknown) => void

/** What a session needs from its store. */
export interface SessionKeeper {
  /** Ends the session of a request: see `SessionStore`. */
  endOf(req: Request, session: AppSession, done: Done): void
}

/**
 * `req.session`: express-session's, with methods that call back with an error when express-session's would throw, end
 * nothing, or never call back. It has no members of its own, because they would hide an app's.
 */
export class ManagedSession extends Session {
  declare readonly req: Request

  constructor(req: Request, data: SessionData, state: SessionState) {
    super(req, data)
    setState(this, state)
  }

  /** If JSON cannot hold the session, `save` throws only if there is no callback to get the error. */
  override save(done?: Done): this {
    if (refuses(this, done)) return this
    try {
      return super.save(done)
    } catch (error) {
      const fault = explainUnsavable(this)
      if (!fault || typeof done !== 'function') throw fault ?? error
      process.nextTick(done, fault)
      return this
    }
  }

  override reload(done: Done): this {
    return refuses(this, done) ? this : super.reload(done)
  }

  /** Ends the session that came with this request, and the sign-in in it. */
  override destroy(done?: Done): this {
    if (refuses(this, done)) return this
    const { req } = this
    Reflect.deleteProperty(req, 'session')
    const ends = new Promise<unknown>((resolve) => keeperOf(this).endOf(req, this, resolve))
    callBack(
      Promise.all([ends, ...hooksOf(this).map(({ destroyed }) => destroyed())]),
      ([error]) => done?.(error),
      (error) => done?.(error),
    )
    return this
  }

  override regenerate(done: Done): this {
    if (refuses(this, done)) return this
    for (const { regenerated } of hooksOf(this)) regenerated()
    return super.regenerate(done)
  }
}

/** Nothing of a placeholder is written, and it cannot be ended. */
function refuses(one: ManagedSession, done: Done = () => {}): boolean {
  if (stateOf(one).fate !== 'stand-in') return false
  done(standInError())
  return true
}

function keeperOf({ req }: ManagedSession): SessionKeeper {
  return req.sessionStore as unknown as SessionKeeper // sessions of this class are only ever in our own store
}

function hooksOf(one: ManagedSession): readonly { destroyed(): Promise<void>; regenerated(): void }[] {
  const { visit } = stateOf(one)
  return (visit && cameWith(visit, one.id)?.hooks) ?? []
}
