import type { Request } from 'express'
import { queryOf } from '../http/request-reading.js'
import { digestOf } from '../lib/digest.js'
import { targetOf } from '../lib/request-target.js'
import { readPointer } from '../session/pointer.js'

/** The parameters of an authorization response (RFC 6749 4.1.2, RFC 9207). Either `code` or `error` is present. */
export interface CallbackParams {
  readonly state: string
  readonly code?: string
  readonly error?: string
  readonly iss?: string
}

/** Codes and states are short: a longer URL is not an authorization response. */
const MAX_QUERY_LENGTH = 8_192
const MAX_VALUE_LENGTH = 4_096
const NAMES = ['state', 'code', 'error', 'iss'] as const

/** @returns `undefined` if it is not an authorization response: each parameter at most once, printable and short */
export function parseCallback(req: Request): CallbackParams | undefined {
  if (targetOf(req).length > MAX_QUERY_LENGTH) return undefined
  const query = queryOf(req)
  const found: { -readonly [Name in keyof CallbackParams]?: string } = {}
  for (const name of NAMES) {
    const values = query.getAll(name)
    if (values.length === 0) continue
    const [value = ''] = values
    if (values.length > 1 || value.length > MAX_VALUE_LENGTH || !/^[\x21-\x7e]+$/.test(value)) return undefined
    found[name] = value
  }
  const { state, ...rest } = found
  const hasOneResult = (rest.code === undefined) !== (rest.error === undefined)
  return state === undefined || !hasOneResult ? undefined : { state, ...rest }
}

/*
 * Arrivals: the recent callbacks of a browser that had a code, kept with its sign-in. After "back", PAS may send the same
 * state with another code: the person has chosen an account again, perhaps another one. The attempt is finished, so there
 * is no telling which. The same state with the same code is only a reload.
 */

const MAX_ARRIVALS = 5

/** The arrival of a callback: a digest, since the code may still be valid. `undefined` if there is no code. */
export function arrivalOf({ state, code }: CallbackParams): string | undefined {
  return code === undefined
    ? undefined
    : `${digestOf('state', state).slice(0, 16)}.${digestOf('code', code).slice(0, 16)}`
}

/** Adds an arrival; the newest comes first. */
export function withArrival(known: readonly string[], arrival: string | undefined): readonly string[] {
  if (arrival === undefined || known.includes(arrival)) return known
  return [arrival, ...known].slice(0, MAX_ARRIVALS)
}

/** Whether the state has arrived before, but only with other codes. */
export function isOtherChoice(known: readonly string[], arrival: string | undefined): boolean {
  if (arrival === undefined || known.includes(arrival)) return false
  const state = arrival.slice(0, arrival.indexOf('.') + 1)
  return known.some((one) => one.startsWith(state))
}

/** Records a callback that failed, if somebody is signed in already. */
export function noteArrival(req: Request, pointerKey: string, arrival: string | undefined): void {
  const pointer = readPointer(req.session, pointerKey)
  if (!pointer || arrival === undefined) return
  Reflect.set(req.session, pointerKey, { ...pointer, arrivals: withArrival(pointer.arrivals, arrival) })
}
