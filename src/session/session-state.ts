import type { Session, SessionData } from 'express-session'
import { PpoppoError } from '../errors.js'
import { defineHidden } from '../lib/define-hidden.js'

/*
 * What is known of one session object besides what the app sees in it. What is known of the request is in `visit.ts`.
 *
 *   the store gave it, or it is new ──────────────> kept
 *   the store could not be read ──────────────────> stand-in           never written, never sent
 *   a sign-out began it ──────────────────────────> dropped-if-empty   written once something is put into it
 *   it replaces one whose browser knows it ended ─> dropped            never written, never sent
 */

/** What happens to a session at the end of its request. */
export type SessionFate = 'kept' | 'stand-in' | 'dropped-if-empty' | 'dropped'

/** What is known of one session object. */
export interface SessionState {
  fate: SessionFate
  /** When its cookie was last sent, in milliseconds since the epoch; `undefined` where that is not known. */
  sentAt: number | undefined
  /** Whether the store may hold a blob of it. */
  isStored: boolean
}

/** Shared by all instances: an instance may see another's session. */
const states = new WeakMap<object, SessionState>()

/** The state of a session object, to be changed in place. */
export function stateOf(session: object): SessionState {
  const known = states.get(session)
  if (known) return known
  const state: SessionState = { fate: 'kept', sentAt: undefined, isStored: false }
  states.set(session, state)
  return state
}

/** Whether a session, as it is now, must not be kept. */
export function isDropped(session: object): boolean {
  const fate = states.get(session)?.fate
  return fate === 'dropped' || (fate === 'dropped-if-empty' && Object.keys(session).every((key) => key === 'cookie'))
}

/** Whether this session is a placeholder for one that the store could not read. */
export function isStandIn(session: object | undefined): boolean {
  return session !== undefined && states.get(session)?.fate === 'stand-in'
}

/** From now on nothing of this session is written, and no cookie is sent for it. */
export function makeStandIn(session: Session & SessionData): void {
  stateOf(session).fate = 'stand-in'
  const refuse = (done: (error?: unknown) => void = () => {}): typeof session => {
    done(standInError())
    return session
  }
  for (const method of ['save', 'regenerate', 'destroy', 'reload']) defineHidden(session, method, refuse)
  // Looks unchanged to express-session whatever a handler writes into it: nothing is saved, no cookie is sent.
  const { cookie: _cookie, ...content } = session
  defineHidden(session, 'toJSON', () => content)
}

/** The error of an attempt to write a placeholder. */
export function standInError(): PpoppoError {
  return new PpoppoError(
    'store_unavailable',
    'The session store does not answer, so this session is not kept. Try again.',
  )
}
