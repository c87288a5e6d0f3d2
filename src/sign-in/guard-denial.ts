import type { Request } from 'express'
import { PpoppoError } from '../errors.js'
import { APP_DEADLINE_MS, askApp } from '../lib/ask-app.js'
import { TIMED_OUT } from '../lib/wait.js'
import type { GuardSettings, SignInDenial } from './guard-options.js'

/** Nobody is signed in. */
export const SIGNED_OUT: SignInDenial = { reason: 'signed_out', status: 401 }

/** Whether these settings ask more than that somebody is signed in. */
export function hasConditions({ maxAgeMs, scopes, when }: GuardSettings): boolean {
  return maxAgeMs !== undefined || scopes.length > 0 || when !== undefined
}

/**
 * Why the person who is signed in may not pass; `undefined` if they may.
 * @throws what `when` throws; `config_invalid` if it takes too long or answers neither `true` nor `false`
 */
export async function denialOf(
  req: Request,
  { maxAgeMs, scopes, when }: GuardSettings,
  now: number,
): Promise<SignInDenial | undefined> {
  const { signIn } = req.ppoppo
  const missing = scopes.filter((scope) => !signIn?.scopes.includes(scope))
  if (missing.length > 0) return { reason: 'scope_shortfall', status: 403, missing }
  if (maxAgeMs !== undefined && !(signIn && now - signIn.createdAt.getTime() <= maxAgeMs))
    return { reason: 'sign_in_too_old', status: 401 }
  if (when === undefined) return undefined
  const answer: unknown = await askApp(() => when(req))
  if (answer === TIMED_OUT) throw invalid(`took longer than ${APP_DEADLINE_MS / 1_000} s`)
  if (typeof answer !== 'boolean') throw invalid('must answer true or false')
  return answer ? undefined : { reason: 'forbidden', status: 403 }
}

function invalid(problem: string): PpoppoError {
  return new PpoppoError('config_invalid', `requireSignIn: "when" ${problem}`)
}
