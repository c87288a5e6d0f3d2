import type { JsonObject } from '../lib/json.js'
import type { PcsControl } from '../pcs/pcs-control.js'
import { DECISIONS, type Decision } from '../pcs/state/progress.js'
import { isPcsMethod, PCS_METHODS, type PcsMethod } from '../pcs/wire/methods.js'
import type { SandboxControl } from './control.js'

const MOST_SHOWN = 1000

type Action = (control: SandboxControl, input: JsonObject) => void | Promise<void>

/** What `POST /__sandbox/pcs/<name>` does. */
export const PCS_ACTIONS: { readonly [name: string]: Action } = {
  // `inject` and `seedTemplate` check every field of what they are given.
  '/pcs/faults': ({ pcs }, input) => pcs.inject(input as unknown as Parameters<PcsControl['inject']>[0]),
  '/pcs/clear-faults': ({ pcs }, input) => pcs.clearFaults(methodIn(input)),
  '/pcs/expire-tokens': ({ pcs }) => pcs.expireTokens(),
  '/pcs/end-streams': ({ pcs }) => pcs.endStreams(),
  '/pcs/drop-connections': ({ pcs }) => pcs.dropConnections(),
  '/pcs/seed-template': ({ pcs }, input) => {
    pcs.seedTemplate(input as unknown as Parameters<PcsControl['seedTemplate']>[0])
  },
  '/pcs/set-template-active': ({ pcs }, input) =>
    pcs.setTemplateActive(String(input['templateId']), input['isActive'] === true),
  '/pcs/answer-poll': ({ pcs }, input) =>
    pcs.answerPoll(String(input['pollId']), String(input['ppnum']), String(input['option'])),
  '/pcs/decide': ({ pcs }, input) =>
    pcs.decide(String(input['sendRequestId']), String(input['ppnum']), decisionIn(input)),
  '/pcs/forget-oldest-events': ({ pcs }, input) => pcs.forgetOldestEvents(wholeNumberIn(input, 'count')),
  '/pcs/set-health': ({ pcs }, input) => pcs.setHealth(input['status'] === 'SERVING' ? 'SERVING' : 'NOT_SERVING'),
  '/pcs/restart': ({ pcs }, input) =>
    pcs.restart(input['downMs'] === undefined ? {} : { downMs: wholeNumberIn(input, 'downMs') }),
}

/** The short form, for `GET /__sandbox`. */
export function describePcs({ counters, pendingFaults, activeStreams, connections }: PcsControl): JsonObject {
  return { counters, pendingFaults, activeStreams, connections }
}

/** Everything, with long lists cut to the newest entries: `GET /__sandbox/pcs`. */
export function describePcsFully(pcs: PcsControl): JsonObject {
  const sends = pcs.sends.slice(-MOST_SHOWN).map(({ requestBytes, ...send }) => ({
    ...send,
    ...(requestBytes !== undefined && { requestBase64: Buffer.from(requestBytes).toString('base64') }),
  }))
  return {
    ...describePcs(pcs),
    templates: pcs.templates.slice(-MOST_SHOWN),
    sends,
    messages: pcs.messages.slice(-MOST_SHOWN),
    events: pcs.events.slice(-MOST_SHOWN),
  }
}

function methodIn(input: JsonObject): PcsMethod | undefined {
  const { method } = input
  if (method === undefined || isPcsMethod(method)) return method
  throw new TypeError(`"method" must be one of ${PCS_METHODS.join(', ')}`)
}

/** @throws TypeError listing the known decisions */
export function decisionIn({ decision }: JsonObject): Decision {
  const known = DECISIONS.find((one) => one === decision)
  if (known === undefined) throw new TypeError(`"decision" must be one of ${DECISIONS.join(', ')}`)
  return known
}

function wholeNumberIn(input: JsonObject, name: string): number {
  const value = input[name]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new TypeError(`"${name}" must be a whole number`)
}
