import type { Request } from 'express'
import type { AppSession } from './express-session.js'
import { type Visit, visitOf } from './visit.js'

/*
 * Most requests never ask for `req.session`, and making one takes as long as all else that is done for a public page. So it
 * and `req.sessionID` are properties that make the session when they are first read or written. They stay properties of
 * this kind, and they are the same for all requests: V8 slows down an object that has others than those before it.
 */

/** `req.session` is made by `make`, which assigns it and `req.sessionID`, once somebody asks for either. */
export function offerSession(req: Request, visit: Visit, make: () => void): void {
  visit.make = make
  Object.defineProperties(req, ON_DEMAND)
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

const ON_DEMAND: PropertyDescriptorMap = {
  session: {
    configurable: true,
    enumerable: true,
    get(this: Request): AppSession | undefined {
      return visitWithSession(this)?.session
    },
    set(this: Request, session: AppSession | undefined) {
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
      const visit = visitWithSession(this)
      if (visit) visit.sessionID = id
    },
  },
}
