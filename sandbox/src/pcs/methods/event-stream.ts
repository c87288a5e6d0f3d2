import type { ServerWritableStream } from '@grpc/grpc-js'
import type { PcsFault } from '../faults/pcs-fault.js'
import type { PcsEvent } from '../state/event-log.js'
import type { OpenStream, StreamRequest } from '../state/open-stream.js'
import type { PcsState } from '../state/pcs-state.js'
import { toServiceError } from '../wire/grpc-error.js'
import { UNKNOWN_ENUM } from './message-methods.js'
import { spoilCall } from './spoil-call.js'

/** grpc-js asks to wait from the 16th message on, which makes a stream slow; `drain` comes once all are out. */
const MOST_UNSENT = 512

/**
 * One open stream. It reads from the log at its own pace: a slow reader costs no memory here, since nothing is queued
 * beyond what grpc-js holds until `drain`.
 */
export class EventStream implements OpenStream {
  readonly request: StreamRequest
  readonly openedAt: string = new Date().toISOString()
  sent = 0
  readonly #state: PcsState
  readonly #call: ServerWritableStream<unknown, unknown>
  readonly #fault: PcsFault | undefined
  #position: number
  /** `out-of-order`: an event that is held until the next one has been sent. */
  #held: PcsEvent | undefined
  #isEnded = false
  #isFull = false
  #wake: () => void = () => {}

  constructor(
    state: PcsState,
    call: ServerWritableStream<unknown, unknown>,
    request: StreamRequest,
    fault: PcsFault | undefined,
  ) {
    this.#state = state
    this.#call = call
    this.request = request
    this.#fault = fault
    this.#position = request.position
  }

  /** Sends events until one side ends the stream. */
  async run(): Promise<void> {
    const stopListening = this.#state.events.onAppend(() => this.#wake())
    this.#call.on('drain', () => this.#resume())
    this.#call.on('cancelled', () => this.#finish())
    const { everyMs } = this.#fault ?? {}
    const timer = everyMs === undefined ? undefined : setTimeout(() => this.end(), everyMs)
    this.#state.streams.add(this)
    try {
      while (!this.#isEnded) await this.#step()
    } finally {
      this.#state.streams.delete(this)
      clearTimeout(timer)
      stopListening()
    }
  }

  end(error?: unknown): void {
    if (this.#isEnded) return
    if (error === undefined) this.#call.end()
    else this.#call.emit('error', toServiceError(error))
    this.#finish()
  }

  async #step(): Promise<void> {
    if (this.#fault?.events !== undefined && this.sent >= this.#fault.events) this.#spoil(this.#fault)
    const event = this.#isFull || this.#isEnded ? undefined : this.#next()
    if (event !== undefined) this.#send(event)
    else if (!this.#isEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** The next event of those wanted, in the order the fault wants. */
  #next(): PcsEvent | undefined {
    const event = this.#read()
    if (this.#fault?.kind !== 'out-of-order') return event
    if (this.#held !== undefined) {
      const held = this.#held
      this.#held = undefined
      // The pair is swapped; without a second event there is nothing to swap.
      if (event === undefined) return held
      this.#send(event)
      return held
    }
    this.#held = event
    return event === undefined ? undefined : this.#next()
  }

  #read(): PcsEvent | undefined {
    for (;;) {
      const found = this.#state.events.at(this.#position)
      if (found === undefined) return undefined
      this.#position = found.position + 1
      const { sendRequestId } = this.request
      if (sendRequestId === undefined || found.event.send_request_id === sendRequestId) return found.event
    }
  }

  #send(event: PcsEvent): void {
    const message = this.#fault?.kind === 'unknown-enum' ? { ...event, event_type: UNKNOWN_ENUM } : event
    const times = this.#fault?.kind === 'duplicate' ? 2 : 1
    for (let i = 0; i < times; i++) this.#call.write(message)
    this.#isFull = this.#call.writableLength >= MOST_UNSENT
    this.sent += 1
  }

  #spoil(fault: PcsFault): void {
    if (fault.kind === 'end-after') return this.end()
    try {
      if (spoilCall(this.#state, this.#call, fault)) this.#finish()
    } catch (error) {
      this.end(error)
    }
  }

  #resume(): void {
    this.#isFull = false
    this.#wake()
  }

  #finish(): void {
    this.#isEnded = true
    this.#wake()
  }
}
