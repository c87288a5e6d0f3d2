import type { Request } from 'express'
import type { Session, Store } from 'express-session'
import { PpoppoError } from '../errors.js'
import { otherPointers, type SignInPointer } from './pointer.js'
import { SessionStore } from './session-store.js'

/** How a session is renewed. */
export interface SessionIdChange<T> {
  /** The pointer's key in the session. */
  readonly key: string
  readonly pointer: SignInPointer
  /** Names of the values that are carried over. */
  readonly keep: readonly string[]
  /** Done while the new session is saved. The old one ends only if both succeed. */
  readonly beside: () => Promise<T>
}

/**
 * Gives the browser a new session id, carries over what may be kept, points the new session at `pointer` and waits
 * until it is saved, because express-session would send the redirect first.
 * @returns the result of `beside`
 */
export async function changeSessionId<T>(req: Request, { key, pointer, keep, beside }: SessionIdChange<T>): Promise<T> {
  const before = assertSession(req)
  const kept = keep.filter((name) => name !== key && name !== 'cookie' && Object.hasOwn(before, name))
  const carried = Object.fromEntries(kept.map((name) => [name, Reflect.get(before, name)]))
  Object.assign(carried, otherPointers(before, key), { [key]: pointer })
  const { sessionID, sessionStore } = req
  if (typeof sessionStore?.generate !== 'function') {
    const result = await beside()
    await regenerate(req)
    Object.assign(req.session, carried)
    await settle((done) => req.session.save(done))
    return result
  }
  // Not regenerate(), which ends the old one first: a store that fails in between would sign the person out.
  sessionStore.generate(req)
  const { session } = req
  try {
    Object.assign(session, carried)
    const result = await both(
      beside(),
      settle((done) => session.save(done)),
    )
    await endIn(sessionStore, req, before)
    return result
  } catch (error) {
    // Otherwise express-session would save the new session with the response, and send its cookie.
    Object.assign(req, { session: before, sessionID })
    void endIn(sessionStore, req, session).catch(() => {})
    throw error
  }
}

/** Waits for both even if one fails: what must be undone has happened. @throws the first's error, else the second's */
async function both<T>(first: Promise<T>, second: Promise<void>): Promise<T> {
  const [one, other] = await Promise.allSettled([first, second])
  if (one.status === 'rejected') throw one.reason
  if (other.status === 'rejected') throw other.reason
  return one.value
}

function endIn(store: Store, req: Request, session: Session): Promise<void> {
  return settle((done) => {
    if (store instanceof SessionStore) store.endOf(req, session, done)
    else store.destroy(session.id, done)
  })
}

/** Ends the session and gives the rest of the request a new, empty one. */
export async function regenerate(req: Request): Promise<void> {
  await settle((done) => assertSession(req).regenerate(done))
}

/** Ends the app's own session, since its content was the person's. Carries over the pointers of other instances. */
export async function endAppSession(req: Request, carried: Readonly<Record<string, unknown>>): Promise<void> {
  await regenerate(req)
  if (Object.keys(carried).length === 0) return
  Object.assign(req.session, carried)
  await settle((done) => req.session.save(done))
}

/** @throws `session_missing` if there is no session, or one that cannot change its id (cookie-session). */
export function assertSession(req: Request): Request['session'] {
  const session: unknown = req.session
  if (!session) {
    throw new PpoppoError(
      'session_missing',
      'There is no req.session here. Mount auth (or auth.session) first, or with "session: false" your own express-session before auth.',
    )
  }
  if (typeof Reflect.get(Object(session), 'regenerate') !== 'function') {
    throw new PpoppoError(
      'session_missing',
      'req.session has no regenerate(), so a sign-in could not get a new session id (cookie-session cannot). Use express-session, or leave "session" out and let express-ppoppo bring its own.',
    )
  }
  return req.session
}

/** A call with a callback as a promise. */
export function settle(start: (done: (error?: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error ? reject(error) : resolve()))
  })
}
