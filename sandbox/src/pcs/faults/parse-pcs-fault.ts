import { isJsonObject, type JsonObject } from '../../lib/json.js'
import { isPcsMethod, PCS_METHODS, type PcsMethod } from '../wire/methods.js'
import { FAULT_FIELDS, missingField } from './fault-fields.js'
import { type PcsFault, type PcsFaultRule, pcsFaultKindsOf } from './pcs-fault.js'

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
