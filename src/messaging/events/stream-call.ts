import type { Client, Metadata, StatusObject } from '@grpc/grpc-js'
import { isGrpcType } from '../call/page.js'
import { type CallFailure, CODE } from '../call/status.js'
import { textOf, toFailure } from '../call/unary.js'
import { grpc } from '../channel/grpc.js'
import type { Method } from '../descriptor/descriptor.js'

/** A message as proto-loader decodes it. */
export type Wire = Readonly<Record<string, unknown>>

/** A server stream that is ready to be opened. */
export interface Opening {
  readonly client: Client
  readonly method: Method
  readonly bytes: Buffer
  readonly token: string
  /** Milliseconds since the epoch. */
  readonly deadline: number
}

/** Callbacks of a stream, never called before {@link openStreamCall} has returned. */
export interface StreamListener {
  /** Messages have arrived. */
  onReadable(): void
  /** Headers of gRPC have arrived. */
  onHeaders(): void
  /** The `date` header of the answer. */
  onDate(date: string | undefined): void
  /** Called last. Messages that arrived before can still be read. @param failure absent for status 0 */
  onEnd(failure: CallFailure | undefined): void
}

/** A server stream that is open, or has ended. */
export interface StreamCall {
  /** The next message, if one has arrived. */
  read(): Wire | null
  /** Ends it, on the server too; `onEnd` follows. */
  cancel(): void
  /** Ends it, on the server too; no callback is called any more. */
  discard(): void
}

const asItIs = (bytes: Buffer): Buffer => bytes

/**
 * Opens a stream. Messages are taken from the wire as they are read, at most 16 ahead, so a slow reader slows the server
 * down. Only the status says how a stream ended; the `error` event repeats it.
 */
export function openStreamCall(opening: Opening, listener: StreamListener): StreamCall {
  const { client, method, bytes, token, deadline } = opening
  const metadata = new (grpc().Metadata)()
  metadata.set('authorization', `Bearer ${token}`)
  const read = (message: Buffer): object => method.deserialize(message)
  try {
    const call = client.makeServerStreamRequest(method.path, asItIs, read, bytes, metadata, { deadline })
    let isDiscarded = false
    let headers: Metadata | undefined
    call.on('error', () => {})
    call.on('metadata', (received: Metadata) => {
      headers = received
      if (!isDiscarded) listener.onDate(textOf(received, 'date'))
      // A gateway's page has headers too.
      if (!isDiscarded && isGrpcType(textOf(received, 'content-type'))) listener.onHeaders()
    })
    call.on('status', (status: StatusObject) => {
      if (isDiscarded) return
      // An answer without messages has its headers here.
      if (headers === undefined) listener.onDate(textOf(status.metadata, 'date'))
      listener.onEnd(status.code === 0 ? undefined : toFailure(status, headers, token))
    })
    // Listening also asks for the first message; until something does, grpc-js buffers everything that arrives.
    call.on('readable', () => {
      if (!isDiscarded) listener.onReadable()
    })
    return {
      read: () => call.read() as Wire | null,
      cancel: () => call.cancel(),
      discard: () => {
        isDiscarded = true
        call.cancel()
      },
    }
  } catch {
    return neverOpened(listener)
  }
}

/** The channel was closed before the call could be made on it. */
function neverOpened(listener: StreamListener): StreamCall {
  let isDiscarded = false
  queueMicrotask(() => {
    if (isDiscarded) return
    listener.onEnd({ code: CODE.unavailable, details: 'Channel has been shut down', isFromPeer: false })
  })
  return {
    read: () => null,
    cancel: () => {},
    discard: () => {
      isDiscarded = true
    },
  }
}
