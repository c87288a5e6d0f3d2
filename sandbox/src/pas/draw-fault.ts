import { endpointOf } from '../endpoints.js'
import { isCallbackFault } from '../faults/fault.js'
import { peekForm } from '../lib/peek-form.js'
import type { SandboxState } from '../state/sandbox-state.js'
import { answerWithFault } from './answer-fault.js'
import type { Context, Middleware } from './middleware.js'

/** Counts a request, and applies the fault that is due. */
export function drawFault(state: SandboxState): Middleware {
  return async (ctx, next) => {
    const endpoint = endpointOf(ctx.path)
    if (endpoint === undefined) {
      await next()
      return
    }
    const grantType = endpoint === 'token' ? await grantTypeOf(ctx) : undefined
    state.counters[endpoint] += 1
    if (grantType === 'authorization_code') state.counters.tokenAuthorizationCode += 1
    if (grantType === 'refresh_token') state.counters.tokenRefresh += 1
    if (grantType === 'client_credentials') state.counters.tokenClientCredentials += 1
    const fault = state.faults.draw(ctx.req, endpoint, (rule) => {
      const isForThisGrant = rule.grantType === undefined || rule.grantType === grantType
      return isForThisGrant && !isCallbackFault(rule.fault)
    })
    if (fault === undefined) await next()
    else await answerWithFault(state, ctx, next, fault)
  }
}

async function grantTypeOf(ctx: Context): Promise<string | undefined> {
  return (await peekForm(ctx.req)).get('grant_type') ?? undefined
}
