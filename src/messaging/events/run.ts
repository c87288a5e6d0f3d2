import type { Client } from '@grpc/grpc-js'
import { LONGEST_TIMER_MS } from '../../lib/wait.js'
import { type CallFailure, CODE } from '../call/status.js'
import type { Method } from '../descriptor/descriptor.js'
import type { MessagingRuntime } from '../lib/runtime.js'
import type { StreamEnd } from './judge-end.js'
import { openStreamCall, type StreamCall, type Wire } from './stream-call.js'

/** A server may hold its headers back until the first event: then an open call on a ready channel counts. */
const HEADERS_LATE_MS = 5_000
/** After the recycling should have come. */
const BACKSTOP_MS = 30_000
/** A server that is told the deadline may be a little ahead of it. */
const EARLY_MS = 5_000
/** What a run is made of. */
export interface RunOptions {
  readonly client: Client
  readonly method: Method
  readonly request: object
  readonly hadCursor: boolean
  /** Whether PCS has ever answered. */
  readonly hasAnswered: () => boolean
  readonly token: string
  readonly recycleMs: number
  readonly runtime: MessagingRuntime
  /** Whether there is a connection to the server. */
  readonly isReady: () => boolean
}

/** What is told of a run. */
export interface RunListener {
  onReadable(): void
  onConnected(): void
  onDate(date: string | undefined): void
  onEnd(run: Run): void
}

/** One stream from its opening to its end: its health, and when to replace it. */
export class Run {
  readonly token: string
  readonly #options: RunOptions
  readonly #listener: RunListener
  readonly #call: StreamCall
  /** By the monotonic clock, as all times here. */
  readonly #openedAt: number
  readonly #livesUntil: number
  readonly #cancelRecycling: () => void
  #cancelLook: () => void
  #connectedAt: number | undefined
  #ended: { readonly at: number; readonly failure?: CallFailure } | undefined
  #isPlanned = false
  #hadProgress = false

  /** @throws `config_invalid` where the descriptor does not take the request */
  constructor(options: RunOptions, listener: RunListener) {
    const { client, method, request, token, recycleMs, runtime } = options
    this.token = token
    this.#options = options
    this.#listener = listener
    const bytes = method.serialize(request)
    // Spread out, so that streams opened together do not end together.
    const livesMs = Math.min(LONGEST_TIMER_MS, recycleMs * (0.8 + 0.4 * runtime.random()))
    const longestMs = Math.min(LONGEST_TIMER_MS, livesMs + BACKSTOP_MS)
    this.#openedAt = runtime.monotonic()
    this.#livesUntil = performance.now() + longestMs
    this.#call = openStreamCall(
      // grpc-js goes by the wall clock.
      { client, method, bytes, token, deadline: Date.now() + longestMs },
      {
        onReadable: () => listener.onReadable(),
        onHeaders: () => this.#connected(),
        onDate: (date) => listener.onDate(date),
        onEnd: (failure) => this.#end(failure),
      },
    )
    this.#cancelRecycling = runtime.after(livesMs, () => this.#recycle())
    this.#cancelLook = this.#lookLater()
  }

  /** The next message, where one has come; also after the end, as long as there are any. */
  read(): Wire | null {
    const wire = this.#call.read()
    if (wire !== null) this.#connected()
    return wire
  }

  noteProgress(): void {
    this.#hadProgress = true
  }

  get endedAt(): number | undefined {
    return this.#ended?.at
  }

  get isConnected(): boolean {
    return this.#connectedAt !== undefined && this.#ended === undefined
  }

  /** How it ended, by what is known now: messages that are read after the end count. */
  toEnd(): StreamEnd {
    const { at, failure } = this.#ended ?? { at: this.#options.runtime.monotonic() }
    return {
      ...(failure ? { failure } : {}),
      isPlanned: this.#isPlanned || (failure?.code === CODE.deadlineExceeded && this.#isNearItsEnd()),
      hadCursor: this.#options.hadCursor,
      isUnanswered: !this.#options.hasAnswered(),
      hadProgress: this.#hadProgress,
      lastedMs: at - this.#openedAt,
      connectedMs: this.#connectedAt === undefined ? 0 : Math.max(1, at - this.#connectedAt),
    }
  }

  /** Ends it without a word. */
  discard(): void {
    this.#release()
    this.#call.discard()
  }

  #isNearItsEnd(): boolean {
    return performance.now() > this.#livesUntil - EARLY_MS
  }

  #recycle(): void {
    this.#isPlanned = true
    this.#call.cancel()
  }

  #lookLater(): () => void {
    const { runtime, isReady } = this.#options
    return runtime.after(HEADERS_LATE_MS, () => {
      if (isReady()) this.#connected()
      else this.#cancelLook = this.#lookLater()
    })
  }

  #connected(): void {
    if (this.#connectedAt !== undefined || this.#ended) return
    this.#connectedAt = this.#options.runtime.monotonic()
    this.#cancelLook()
    this.#listener.onConnected()
  }

  #end(failure: CallFailure | undefined): void {
    this.#ended = { at: this.#options.runtime.monotonic(), ...(failure ? { failure } : {}) }
    this.#release()
    this.#listener.onEnd(this)
  }

  #release(): void {
    this.#cancelRecycling()
    this.#cancelLook()
  }
}
