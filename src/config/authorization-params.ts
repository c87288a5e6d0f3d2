/*
 * Parameters that an app adds to the authorization request: what it may, and what is the library's alone.
 */
import { isPlainObject } from '../lib/guards.js'

/** Parameters of an authorization request by their names on the wire, e.g. `{ ui_locales: 'ko' }`. */
export type AuthorizationParams = Readonly<Record<string, string>>

/** Set by the library, or meaning something it does not do; where an option sets it, that one's name. */
const RESERVED: Readonly<Record<string, string | undefined>> = {
  client_id: 'clientId',
  redirect_uri: 'mountPath',
  scope: 'scope',
  resource: 'resource',
  ...Object.fromEntries(
    [
      ...['response_type', 'response_mode', 'state', 'nonce', 'code_challenge', 'code_challenge_method', 'iss'],
      ...['request', 'request_uri', 'registration', 'id_token_hint', 'client_secret', 'client_assertion'],
      ...['client_assertion_type', 'code', 'code_verifier', 'grant_type', 'dpop_jkt', 'error'],
    ].map((name) => [name, undefined]),
  ),
}
const MAX_VALUE_LENGTH = 2_000
const MAX_PARAMS = 30

/**
 * What is wrong with parameters of an app, in words that follow their name; `undefined` where all is well.
 * Values are never repeated.
 */
export function faultOfAuthorizationParams(
  given: unknown,
): { readonly name: string; readonly problem: string } | undefined {
  if (!isPlainObject(given)) return { name: '', problem: 'must be an object, such as { ui_locales: "ko" }' }
  const entries = Object.entries(given)
  if (entries.length > MAX_PARAMS) return { name: '', problem: `must not have more than ${MAX_PARAMS} parameters` }
  for (const [key, value] of entries) {
    const name = /^[A-Za-z_][\w.-]{0,60}$/.test(key) ? key : '(odd name)'
    const problem = faultOfParam(key, value)
    if (problem !== undefined) return { name, problem }
  }
  return undefined
}

function faultOfParam(name: string, value: unknown): string | undefined {
  const lower = name.toLowerCase()
  if (Object.hasOwn(RESERVED, lower)) {
    const option = RESERVED[lower]
    return option === undefined
      ? 'is reserved: the library sets it, or does not support it'
      : `is reserved: it follows from the option "${option}"`
  }
  if (!/^[\x21-\x7e]{1,100}$/.test(name)) return 'is not the name of a parameter'
  if (typeof value !== 'string' || value === '' || value.length > MAX_VALUE_LENGTH || /\p{Cc}/u.test(value)) {
    return `must be a text of 1 to ${MAX_VALUE_LENGTH} characters without control characters`
  }
  if (name === 'max_age' && !/^\d{1,9}$/.test(value)) return 'must be a whole number of seconds, as a text'
  return undefined
}
