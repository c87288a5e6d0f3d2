/** gRPC's status codes that count here. */
export const CODE = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const

/** How a call ended that did not end well. */
export interface CallFailure {
  /** gRPC status code, 1 to 16. */
  readonly code: number
  /** The text beside it. Not for people: it may hold anything. */
  readonly details: string
  /** What the server asks to wait, in milliseconds. */
  readonly retryAfterMs?: number
  /** Whether it asks to wait at all: without `retryAfterMs` it does not say readably for how long. */
  readonly asksToWait?: boolean
  /** Whether the status came from the other side, as far as can be told; texts of grpc-js count only where it did not. */
  readonly isFromPeer: boolean
  /** Whether it came in an answer that calls itself gRPC; `false`: a gateway on the way may have made it. */
  readonly isGrpc?: boolean
  /** Whether nothing came with the status itself, so that the text may be grpc-js's own even after headers came. */
  readonly mayBeLocal?: boolean
  /** Size of the request, encoded, of a unary call. */
  readonly requestBytes?: number
}
