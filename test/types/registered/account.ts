/** `PpoppoRegister`, in a program of its own: a declaration counts for the whole program. Never run: `tsc` is the test. */
import type { Request } from 'express'
import { type Ppoppo, ppoppo, type SignedInPpoppo } from 'express-ppoppo'

interface Account {
  readonly id: number
  readonly since: Date
}
declare module 'express-ppoppo' {
  interface PpoppoRegister {
    account: Account
  }
}

export const auth: Ppoppo = ppoppo({ onSignIn: () => ({ id: 1, since: new Date() }) })
// @ts-expect-error onSignIn must return what is registered
ppoppo({ onSignIn: () => ({ key: 'a' }) })
// @ts-expect-error the same where the type is given
ppoppo<{ readonly key: string }>({ onSignIn: () => ({ key: 'a' }) })

/** As in a file that knows nothing about `auth`. */
export function idOf(req: Request): number | undefined {
  // @ts-expect-error nobody may be signed in
  const id: number = req.ppoppo.account.id
  // @ts-expect-error the account has no such member
  const name: string = req.ppoppo.account?.name
  // @ts-expect-error JSON has no dates
  const date: Date | undefined = req.ppoppo.account?.since
  const since: string | undefined = req.ppoppo.account?.since
  return req.ppoppo.account?.id ?? [id, name, date, since].length
}

export function idOfSignedIn({ account }: SignedInPpoppo): number {
  return account.id
}
