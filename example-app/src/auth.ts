/*
 * Everything this app tells the library, in one place. With all variables set, `ppoppo({ onSignIn })` would do.
 */
import { type PpoppoOptions, ppoppo } from 'express-ppoppo'
import type { Users } from './users.js'

/** A request handler with `requireSignIn()`, `signInButton()` and `close()`. */
export type Auth = ReturnType<typeof ppoppo>

export interface AuthParts {
  readonly users: Users
  readonly options: PpoppoOptions
}

/** @throws PpoppoError `config_invalid`, naming every option that is missing or wrong. */
export function createAuth({ users, options }: AuthParts): Auth {
  return ppoppo({
    // On the library's own pages, as the way back here.
    appName: 'Example app',
    // Here a Ppoppo account becomes an account of yours. Return plain JSON; it becomes `req.ppoppo.account`.
    // To turn somebody away: `throw denySignIn('by invitation only')`.
    onSignIn: (user) => ({ ...users.findOrCreate(user) }),
    // One JSON line per event, for whatever collects your logs. Events hold no secret, token or e-mail address.
    onEvent: (event) => console.log(JSON.stringify(event)),
    ...options,
  })
}
