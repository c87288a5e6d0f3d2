import { IncomingMessage } from 'node:http'
import type { NextFunction, Request, Response } from 'express'
import { assertCallOptions } from '../config/call-options.js'
import type { Config } from '../config/options.js'
import { PpoppoError } from '../errors.js'
import { isWholeNumber } from '../lib/guards.js'
import { type LoginWishes, toLinkParams, WISH_OPTIONS } from '../login-link/login-params.js'

/** Why a guard does not let somebody pass. */
export interface SignInDenial {
  /**
   * `signed_out`: nobody is signed in. `sign_in_too_old`: older than `maxAgeMs`. `scope_shortfall`: without one of `scopes`.
   * `forbidden`: `when` answered `false`.
   */
  readonly reason: 'signed_out' | 'sign_in_too_old' | 'scope_shortfall' | 'forbidden'
  /** The status of the library's answer to a client that is not a browser. */
  readonly status: 401 | 403
  /** With `scope_shortfall`: the scopes that the sign-in lacks. */
  readonly missing?: readonly string[]
}

/** Options of `auth.requireSignIn()`. */
export interface RequireSignInOptions extends LoginWishes {
  /** Where to go after signing in. @default the requested page; for a form, the page it was on */
  readonly returnTo?: string
  /**
   * The oldest sign-in that may pass, in milliseconds; 60,000 or more, since the clocks of servers differ. After that the
   * person signs in again and comes back; PAS is asked to ask for their credentials (`prompt=login`). @default any age
   */
  readonly maxAgeMs?: number
  /**
   * Scopes that the sign-in must have; each must be one that `ppoppo()` requests. A sign-in from before the app requested
   * them is done again. @default none
   */
  readonly scopes?: readonly string[]
  /**
   * Whether this person may pass, asked last, only of people who are signed in. It must answer within 10 seconds; what it
   * throws goes to `next(error)`. @default everybody may
   */
  readonly when?: (req: Request) => boolean | Promise<boolean>
  /**
   * Answers those who may not pass. `next()` gives the library's answer, `next(error)` does as in Express, and so does
   * `next('route')` in a route: nobody passes by mistake. Not called while the store is down, since nobody is denied then.
   * @default the sign-in, 401 or 403
   */
  readonly onDenied?: (req: Request, res: Response, next: NextFunction, denial: SignInDenial) => unknown
}

/** {@link RequireSignInOptions}, checked. */
export interface GuardSettings extends Omit<RequireSignInOptions, keyof LoginWishes | 'scopes'> {
  readonly scopes: readonly string[]
  /** Parameters of the link to login. */
  readonly wishes: Readonly<Record<string, string>>
}

const OPTION_NAMES = ['returnTo', 'maxAgeMs', 'scopes', 'when', 'onDenied', ...WISH_OPTIONS]
const SHORTEST_AGE_MS = 60_000

/** @throws `config_invalid` for an unknown or wrong option */
export function parseGuardOptions(options: RequireSignInOptions, { scope }: Pick<Config, 'scope'>): GuardSettings {
  // `app.get('/x', auth.requireSignIn, ...)`: Express calls it with a request.
  if (options instanceof IncomingMessage) {
    throw new PpoppoError(
      'config_invalid',
      'requireSignIn returns a guard: write auth.requireSignIn(), with parentheses',
    )
  }
  assertCallOptions(options, OPTION_NAMES, 'requireSignIn')
  const { returnTo, maxAgeMs, scopes = [], when, onDenied } = options
  if (returnTo !== undefined && typeof returnTo !== 'string') throw invalid('"returnTo" must be a string')
  if (maxAgeMs !== undefined && !isWholeNumber(maxAgeMs, SHORTEST_AGE_MS, Number.MAX_SAFE_INTEGER))
    throw invalid(`"maxAgeMs" must be a whole number of milliseconds, ${SHORTEST_AGE_MS} or more`)
  for (const name of ['when', 'onDenied'])
    if (options[name] !== undefined && typeof options[name] !== 'function')
      throw invalid(`"${name}" must be a function`)
  assertScopes(scopes, scope)
  return {
    ...(returnTo === undefined ? {} : { returnTo }),
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
    ...(when === undefined ? {} : { when: when as NonNullable<RequireSignInOptions['when']> }),
    ...(onDenied === undefined ? {} : { onDenied: onDenied as NonNullable<RequireSignInOptions['onDenied']> }),
    scopes: [...scopes],
    wishes: toLinkParams(options as LoginWishes, 'requireSignIn'),
  }
}

/** What is not requested is never granted: nobody would ever pass. */
function assertScopes(scopes: unknown, requested: readonly string[]): asserts scopes is readonly string[] {
  if (!Array.isArray(scopes) || !scopes.every((scope) => typeof scope === 'string'))
    throw invalid('"scopes" must be a list of scopes, such as ["messaging"]')
  const index = scopes.findIndex((scope) => !requested.includes(scope))
  if (index >= 0)
    throw invalid(
      `"scopes[${index}]" is not a scope that this app requests; add it to the option "scope" (PPOPPO_SCOPE)`,
    )
}

function invalid(problem: string): PpoppoError {
  return new PpoppoError('config_invalid', `requireSignIn: ${problem}`)
}
