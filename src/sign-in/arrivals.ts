import type { Request } from 'express'
import { digestOf } from '../lib/digest.js'
import { readPointer } from '../session/pointer.js'
import type { CallbackParams } from './callback-params.js'

/*
 * Callbacks with a code that a browser has made lately, kept with its sign-in. After "back" PAS may send the same state
 * with another code: somebody has chosen another account, or the same once more. Which, nobody can tell: its attempt is
 * finished. The same state with the same code is a reload, and no choice.
 */

const MAX_ARRIVALS = 5

/** One callback; a digest, as the code may still be good. `undefined` where PAS gave none. */
export function arrivalOf({ state, code }: CallbackParams): string | undefined {
  return code === undefined
    ? undefined
    : `${digestOf('state', state).slice(0, 16)}.${digestOf('code', code).slice(0, 16)}`
}

/** With the newest first. */
export function withArrival(known: readonly string[], arrival: string | undefined): readonly string[] {
  if (arrival === undefined || known.includes(arrival)) return known
  return [arrival, ...known].slice(0, MAX_ARRIVALS)
}

/** Whether the state came before, and with another code only. */
export function isOtherChoice(known: readonly string[], arrival: string | undefined): boolean {
  if (arrival === undefined || known.includes(arrival)) return false
  const state = arrival.slice(0, arrival.indexOf('.') + 1)
  return known.some((one) => one.startsWith(state))
}

/** Keeps a callback that has signed nobody in, for somebody who is signed in already. */
export function noteArrival(req: Request, pointerKey: string, arrival: string | undefined): void {
  const pointer = readPointer(req.session, pointerKey)
  if (!pointer || arrival === undefined) return
  Reflect.set(req.session, pointerKey, { ...pointer, arrivals: withArrival(pointer.arrivals, arrival) })
}
