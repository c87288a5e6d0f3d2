import type { Client } from '@grpc/grpc-js'
import { LONGEST_TIMER_MS } from '../../lib/wait.js'
import { type CallFailure, CODE } from '../call/status.js'
import type { DecodeEvent } from '../descriptor/decode-event.js'
import type { Method } from '../descriptor/descriptor.js'
import type { MessagingRuntime } from '../lib/runtime.js'
import type { MessagingEvent } from '../types/events.js'
import type { StreamEnd } from './reopen-policy.js'
import { openStreamCall, type StreamCall } from './stream-call.js'

/** A server may hold its headers back until the first event: after this time, an open call on a ready channel counts. */
const HEADERS_LATE_MS = 5_000
/** gRPC's own deadline, this much later than the planned end. */
const BACKSTOP_MS = 30_000
/** A server knows the deadline and may enforce it a little early. */
const EARLY_MS = 5_000

/** What {@link Run} is made of. */
export interface RunParts {
  readonly client: Client
  readonly method: Method
  readonly decode: DecodeEvent
  readonly request: object
  readonly hadCursor: boolean
  /** Whether PCS has ever answered. */
  readonly hasAnswered: () => boolean
  readonly token: string
  readonly recycleMs: number
  readonly runtime: MessagingRuntime
  /** Whether there is a connection to the server. */
  readonly isReady: () => boolean
  /** There may be something to read. */
  onReadable(): void
  onConnected(): void
  /** The `date` header of the answer. */
  onDate(date: string | undefined): void
  onEnd(run: Run): void
}

/** One stream from its opening to its end: how it does, and when it is replaced. */
export class Run {
  readonly token: string
  readonly #parts: RunParts
  readonly #call: StreamCall
  /** By the monotonic clock, like all times here. */
  readonly #openedAt: number
  readonly #livesUntil: number
  readonly #cancelRecycling: () => void
  #cancelLook: () => void
  #connectedAt: number | undefined
  #ended: { readonly at: number; readonly failure?: CallFailure } | undefined
  #isPlanned = false
  #hadProgress = false

  /** @throws `config_invalid` if the request does not fit the descriptor */
  constructor(parts: RunParts) {
    const { client, method, decode, request, token, recycleMs, runtime } = parts
    this.token = token
    this.#parts = parts
    const bytes = method.serialize(request)
    // Spread, so that streams that were opened together do not end together.
    const livesMs = Math.min(LONGEST_TIMER_MS, recycleMs * (0.8 + 0.4 * runtime.random()))
    const longestMs = Math.min(LONGEST_TIMER_MS, livesMs + BACKSTOP_MS)
    this.#openedAt = runtime.monotonic()
    this.#livesUntil = this.#openedAt + longestMs
    this.#call = openStreamCall(
      // grpc-js uses the wall clock.
      {
        client,
        path: method.path,
        bytes,
        decode: (message) => decode(message, runtime.now),
        token,
        deadline: Date.now() + longestMs,
      },
      {
        onReadable: () => parts.onReadable(),
        onHeaders: () => this.#connected(),
        onDate: (date) => parts.onDate(date),
        onEnd: (failure) => this.#end(failure),
      },
    )
    this.#cancelRecycling = runtime.after(livesMs, () => this.#recycle())
    this.#cancelLook = this.#lookLater()
  }

  /** The next event, if one has arrived; also after the end, as long as there are any. */
  read(): MessagingEvent | undefined {
    const event = this.#call.read()
    if (event !== undefined) this.#connected()
    return event
  }

  /** It has brought an event that had not been handed out before. */
  noteProgress(): void {
    this.#hadProgress = true
  }

  /** When it ended, by the monotonic clock. */
  get endedAt(): number | undefined {
    return this.#ended?.at
  }

  get isConnected(): boolean {
    return this.#connectedAt !== undefined && this.#ended === undefined
  }

  /** How it ended, as far as that is known now: messages that are read after the end count too. */
  toEnd(): StreamEnd {
    const { at, failure } = this.#ended ?? { at: this.#parts.runtime.monotonic() }
    return {
      ...(failure ? { failure } : {}),
      isPlanned: this.#isPlanned || (failure?.code === CODE.deadlineExceeded && this.#isNearItsEnd()),
      hadCursor: this.#parts.hadCursor,
      isUnanswered: !this.#parts.hasAnswered(),
      hadProgress: this.#hadProgress,
      lastedMs: at - this.#openedAt,
      connectedMs: this.#connectedAt === undefined ? 0 : Math.max(1, at - this.#connectedAt),
    }
  }

  /** Ends it; none of its callbacks is called any more. */
  discard(): void {
    this.#release()
    this.#call.discard()
  }

  #isNearItsEnd(): boolean {
    return this.#parts.runtime.monotonic() > this.#livesUntil - EARLY_MS
  }

  #recycle(): void {
    this.#isPlanned = true
    this.#call.cancel()
  }

  #lookLater(): () => void {
    const { runtime, isReady } = this.#parts
    return runtime.after(HEADERS_LATE_MS, () => {
      if (isReady()) this.#connected()
      else this.#cancelLook = this.#lookLater()
    })
  }

  #connected(): void {
    if (this.#connectedAt !== undefined || this.#ended) return
    this.#connectedAt = this.#parts.runtime.monotonic()
    this.#cancelLook()
    this.#parts.onConnected()
  }

  #end(failure: CallFailure | undefined): void {
    this.#ended = { at: this.#parts.runtime.monotonic(), ...(failure ? { failure } : {}) }
    this.#release()
    this.#parts.onEnd(this)
  }

  #release(): void {
    this.#cancelRecycling()
    this.#cancelLook()
  }
}
