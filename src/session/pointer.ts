import type { Request } from 'express'
import type { SessionData } from 'express-session'
import { PpoppoError } from '../errors.js'
import { digestOf } from '../lib/digest.js'
import { isPlainObject, parseJsonObject } from '../lib/guards.js'
import { tagOf } from '../store/store.js'
import { SessionStore } from './session-store.js'

/** All that the session blob holds of a sign-in. Not a secret: it leads nowhere without the vault's record. */
export interface SignInPointer {
  readonly signInId: string
  /** Where the sign-in led to: where a stale callback sends the person back. */
  readonly returnTo: string
  /** The callbacks this browser has made lately, see `sign-in/arrivals.ts`. */
  readonly arrivals: readonly string[]
}

/** Keys of all instances begin with this. */
const PREFIX = 'ppoppo:'
/** `<tag>.<random>`: a session is the app's to write, so what is in it is looked at. */
const SIGN_IN_ID = /^[\w-]{1,64}\.[\w-]{1,64}$/

/** Two instances with different clients in one session each have their own key. */
export function pointerKey(clientId: string): string {
  return `${PREFIX}${digestOf('pointer', clientId).slice(0, 8)}`
}

export function readPointer(session: SessionData | undefined, key: string): SignInPointer | undefined {
  return pointerIn(session && Reflect.get(session, key))
}

function pointerIn(value: unknown): SignInPointer | undefined {
  if (!isPlainObject(value)) return undefined
  const { signInId, returnTo, arrivals } = value
  if (typeof signInId !== 'string' || !SIGN_IN_ID.test(signInId) || typeof returnTo !== 'string') return undefined
  const texts: readonly unknown[] = Array.isArray(arrivals) ? arrivals : []
  return { signInId, returnTo, arrivals: texts.filter((text) => typeof text === 'string') }
}

/**
 * Whose sign-in a stored session points at, also one of another instance: the tag of the person. `undefined` where
 * nobody is signed in in it.
 */
export function personIn(blob: string): string | undefined {
  // Most sessions are nobody's, and need no parsing.
  const session = blob.includes('"signInId"') ? (parseJsonObject(blob) ?? {}) : {}
  const names = Object.keys(session).filter((name) => name.startsWith(PREFIX))
  const pointer = names.map((name) => pointerIn(session[name])).find((found) => found !== undefined)
  return pointer && tagOf(pointer.signInId)
}

/** What other instances keep in the same session: each ends its own sign-ins only. */
export function otherPointers(session: SessionData, key: string): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(session).filter(([name, value]) => name !== key && name.startsWith(PREFIX) && isPlainObject(value)),
  )
}

/**
 * Gives the browser a new session id, carries over what may be kept, points the new session at `pointer` and waits
 * until it is saved: express-session would send the redirect first (C17, C18).
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

/** Ends a session that is the app's own. Its content was for the person who is gone; other instances' pointers move on. */
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
