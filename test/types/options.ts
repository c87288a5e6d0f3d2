/** Compiled by `npm run check`, never run: what must and what must not type-check. */

import type { Request } from 'express'
import { PpoppoError, type PpoppoOptions, ppoppo } from 'express-ppoppo'

export const complete: PpoppoOptions = {
  clientId: 'x',
  baseUrl: 'http://localhost:3000',
  session: false,
  rateLimit: false,
}

// @ts-expect-error an option that does not exist
export const unknownOption: PpoppoOptions = { clientID: 'x' }

// @ts-expect-error an environment that does not exist
export const unknownEnvironment: PpoppoOptions = { environment: 'staging' }

// @ts-expect-error undefined is not a way to leave an option out
export const undefinedOption: PpoppoOptions = { clientId: undefined }

export function userIsThereOnlyWhenSignedIn(req: Request): string {
  // @ts-expect-error nobody may be signed in
  req.ppoppo.user.sub

  if (req.ppoppo.user === undefined) return 'nobody'
  const { sub, accountType } = req.ppoppo.user
  // @ts-expect-error most accounts have no type
  const type: string = accountType
  // @ts-expect-error what the library knows, nobody changes
  req.ppoppo.user.sub = type
  return sub
}

export async function userinfoIsTyped(req: Request): Promise<Date> {
  const { createdAt, email } = await req.ppoppo.userinfo()
  // @ts-expect-error only with the scope for it
  const address: string = email
  return address === '' ? new Date() : createdAt
}

export function statusIsAnswered(req: Request): 'in' | 'out' | 'unknown' {
  switch (req.ppoppo.status) {
    case 'signed-in':
      return 'in'
    case 'signed-out':
      return 'out'
    case 'unavailable':
      return 'unknown'
  }
}

export function codesAreKnown(error: unknown): boolean {
  // @ts-expect-error no such code
  return error instanceof PpoppoError && error.code === 'no_such_code'
}

export const handler: (req: Request, res: never, next: () => void) => unknown = ppoppo()
