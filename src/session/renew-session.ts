import type { Request } from 'express'
import { PpoppoError } from '../errors.js'
import { otherPointers, type SignInPointer } from './pointer.js'
import { SessionStore } from './session-store.js'

/**
 * Gives the browser a new session id, carries over what may be kept, points the new session at `pointer` and waits
 * until it is saved, because express-session would send the redirect first.
 */
export async function renewSession(
  req: Request,
  key: string,
  pointer: SignInPointer,
  keep: readonly string[],
): Promise<void> {
  const before = assertSession(req)
  const kept = keep.filter((name) => name !== key && name !== 'cookie' && Object.hasOwn(before, name))
  const carried = Object.fromEntries(kept.map((name) => [name, Reflect.get(before, name)]))
  Object.assign(carried, otherPointers(before, key))
  const { sessionID, sessionStore } = req
  if (typeof sessionStore?.generate !== 'function') {
    await regenerate(req)
    Object.assign(req.session, carried, { [key]: pointer })
    return settle((done) => req.session.save(done))
  }
  // Not regenerate(), which ends the old one first: a store that fails in between would sign the person out.
  sessionStore.generate(req)
  try {
    Object.assign(req.session, carried, { [key]: pointer })
    await settle((done) => req.session.save(done))
    await settle((done) => {
      if (sessionStore instanceof SessionStore) sessionStore.endOf(req, before, done)
      else sessionStore.destroy(sessionID, done)
    })
  } catch (error) {
    // Else express-session would save the new one with the response, and send its cookie.
    Object.assign(req, { session: before, sessionID })
    throw error
  }
}

/** Ends the session and gives the rest of the request a new, empty one. */
export async function regenerate(req: Request): Promise<void> {
  await settle((done) => assertSession(req).regenerate(done))
}

/** Ends a session that is the app's own. Its content belonged to the person who signed out; pointers of other instances are carried over. */
export async function endAppSession(req: Request, carried: Readonly<Record<string, unknown>>): Promise<void> {
  await regenerate(req)
  if (Object.keys(carried).length === 0) return
  Object.assign(req.session, carried)
  await settle((done) => req.session.save(done))
}

/** @throws `session_missing` where there is no session, or one that cannot change its id (cookie-session). */
export function assertSession(req: Request): Request['session'] {
  const session: unknown = req.session
  if (!session) {
    throw new PpoppoError(
      'session_missing',
      'There is no req.session here. Mount auth (or auth.session) first, or with "session: false" your own express-session before auth.middleware and auth.router.',
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
