import type { NextFunction, Request, RequestHandler } from 'express'
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
 * @throws what `when` throws; `config_invalid` if it takes too long or returns neither `true` nor `false`
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
  if (typeof answer !== 'boolean') throw invalid('must return true or false')
  return answer ? undefined : { reason: 'forbidden', status: 403 }
}

/**
 * Whether `next(instead)` would go on to what this guard protects: Express takes whatever is falsy for no error, and
 * outside of a route also `'route'`.
 */
export function leadsOn(instead: unknown, { route }: Request, guard: RequestHandler): boolean {
  if (instead !== 'route') return !instead
  // After a route that has passed the request on, `req.route` is still there: it counts only if this guard is in it.
  const { stack } = Object(route)
  return !(Array.isArray(stack) && stack.some((layer: unknown) => Object(layer).handle === guard))
}

/** Hands what a function of the app threw to `next`, so that nobody passes even if that is nothing, or a word of Express. */
export function failWith(next: NextFunction): (thrown: unknown) => void {
  return (thrown) =>
    next(thrown && thrown !== 'route' && thrown !== 'router' ? thrown : invalid('or "onDenied" threw no Error'))
}

function invalid(problem: string): PpoppoError {
  return new PpoppoError('config_invalid', `requireSignIn: "when" ${problem}`)
}
