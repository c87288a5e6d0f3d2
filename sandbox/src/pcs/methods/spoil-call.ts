import { statusOf } from '../faults/fault-fields.js'
import type { PcsFault } from '../faults/pcs-fault.js'
import { type AnyCall, bearerOf } from '../state/authenticate.js'
import type { PcsState } from '../state/pcs-state.js'
import { GrpcError } from '../wire/grpc-error.js'

const INTERNAL_ERROR = 2

/** Ends a call the way a fault says; `false` where the fault leaves it to be answered. A status is thrown. */
export function spoilCall(state: PcsState, call: AnyCall, fault: PcsFault): boolean {
  switch (fault.kind) {
    case 'status':
      throw new GrpcError(statusOf(fault.code) ?? 2, fault.details ?? 'requested by a fault', fault.trailers)
    case 'drop':
      state.connections.reset(call.getPeer())
      return true
    case 'rst':
      resetStream(call, fault.rstCode ?? INTERNAL_ERROR)
      return true
    case 'hang':
      return true
    case 'expire-token':
      state.ledger.expireExternalToken(bearerOf(call))
      return false
    default:
      return false
  }
}

/** grpc-js has no public way to end a call with a bare RST_STREAM, so this reaches for the HTTP/2 stream behind it. */
function resetStream(call: AnyCall, rstCode: number): void {
  const stream: unknown = read(read(call, 'call'), 'stream')
  if (!isResettable(stream)) throw new Error('this version of grpc-js hides its HTTP/2 stream; "rst" cannot work')
  stream.close(rstCode)
}

function read(object: unknown, name: string): unknown {
  return typeof object === 'object' && object !== null ? Reflect.get(object, name) : undefined
}

function isResettable(value: unknown): value is { close(code: number): void } {
  return typeof read(value, 'close') === 'function'
}
