import type {
  Client,
  InterceptingListener,
  Interceptor,
  InterceptorOptions,
  Metadata,
  NextCall,
  StatusObject,
} from '@grpc/grpc-js'
import { isGrpcType } from '../call/page.js'
import { type CallFailure, CODE } from '../call/status.js'
import { textOf, toFailure } from '../call/unary.js'
import { grpc } from '../channel/grpc.js'
import type { MessagingEvent } from '../types/events.js'

/** A server stream that is ready to be opened. */
export interface Opening {
  readonly client: Client
  /** Path of the method. */
  readonly path: string
  /** The request. */
  readonly bytes: Buffer
  readonly decode: (message: Buffer) => MessagingEvent
  readonly token: string
  /** Milliseconds since the epoch. */
  readonly deadline: number
}

/** Callbacks of a stream, never called before {@link openStreamCall} has returned. */
export interface StreamListener {
  /** Events have arrived. */
  onReadable(): void
  /** Headers of gRPC have arrived. */
  onHeaders(): void
  /** The `date` header of the answer. */
  onDate(date: string | undefined): void
  /** Called last. Events that arrived before can still be read. @param failure absent for status 0 */
  onEnd(failure: CallFailure | undefined): void
}

/** A server stream that is open, or has ended. */
export interface StreamCall {
  /** The next event, if one has arrived. */
  read(): MessagingEvent | undefined
  /** Ends it, on the server too; `onEnd` follows. */
  cancel(): void
  /** Ends it, on the server too; no callback is called any more. */
  discard(): void
}

/** How many events are decoded ahead of the reader. */
const MAX_AHEAD = 16

const asItIs = (bytes: Buffer): Buffer => bytes

/** Opens a stream. Events are taken from the wire as they are read, a few ahead, so a slow reader slows the server down. */
export function openStreamCall(opening: Opening, listener: StreamListener): StreamCall {
  const { client, path, bytes, decode, token, deadline } = opening
  const metadata = new (grpc().Metadata)()
  metadata.set('authorization', `Bearer ${token}`)
  const events = new ArrivingEvents(listener, token)
  try {
    // Its interceptor takes everything that arrives: a `Readable` in between costs as much as decoding does.
    const options = { deadline, interceptors: [events.interceptor] }
    const call = client.makeServerStreamRequest(path, asItIs, decode, bytes, metadata, options)
    call.on('error', () => {})
    return {
      read: () => events.read(),
      cancel: () => call.cancel(),
      discard: () => {
        events.discard()
        call.cancel()
      },
    }
  } catch {
    return neverOpened(listener)
  }
}

/** What arrives on a stream, between grpc-js and the reader. */
class ArrivingEvents implements InterceptingListener {
  readonly #listener: StreamListener
  readonly #token: string
  readonly #ready: MessagingEvent[] = []
  #headers: Metadata | undefined
  #askForNext = (): void => {}
  #isAsked = false
  #isDiscarded = false

  constructor(listener: StreamListener, token: string) {
    this.#listener = listener
    this.#token = token
  }

  /** Takes the place of the stream that grpc-js made for the call. */
  readonly interceptor: Interceptor = (options: InterceptorOptions, nextCall: NextCall) => {
    const { InterceptingCall } = grpc()
    const call = nextCall(options)
    this.#askForNext = () => call.startRead()
    return new InterceptingCall(call, {
      start: (metadata, _, next) => {
        next(metadata, this)
        this.#ask()
      },
    })
  }

  read(): MessagingEvent | undefined {
    const event = this.#ready.shift()
    if (event !== undefined) this.#ask()
    return event
  }

  discard(): void {
    this.#isDiscarded = true
  }

  onReceiveMetadata(headers: Metadata): void {
    this.#headers = headers
    if (!this.#isDiscarded) this.#listener.onDate(textOf(headers, 'date'))
    // A gateway's page has headers too.
    if (!this.#isDiscarded && isGrpcType(textOf(headers, 'content-type'))) this.#listener.onHeaders()
  }

  onReceiveMessage(event: MessagingEvent): void {
    this.#isAsked = false
    if (this.#isDiscarded) return
    this.#ready.push(event)
    this.#ask()
    this.#listener.onReadable()
  }

  onReceiveStatus(status: StatusObject): void {
    if (this.#isDiscarded) return
    // An answer without messages has its headers here.
    if (this.#headers === undefined) this.#listener.onDate(textOf(status.metadata, 'date'))
    this.#listener.onEnd(status.code === 0 ? undefined : toFailure(status, this.#headers, this.#token))
  }

  /** Until something asks, grpc-js takes no message from the wire. */
  #ask(): void {
    if (this.#isAsked || this.#ready.length >= MAX_AHEAD) return
    this.#isAsked = true
    this.#askForNext()
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
    read: () => undefined,
    cancel: () => {},
    discard: () => {
      isDiscarded = true
    },
  }
}
