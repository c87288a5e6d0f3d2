import type { PcsMethod } from '../wire/methods.js'

/** Faults that every method can have. */
export const CALL_FAULTS = ['status', 'delay', 'drop', 'rst', 'hang', 'expire-token'] as const

/** Faults of single methods, besides `CALL_FAULTS`. */
const OWN_FAULTS = {
  CreateSendRequest: ['fail-request', 'unknown-enum'],
  GetSendRequestStatus: ['unknown-enum'],
  StreamSendRequestEvents: ['end-after', 'end-every', 'duplicate', 'out-of-order', 'unknown-enum'],
} as const

export type PcsFaultKind = (typeof CALL_FAULTS)[number] | (typeof OWN_FAULTS)[keyof typeof OWN_FAULTS][number]

/** One way a call fails. The README's table says which field belongs to which kind. */
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
  const own: { readonly [M in PcsMethod]?: readonly PcsFaultKind[] } = OWN_FAULTS
  return [...CALL_FAULTS, ...(own[method] ?? [])]
}
