import type { SessionData } from 'express-session'
import { PpoppoError } from '../errors.js'
import { defineHidden } from '../lib/define-hidden.js'
import type { Visit } from './visit.js'

/*
 * What we know about one session object besides what the app sees in it. What we know about the request is in
 * `visit.ts`.
 *
 *   the store gave it, or it is new ──────────────> kept
 *   the store could not be read ──────────────────> stand-in           never written, never sent
 *   a sign-out began it ──────────────────────────> dropped-if-empty   written once something is put into it
 *   it replaces one whose browser knows it ended ─> dropped            never written, never sent
 */

/** What happens to a session at the end of its request. */
export type SessionFate = 'kept' | 'stand-in' | 'dropped-if-empty' | 'dropped'

/** What we know about one session object. */
export interface SessionState {
  fate: SessionFate
  /** When its cookie was last sent, in milliseconds since the epoch; `undefined` if unknown. */
  sentAt: number | undefined
  /** Whether the store may have a blob of it. */
  isStored: boolean
  /** Whether it replaced another session: its cookie is sent even while it is empty. */
  isRenewed: boolean
  /** Its content in the store, as JSON; `undefined` if the store does not have it. */
  savedText: string | undefined
  /** The request it belongs to; `undefined` if it did not come through the middleware. */
  readonly visit: Visit | undefined
}

const STATE = Symbol('ppoppo session')

/** The initial state of a session object. */
export function newState(state: Partial<SessionState> = {}): SessionState {
  return {
    fate: 'kept',
    sentAt: undefined,
    isStored: false,
    isRenewed: false,
    savedText: undefined,
    visit: undefined,
    ...state,
  }
}

/** Attaches its state to a session object, hidden from loops and copies. */
export function setState(session: object, state: SessionState): void {
  defineHidden(session, STATE, state)
}

/** The state of a session object, to be changed in place. */
export function stateOf(session: object): SessionState {
  const known = stateIn(session)
  if (known) return known
  const state = newState()
  setState(session, state)
  return state
}

/** The content of a session as JSON, without the cookie: whether it has changed. */
export function contentText({ cookie: _cookie, ...content }: SessionData): string {
  return JSON.stringify(content)
}

/** Whether a session, as it is now, must not be kept. */
export function isDropped(session: object): boolean {
  const fate = stateIn(session)?.fate
  return fate === 'dropped' || (fate === 'dropped-if-empty' && Object.keys(session).every((key) => key === 'cookie'))
}

/** Whether this session is a placeholder for one that the store could not read. */
export function isStandIn(session: object | undefined): boolean {
  return session !== undefined && stateIn(session)?.fate === 'stand-in'
}

/** The error of an attempt to write a placeholder. */
export function standInError(): PpoppoError {
  return new PpoppoError(
    'store_unavailable',
    'The session store does not answer, so this session is not kept. Try again.',
  )
}

function stateIn(session: object): SessionState | undefined {
  // An app may replace its session with anything.
  return (session as { readonly [STATE]?: SessionState } | null)?.[STATE]
}
