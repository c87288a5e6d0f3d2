/*
 * From "somebody is signed in" to "this row of our table".
 *
 * `onSignIn` (see auth.ts) runs once, at the callback. What it returns is kept with the sign-in and is `req.ppoppo.account`
 * on every later request, at no cost. It is a snapshot: `id` stays true, `displayName` was true on the day of the
 * sign-in. So we keep to the id and read the row, which also notices that the account has been deleted meanwhile.
 */
import type { Request, RequestHandler } from 'express'
import type { PpoppoUser } from 'express-ppoppo'
import { HttpError } from './http-error.js'
import type { Account, Users } from './users.js'

// A WeakMap instead of a property on req: typed without a global declaration, and gone with the request.
const accounts = new WeakMap<Request, Account>()

/** Runs right after `app.use(auth)`, on every page: the header shows the name. */
export function loadAccount(users: Users): RequestHandler {
  return async (req, _res, next) => {
    if (req.ppoppo.isSignedIn) {
      const id = accountIdOf(req.ppoppo.account)
      const account = id === undefined ? undefined : users.find(id)
      if (account !== undefined) accounts.set(req, account)
      // The row is gone, and this sign-in with it. From here on the visitor is nobody; a new sign-in makes a new row.
      else await req.ppoppo.signOut()
    }
    next()
  }
}

/** The account of whoever sent this request, if anybody is signed in. */
export function accountOf(req: Request): Account | undefined {
  return accounts.get(req)
}

/** For routes behind `auth.requireSignIn()`: who it is, without a `?.` on every line. */
export function signedInPerson(req: Request): { readonly user: PpoppoUser; readonly account: Account } {
  const { user } = req.ppoppo
  const account = accountOf(req)
  if (user === undefined || account === undefined) throw new HttpError(401, 'signed_out')
  return { user, account }
}

/** `req.ppoppo.account` is `unknown`: it has been JSON in between. */
function accountIdOf(account: unknown): number | undefined {
  if (typeof account !== 'object' || account === null || !('id' in account)) return undefined
  return typeof account.id === 'number' ? account.id : undefined
}
