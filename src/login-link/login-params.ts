import type { Request } from 'express'
import { type AuthorizationParams, faultOfAuthorizationParams } from '../config/authorization-params.js'
import type { Config } from '../config/options.js'
import { PpoppoError } from '../errors.js'
import { inputOf } from '../http/request-reading.js'
import { APP_DEADLINE_MS, askApp } from '../lib/ask-app.js'
import { TIMED_OUT } from '../lib/wait.js'

/** Preferences for one login that its link may carry. Anybody can write a link, so they do not affect any check. */
export interface LoginWishes {
  /**
   * What PAS asks for even if it knows the browser: `'login'` for the person's credentials, `'select_account'` for the
   * account (`'login'` if PAS does not announce support), `'consent'` for permission.
   */
  readonly prompt?: 'login' | 'select_account' | 'consent'
  /** Who is expected to sign in, e.g. a ppnum: PAS shows it to the person and never trusts it. At most 256 characters. */
  readonly loginHint?: string
  /** Languages of PAS's pages, BCP 47, preferred first, separated by spaces: `'ko en'`. */
  readonly uiLocales?: string
}

/** Option -> parameter of the link and of the authorization request, and its format. */
const WISHES = {
  prompt: {
    name: 'prompt',
    form: /^(?:login|select_account|consent)$/,
    problem: 'must be "login", "select_account" or "consent"',
  },
  loginHint: {
    name: 'login_hint',
    form: /^[^\p{Cc}\u2028\u2029]{1,256}$/u,
    problem: 'must be a string of 1 to 256 characters',
  },
  uiLocales: {
    name: 'ui_locales',
    form: /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}(?: [A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}){0,9}$/,
    problem: 'must be languages separated by spaces, such as "ko en" (BCP 47)',
  },
} as const satisfies Record<keyof LoginWishes, { name: string; form: RegExp; problem: string }>

/** Names of the options. */
export const WISH_OPTIONS: readonly string[] = Object.keys(WISHES)
/** Names of the link's parameters. */
export const WISH_PARAMS: readonly string[] = Object.values(WISHES).map(({ name }) => name)

/** The link parameters for `wishes`. @param call the function that got them as options @throws `config_invalid` */
export function toLinkParams(wishes: LoginWishes, call: string): Readonly<Record<string, string>> {
  const params: Record<string, string> = {}
  for (const [option, { name, form, problem }] of Object.entries(WISHES)) {
    const value: unknown = wishes[option as keyof LoginWishes]
    if (value === undefined) continue
    if (typeof value !== 'string' || !form.test(value)) {
      throw new PpoppoError('config_invalid', `${call}: "${option}" ${problem}`)
    }
    params[name] = value
  }
  return params
}

/** The preferences that a login request carries, as parameters. What is malformed is ignored. */
export function wishesOf(req: Request): AuthorizationParams {
  const found = Object.values(WISHES).map(({ name, form }) => {
    const value = inputOf(req, name)
    return value !== undefined && form.test(value) ? ([name, value] as const) : undefined
  })
  return Object.fromEntries(found.filter((entry) => entry !== undefined))
}

/**
 * The app's own parameters for one login. They override those of the link.
 * @throws `config_invalid` if the function takes too long or returns invalid parameters; otherwise what it throws
 */
export async function appParamsOf(
  config: Pick<Config, 'authorizationParams'>,
  req: Request,
): Promise<AuthorizationParams> {
  const { authorizationParams: given } = config
  if (typeof given !== 'function') return given ?? {}
  const answer = await askApp(() => given(req))
  if (answer === undefined) return {}
  if (answer === TIMED_OUT) throw invalid('', `took longer than ${APP_DEADLINE_MS / 1000} s`)
  const params = isObject(answer) ? withoutUndefined(answer) : answer
  const fault = faultOfAuthorizationParams(params)
  if (fault) throw invalid(fault.name, fault.problem)
  return params as AuthorizationParams
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function withoutUndefined(params: object): object {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined))
}

function invalid(name: string, problem: string): PpoppoError {
  return new PpoppoError('config_invalid', `"authorizationParams${name === '' ? '' : `.${name}`}" ${problem}`)
}
