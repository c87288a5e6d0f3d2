/** The gRPC status codes that matter to the client. */
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

/** How a failed call ended. */
export interface CallFailure {
  /** gRPC status code, 1 to 16. */
  readonly code: number
  /** Its message. Not for people: it may hold anything. */
  readonly details: string
  /** How long the server asks to wait, in milliseconds. */
  readonly retryAfterMs?: number
  /** Whether it asks to wait at all; if `retryAfterMs` is absent, the time cannot be read. */
  readonly asksToWait?: boolean
  /** Whether the status came from the server, as far as is known; texts of grpc-js count only if it did not. */
  readonly isFromPeer: boolean
  /** Whether it came with gRPC's content type; `false`: a gateway may have sent it. */
  readonly isGrpc?: boolean
  /** Whether the status came without metadata, so that the text may be grpc-js's own even if headers came. */
  readonly mayBeLocal?: boolean
  /** Size of the encoded request of a unary call. */
  readonly requestBytes?: number
}
