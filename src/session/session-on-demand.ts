import type { Request } from 'express'
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
  return Object.getOwnPropertyDescriptor(req, 'session')?.get === ON_DEMAND.session.get
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

/** One of the two properties, the same for all requests. */
function onDemand(name: 'session' | 'sessionID'): PropertyDescriptor {
  return {
    configurable: true,
    enumerable: true,
    get(this: Request): unknown {
      return visitWithSession(this)?.[name]
    },
    set(this: Request, value: unknown) {
      if (Object.hasOwn(this, name)) return void Object.assign(visitWithSession(this) ?? {}, { [name]: value })
      // What inherits from the request, as a test double may, gets a property of its own, and leaves the request alone.
      Object.defineProperty(this, name, { value, configurable: true, enumerable: true, writable: true })
    },
  }
}

const ON_DEMAND = { session: onDemand('session'), sessionID: onDemand('sessionID') }
