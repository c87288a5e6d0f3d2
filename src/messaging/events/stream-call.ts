import type { Client, Metadata, StatusObject } from '@grpc/grpc-js'
import { isGrpcType } from '../call/page.js'
import { type CallFailure, CODE } from '../call/status.js'
import { textOf, toFailure } from '../call/unary.js'
import { grpc } from '../channel/grpc.js'
import type { Method } from '../descriptor/descriptor.js'

/** A message as proto-loader decodes it. */
export type Wire = Readonly<Record<string, unknown>>

/** One server stream, ready to be opened. */
export interface Opening {
  readonly client: Client
  readonly method: Method
  readonly bytes: Buffer
  readonly token: string
  /** Milliseconds since the epoch. */
  readonly deadline: number
}

/** What is told of a stream; never before the call that opened it has returned. */
export interface StreamListener {
  /** Messages have come. */
  onReadable(): void
  /** gRPC's headers have come. */
  onHeaders(): void
  /** The server's time has come, as HTTP writes it. */
  onDate(date: string | undefined): void
  /** The last there is. Messages that came before may still be read. @param failure absent: status 0 */
  onEnd(failure: CallFailure | undefined): void
}

/** A server stream that is open, or was. */
export interface StreamCall {
  /** The next message, where one has come. */
  read(): Wire | null
  /** Ends it on both sides; `onEnd` follows. */
  cancel(): void
  /** Ends it on both sides, and nothing is told any more. */
  discard(): void
}

const asItIs = (bytes: Buffer): Buffer => bytes

/**
 * Opens a stream. Messages are taken from the wire as they are read, 16 ahead: who reads slowly holds the server back.
 * How it ends is told by its status alone; the `error` event says the same once more.
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
      // A gateway's page has headers, too.
      if (!isDiscarded && isGrpcType(textOf(received, 'content-type'))) listener.onHeaders()
    })
    call.on('status', (status: StatusObject) => {
      if (isDiscarded) return
      // An answer without messages brings its headers here.
      if (headers === undefined) listener.onDate(textOf(status.metadata, 'date'))
      listener.onEnd(status.code === 0 ? undefined : toFailure(status, headers, token))
    })
    // This also asks for the first message: as long as nobody does, grpc-js takes in all that comes.
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

/** The channel was closed between being asked for and being used. */
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
