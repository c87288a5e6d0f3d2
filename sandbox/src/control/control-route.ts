import { ENDPOINTS } from '../endpoints.js'
import { isJsonObject, type JsonObject } from '../lib/json.js'
import { readBody } from '../lib/request-body.js'
import type { Context, Middleware } from '../pas/middleware.js'
import type { SandboxState } from '../state/sandbox-state.js'
import type { SandboxControl } from './control.js'
import { describePcs, describePcsFully, PCS_ACTIONS } from './pcs-actions.js'
import { applySeed, parseSeed } from './seed.js'
import { refusalOfStranger } from './this-machine.js'

const BASE = '/__sandbox'

type Action = (control: SandboxControl, input: JsonObject) => void | Promise<void>

/** What `POST /__sandbox/<name>` does; the answer is the state afterwards. */
const ACTIONS: { readonly [name: string]: Action } = {
  '': (control, input) => control.set(input),
  // `inject` checks every field of what it is given.
  '/faults': (control, input) => control.inject(input as unknown as Parameters<SandboxControl['inject']>[0]),
  '/clear-faults': (control, input) => control.clearFaults(endpointIn(input)),
  '/revoke-user': (control, input) => control.revokeUser(textIn(input, 'person')),
  '/expire-access-tokens': (control, input) =>
    control.expireAccessTokens(input['person'] === undefined ? undefined : textIn(input, 'person')),
  '/rotate-keys': (control, input) => control.rotateKeys({ keepFormer: input['keepFormer'] === true }),
  '/update-person': (control, { person, ...changes }) => control.updatePerson(textIn({ person }, 'person'), changes),
  '/reset': (control) => control.reset(),
  '/start-over': (control) => control.startOver(),
  '/seed': (control, input) => applySeed(control, parseSeed(input)),
  ...PCS_ACTIONS,
}

/** `/__sandbox`: the switches over HTTP, only for programs on this machine. */
export function controlRoute(state: SandboxState, control: SandboxControl): Middleware {
  return async (ctx, next) => {
    if (ctx.path !== BASE && !ctx.path.startsWith(`${BASE}/`)) {
      await next()
      return
    }
    const refusal = refusalOf(ctx, state.port)
    if (refusal !== undefined) return answer(ctx, 403, { error: refusal })
    if (ctx.method === 'GET' && ctx.path === BASE) return answer(ctx, 200, describe(state, control))
    if (!control.hasPcs && ctx.path.startsWith(`${BASE}/pcs`)) {
      return answer(ctx, 404, { error: 'the messaging service is not running' })
    }
    if (ctx.method === 'GET' && ctx.path === `${BASE}/pcs`) return answer(ctx, 200, describePcsFully(control.pcs))
    const action = Object.hasOwn(ACTIONS, ctx.path.slice(BASE.length))
      ? ACTIONS[ctx.path.slice(BASE.length)]
      : undefined
    if (ctx.method !== 'POST' || action === undefined) {
      const paths = Object.keys(ACTIONS).map((name) => `POST ${BASE}${name}`)
      return answer(ctx, 404, { error: `there is GET ${BASE}, GET ${BASE}/pcs, ${paths.join(', ')}` })
    }
    if (!ctx.is('application/json')) return answer(ctx, 415, { error: 'send a JSON object as application/json' })
    try {
      await action(control, await readJson(ctx))
      answer(ctx, 200, describe(state, control))
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      answer(ctx, 400, { error: error.message })
    }
  }
}

/** A web page open in a browser on this machine must not be able to drive the sandbox. */
function refusalOf(ctx: Context, port: number): string | undefined {
  const isFromPage = ctx.get('Origin') !== '' || !['', 'none'].includes(ctx.get('Sec-Fetch-Site'))
  return refusalOfStranger(ctx, port) ?? (isFromPage ? 'the control route does not answer web pages' : undefined)
}

function describe(state: SandboxState, control: SandboxControl): JsonObject {
  const { switches, pendingFaults, counters, issuedTokens, people } = control
  const pcs = control.hasPcs ? { pcs: describePcs(control.pcs) } : {}
  return { issuer: state.issuer, switches, pendingFaults, counters, issuedTokens, people, ...pcs }
}

async function readJson(ctx: Context): Promise<JsonObject> {
  const text = await readBody(ctx.req)
  if (text === undefined) throw new TypeError('the body is larger than 64 KiB')
  const value = text === '' ? {} : parseJson(text)
  if (!isJsonObject(value)) throw new TypeError('the body must be a JSON object')
  return value
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new TypeError('the body is not valid JSON')
  }
}

function textIn(input: JsonObject, name: string): string {
  const value = input[name]
  if (typeof value !== 'string') throw new TypeError(`"${name}" is missing: it must be a text`)
  return value
}

function endpointIn(input: JsonObject): (typeof ENDPOINTS)[number] | undefined {
  const value = input['endpoint']
  if (value === undefined) return undefined
  const endpoint = ENDPOINTS.find((known) => known === value)
  if (endpoint === undefined) throw new TypeError(`"endpoint" must be one of ${ENDPOINTS.join(', ')}`)
  return endpoint
}

function answer(ctx: Context, status: number, body: JsonObject): void {
  ctx.status = status
  ctx.set('Cache-Control', 'no-store')
  ctx.body = body
}
