import { isJsonObject, type JsonObject } from '../../lib/json.js'
import { isPcsMethod, PCS_METHODS, type PcsMethod } from '../wire/methods.js'
import { FAULT_FIELDS, missingField } from './fault-fields.js'

/** Every method can go wrong in these ways. */
export const CALL_FAULTS = ['status', 'delay', 'drop', 'rst', 'hang', 'expire-token'] as const

/** What each method can do wrong beyond `CALL_FAULTS`. */
const OWN_FAULTS: {
  readonly CreateSendRequest: readonly ['fail-request', 'unknown-enum']
  readonly GetSendRequestStatus: readonly ['unknown-enum']
  readonly StreamSendRequestEvents: readonly ['end-after', 'end-every', 'duplicate', 'out-of-order', 'unknown-enum']
  readonly CreateTemplate: readonly []
  readonly GetPollResults: readonly []
  readonly ListPollResponses: readonly []
  readonly GetAppStats: readonly []
} = {
  CreateSendRequest: ['fail-request', 'unknown-enum'],
  GetSendRequestStatus: ['unknown-enum'],
  StreamSendRequestEvents: ['end-after', 'end-every', 'duplicate', 'out-of-order', 'unknown-enum'],
  CreateTemplate: [],
  GetPollResults: [],
  ListPollResponses: [],
  GetAppStats: [],
}

export type PcsFaultKind = (typeof CALL_FAULTS)[number] | (typeof OWN_FAULTS)[PcsMethod][number]

/** One way a call goes wrong. The README's table says which field belongs to which kind. */
export interface PcsFault {
  readonly kind: PcsFaultKind
  /** `status`: a gRPC status, by number (1 to 16) or name. */
  readonly code?: number | string
  /** `status`: the text that goes with it. */
  readonly details?: string
  /** `status`: names and values of trailers. */
  readonly trailers?: { readonly [name: string]: string }
  /** Wait this long first; goes with every kind, and is all that `delay` does. */
  readonly delayMs?: number
  /** `rst`: the HTTP/2 error code. @default 2 (INTERNAL_ERROR) */
  readonly rstCode?: number
  /** `end-after`: how many events; `drop`, `rst`, `status` on a stream: after how many. @default 0 */
  readonly events?: number
  /** `end-every`: the life of a stream. */
  readonly everyMs?: number
  /** Do the work first (accept the send), then spoil the answer. @default false */
  readonly afterProcessing?: boolean
}

/** Which calls a fault is for. */
export interface PcsFaultRule {
  readonly method: PcsMethod
  readonly fault: PcsFault
  /** How many calls. @default 1 */
  readonly times?: number | 'until-cleared'
}

/** Every kind a method knows, for messages and for the README's table. */
export function pcsFaultKindsOf(method: PcsMethod): readonly PcsFaultKind[] {
  return [...CALL_FAULTS, ...OWN_FAULTS[method]]
}

/**
 * Checks a fault rule, from code or from the control route.
 * @throws TypeError naming the field and listing what it takes.
 */
export function parsePcsFaultRule(input: unknown): PcsFaultRule {
  if (!isJsonObject(input)) throw new TypeError('a fault rule must be an object with "method" and "fault"')
  assertKnownFields(input, ['method', 'fault', 'times'], '')
  const { method, fault, times } = input
  if (!isPcsMethod(method)) throw new TypeError(`"method" must be one of ${PCS_METHODS.join(', ')}`)
  if (times !== undefined && times !== 'until-cleared' && !(Number.isSafeInteger(times) && Number(times) > 0)) {
    throw new TypeError('"times" must be a positive whole number or "until-cleared"')
  }
  return {
    method,
    fault: parseFault(fault, method),
    ...(times !== undefined && { times: times === 'until-cleared' ? times : Number(times) }),
  }
}

function parseFault(input: unknown, method: PcsMethod): PcsFault {
  const kinds = pcsFaultKindsOf(method)
  const kind = isJsonObject(input) ? kinds.find((known) => known === input['kind']) : undefined
  if (!isJsonObject(input) || kind === undefined) {
    throw new TypeError(`"fault.kind" for method "${method}" must be one of ${kinds.join(', ')}`)
  }
  assertKnownFields(input, ['kind', ...Object.keys(FAULT_FIELDS)], 'fault.')
  for (const [name, [wants, accepts]] of Object.entries(FAULT_FIELDS)) {
    if (input[name] !== undefined && !accepts(input[name])) throw new TypeError(`"fault.${name}" must be ${wants}`)
  }
  const missing = missingField(kind, input)
  if (missing !== undefined) throw new TypeError(missing)
  return { ...input, kind }
}

function assertKnownFields(input: JsonObject, known: readonly string[], prefix: string): void {
  const stray = Object.keys(input).find((name) => !known.includes(name))
  if (stray === undefined) return
  throw new TypeError(`"${prefix}${stray}" is not a known field; known are ${known.join(', ')}`)
}
