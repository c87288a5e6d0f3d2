import type { Session, SessionData } from 'express-session'
import { PpoppoError } from '../errors.js'
import { defineHidden } from '../lib/define-hidden.js'

/** Sessions that stand in for ones nobody could read. Of all instances: one may look at a session that is another's. */
const standIns = new WeakSet<object>()

/** Whether this session stands in for one that the store could not give. */
export function isStandIn(session: object | undefined): boolean {
  return session !== undefined && standIns.has(session)
}

/** From now on nothing of this session is written, and no cookie is sent for it. */
export function makeStandIn(session: Session & SessionData): void {
  standIns.add(session)
  const refuse = (done: (error?: unknown) => void = () => {}): typeof session => {
    done(standInError())
    return session
  }
  for (const method of ['save', 'regenerate', 'destroy', 'reload']) defineHidden(session, method, refuse)
  // Looks unchanged to express-session whatever a handler writes into it: nothing is saved, no cookie is sent.
  const { cookie: _cookie, ...content } = session
  defineHidden(session, 'toJSON', () => content)
}

/** What becomes of an attempt to write one. */
export function standInError(): PpoppoError {
  return new PpoppoError(
    'store_unavailable',
    'The session store does not answer, so this session is not kept. Try again.',
  )
}
