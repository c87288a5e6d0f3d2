/*
 * Parameters that an app adds to the authorization request: which it may set, and which are reserved for the library.
 */
import { isPlainObject } from '../lib/guards.js'

/** Parameters of an authorization request by their names on the wire, e.g. `{ ui_locales: 'ko' }`. */
export type AuthorizationParams = Readonly<Record<string, string>>

/** Parameters that the library sets or does not support -> the option that sets it, if there is one. */
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
 * What is wrong with the parameters of an app, as the rest of a sentence that starts with their name; `undefined` if nothing
 * is. It never contains a value.
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
  if (!/^[\x21-\x7e]{1,100}$/.test(name)) return 'is not a valid parameter name'
  if (typeof value !== 'string' || value === '' || value.length > MAX_VALUE_LENGTH || /\p{Cc}/u.test(value)) {
    return `must be a string of 1 to ${MAX_VALUE_LENGTH} characters without control characters`
  }
  if (name === 'max_age' && !/^\d{1,9}$/.test(value)) return 'must be a whole number of seconds, as a string'
  return undefined
}
