import { setTimeout as sleep } from 'node:timers/promises'
import type { handleUnaryCall, ServerUnaryCall } from '@grpc/grpc-js'
import type { PcsFault } from '../faults/pcs-fault.js'
import { type AnyCall, assertAuthenticated } from '../state/authenticate.js'
import type { PcsState } from '../state/pcs-state.js'
import { toServiceError } from '../wire/grpc-error.js'
import type { PcsMethod } from '../wire/methods.js'
import { spoilCall } from './spoil-call.js'

/** A method's own work: a request in, an answer out, by the wire's names. A refusal is thrown. */
export type Work = (state: PcsState, request: unknown, fault: PcsFault | undefined) => object

const NOTHING = Symbol('the call is not answered')

/** A unary call: counted, spoiled if a fault is due, authenticated, answered. */
export function unary(state: PcsState, method: PcsMethod, work: Work): handleUnaryCall<unknown, unknown> {
  return (call, callback) => {
    answer(state, method, call, work).then(
      (result) => result === NOTHING || callback(null, result),
      (error: unknown) => callback(toServiceError(error)),
    )
  }
}

async function answer(
  state: PcsState,
  method: PcsMethod,
  call: ServerUnaryCall<unknown, unknown>,
  work: Work,
): Promise<object | typeof NOTHING> {
  const fault = await drawFault(state, method, call)
  if (fault !== undefined && fault.afterProcessing !== true && spoilCall(state, call, fault)) return NOTHING
  admit(state, call)
  const result = work(state, call.request, fault)
  if (fault?.afterProcessing === true && spoilCall(state, call, fault)) return NOTHING
  return result
}

/** Counts a call and waits as long as its fault says; a delay ends with the sandbox. */
export async function drawFault(state: PcsState, method: PcsMethod, call: AnyCall): Promise<PcsFault | undefined> {
  state.counters[method] += 1
  const fault = state.faults.draw(method)
  if (fault?.delayMs !== undefined) {
    await sleep(fault.delayMs, undefined, { signal: state.connections.closingOf(call.getPeer()) }).catch(() => {})
  }
  return fault
}

/** The checks of every call, in the order in which PCS reports what is wrong. */
export function admit(state: PcsState, call: AnyCall): void {
  assertAuthenticated(state, call)
  state.account.assertMayCall()
}
