import type { Client, Metadata, ServiceError } from '@grpc/grpc-js'
import { grpc } from '../channel/grpc.js'
import type { Method } from '../descriptor/descriptor.js'
import { readRetryHint } from '../lib/retry-after.js'
import type { CallScope } from '../lib/scope.js'
import { CallFailed, toUnmade } from './failure.js'
import { isGrpcType } from './page.js'
import { CANNOT_DECOMPRESS } from './retry-policy.js'
import { type CallFailure, CODE } from './status.js'

/** A unary call ready to be made: encoded once, however often it is tried. */
export interface Prepared {
  readonly method: Method
  readonly bytes: Buffer
}

/** The messages of grpc-js are shorter, and people read less. */
const MAX_DETAILS = 1_000

/** grpc-js reports a stream reset with INADEQUATE_SECURITY as PERMISSION_DENIED, although nobody denied anything. */
const INSECURE = 'Protocol not secure enough'

const asItIs = (bytes: Buffer): Buffer => bytes

/**
 * One attempt. Rejects with a {@link CallFailed}, or with the scope's reason if that ends first; then the call is cancelled,
 * so that the server stops too.
 */
export function callUnary(
  client: Client,
  { method, bytes }: Prepared,
  token: string,
  scope: CallScope,
): Promise<object> {
  return new Promise((resolve, reject) => {
    let headers: Metadata | undefined
    let unsubscribe = (): void => {}
    const metadata = new (grpc().Metadata)()
    metadata.set('authorization', `Bearer ${token}`)
    try {
      const deadline = Date.now() + Math.max(0, scope.remainingMs())
      const onAnswer = (error: ServiceError | null, answer?: object): void => {
        unsubscribe()
        if (error) reject(new CallFailed({ ...toFailure(error, headers, token), requestBytes: bytes.length }))
        else resolve(answer ?? {})
      }
      const call = withoutStack(() =>
        client.makeUnaryRequest(method.path, asItIs, method.deserialize, bytes, metadata, { deadline }, onAnswer),
      )
      call.on('metadata', (received: Metadata) => {
        headers = received
      })
      // grpc-js answers in a later turn at the earliest.
      unsubscribe = scope.onEnd((reason) => {
        reject(reason)
        call.cancel()
      })
    } catch (error) {
      reject(toUnsent(client, error))
    }
  })
}

/** grpc-js records where each call was made, for errors whose stack nobody sees here: that takes a twentieth of a call's time. */
function withoutStack<T>(work: () => T): T {
  const { stackTraceLimit } = Error
  // Does not throw if somebody has frozen `Error`.
  Reflect.set(Error, 'stackTraceLimit', 0)
  try {
    return work()
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  }
}

/** For what grpc-js throws before anything is sent: the channel was closed meanwhile, or the call cannot be made. */
function toUnsent(client: Client, cause: unknown): Error {
  if (client.getChannel().getConnectivityState(false) !== grpc().connectivityState.SHUTDOWN) return toUnmade(cause)
  return new CallFailed({ code: CODE.unavailable, details: 'Channel has been shut down', isFromPeer: false })
}

/** The status that grpc-js reports. A hostile peer can make it omit what its types promise. */
export interface ReportedStatus {
  readonly code?: number | undefined
  readonly details?: string | undefined
  readonly metadata?: Metadata | undefined
}

/**
 * What is known about a failed call. Called in callbacks of grpc-js, where an exception would end the process, so it accepts
 * whatever is reported.
 * @param headers headers that came separately from the status
 */
export function toFailure(status: ReportedStatus, headers: Metadata | undefined, token: string): CallFailure {
  // A trailers-only status has its headers in its own metadata; the headers of a gateway's page come separately.
  const received = (name: string): string | undefined => textOf(status.metadata, name) ?? textOf(headers, name)
  const statusDetails = bytesOf(status.metadata, 'grpc-status-details-bin')
  const hint = readRetryHint({ text: received, statusDetails, now: Date.now() })
  // A status made by grpc-js itself has no metadata; one from a server has, even if no headers came before it.
  const mayBeLocal = Object.keys(status.metadata?.getMap() ?? {}).length === 0
  const isReset = mayBeLocal && status.code === CODE.permissionDenied && status.details === INSECURE
  return {
    ...codeAndDetails(isReset ? { code: CODE.internal, details: INSECURE } : status, token),
    ...(hint && { asksToWait: true, ...(hint.afterMs !== undefined && { retryAfterMs: hint.afterMs }) }),
    isFromPeer: headers !== undefined || !mayBeLocal,
    mayBeLocal,
    isGrpc: isGrpcType(received('content-type')),
  }
}

function codeAndDetails({ code, details }: ReportedStatus, token: string): Pick<CallFailure, 'code' | 'details'> {
  if (code === undefined && details === undefined) return { code: CODE.internal, details: CANNOT_DECOMPRESS }
  const isStatus = Number.isInteger(code) && code !== undefined && code > 0 && code <= CODE.unauthenticated
  return {
    // A number that is not a gRPC status counts as UNKNOWN.
    code: isStatus ? code : CODE.unknown,
    // A server that echoes the request must not bring the token into an error.
    details: withoutToken(inPlain(String(details ?? '')), token).slice(0, MAX_DETAILS),
  }
}

/** Decodes what grpc-js leaves percent-encoded in a status message, because it uses decodeURI: `:`, `/`, `+` and others. */
function inPlain(text: string): string {
  return text.replace(/%(?:2[346BCF]|3[ABDF]|40)/gi, (encoded) => decodeURIComponent(encoded))
}

function withoutToken(text: string, token: string): string {
  return token === '' ? text : text.replaceAll(token, '[removed]')
}

/** The first value of a trailer that ends in `-bin`. */
function bytesOf(metadata: Metadata | undefined, name: string): Uint8Array | undefined {
  const value = metadata?.get(name)[0]
  return value instanceof Uint8Array ? value : undefined
}

/** The first value of a header or trailer, if it is a string. */
export function textOf(metadata: Metadata | undefined, name: string): string | undefined {
  const value = metadata?.get(name)[0]
  return typeof value === 'string' ? value : undefined
}
