import type { Request } from 'express'
import type { AppSession } from './express-session.js'
import { type Visit, visitOf } from './visit.js'

/*
 * Most requests never ask for `req.session`, and making one takes as long as all else that is done for a public page. So it
 * and `req.sessionID` are properties that make the session when they are first read or written.
 */

/** `req.session` is made by `make`, which assigns it and `req.sessionID`, once somebody asks for either. */
export function offerSession(req: Request, visit: Visit, make: () => void): void {
  visit.make = make
  Object.defineProperties(req, ON_DEMAND)
}

/** Whether a request has a session that nobody has asked for so far, nor taken away or replaced. */
export function isUnasked(req: object): boolean {
  if (visitOf(req)?.make === undefined) return false
  return Object.getOwnPropertyDescriptor(req, 'session')?.get === getSession
}

/** The record of a request whose session is made by now. */
function visitWithSession(req: object): Visit | undefined {
  const visit = visitOf(req)
  const { make } = visit ?? {}
  if (visit && make) {
    visit.make = undefined
    make()
  }
  return visit
}

function getSession(this: Request): AppSession | undefined {
  return visitWithSession(this)?.session
}

/** What inherits from the request, as a test double may, gets a property of its own, and leaves the request alone. */
function setOwn(child: object, name: string, value: unknown): void {
  Object.defineProperty(child, name, { value, configurable: true, enumerable: true, writable: true })
}

const ON_DEMAND: PropertyDescriptorMap = {
  session: {
    configurable: true,
    enumerable: true,
    get: getSession,
    set(this: Request, session: AppSession | undefined) {
      if (!Object.hasOwn(this, 'session')) return setOwn(this, 'session', session)
      const visit = visitWithSession(this)
      if (visit) visit.session = session
    },
  },
  sessionID: {
    configurable: true,
    enumerable: true,
    get(this: Request): string | undefined {
      return visitWithSession(this)?.sessionID
    },
    set(this: Request, id: string | undefined) {
      if (!Object.hasOwn(this, 'sessionID')) return setOwn(this, 'sessionID', id)
      const visit = visitWithSession(this)
      if (visit) visit.sessionID = id
    },
  },
}
