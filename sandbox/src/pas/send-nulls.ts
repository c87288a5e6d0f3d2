import { endpointOf } from '../endpoints.js'
import { isJsonObject, type JsonObject } from '../lib/json.js'
import type { SandboxState } from '../state/sandbox-state.js'
import type { Context, Middleware } from './middleware.js'

/** What each answer may lack, by endpoint. */
const MAY_LACK: { readonly [endpoint: string]: readonly string[] } = {
  discovery: [
    'end_session_endpoint',
    'revocation_endpoint',
    'authorization_response_iss_parameter_supported',
    'userinfo_signing_alg_values_supported',
    'service_documentation',
  ],
  token: ['refresh_token', 'id_token', 'scope', 'expires_in'],
  userinfo: ['email', 'email_verified', 'account_type', 'entity_type', 'name'],
}
const KEY_MAY_LACK = ['key_ops', 'x5c', 'x5t', 'x5u']

/** With `sendNulls`, members there is nothing for are `null`, as many servers write them, and PAS its `refresh_token`. */
export function sendNulls(state: SandboxState): Middleware {
  return async (ctx, next) => {
    await next()
    if (state.switches.sendNulls && isJsonObject(ctx.body)) ctx.body = withNulls(ctx, ctx.body)
  }
}

function withNulls({ path, status }: Context, body: JsonObject): JsonObject {
  const endpoint = endpointOf(path)
  if (endpoint === undefined) return body
  if (status >= 400) return { ...nullsFor(['error_description', 'error_uri']), ...body }
  if (endpoint !== 'jwks') return { ...nullsFor(MAY_LACK[endpoint] ?? []), ...body }
  const keys: readonly unknown[] = Array.isArray(body['keys']) ? body['keys'] : []
  return { keys: [null, ...keys.map((key) => ({ ...nullsFor(KEY_MAY_LACK), ...(key as JsonObject) }))] }
}

function nullsFor(names: readonly string[]): JsonObject {
  return Object.fromEntries(names.map((name) => [name, null]))
}
